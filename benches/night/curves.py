"""Draws curves as SVG."""

WIDTH, HEIGHT = 640, 300
LEFT, RIGHT, TOP, BOTTOM = 60, 130, 36, 46
COLOURS = ["#1f6f8b", "#c05621", "#4a7c3a", "#6b4a8a"]
TICKS = 5


def svg(title, across, places, series):
    """Returns a chart of series over places; both axes begin at zero."""
    widest = max(places)
    highest = nice(max(max(values) for values in series.values()))
    x = lambda place: LEFT + (WIDTH - LEFT - RIGHT) * place / widest  # noqa: E731
    y = lambda value: HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * value / highest  # noqa: E731
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        text(LEFT, 20, title, 'font-size="14" font-weight="bold"'),
        text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, across, 'text-anchor="middle"'),
    ]
    for tick in range(TICKS + 1):
        value = highest * tick / TICKS
        parts.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y(value):.1f}" y2="{y(value):.1f}" stroke="#ddd"/>')
        parts.append(text(LEFT - 6, y(value) + 4, f"{value:g}", 'text-anchor="end"'))
    shown = places if len(places) <= 6 else places[:: len(places) // 5] + places[-1:]
    for place in shown:
        parts.append(text(x(place), HEIGHT - BOTTOM + 16, f"{place:,}", 'text-anchor="middle"'))
    for (name, values), colour in zip(series.items(), COLOURS):
        points = " ".join(f"{x(place):.1f},{y(value):.1f}" for place, value in zip(places, values))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x(place):.1f}" cy="{y(value):.1f}" r="2.5" fill="{colour}"/>' for place, value in zip(places, values)]
        parts.append(text(WIDTH - RIGHT + 10, y(values[-1]) + 4, name, f'fill="{colour}"'))
    return "\n".join([*parts, "</svg>"]) + "\n"


def text(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{words}</text>'


def nice(value):
    """Returns the least of 1, 2, 2.5, 5 and 10 times a power of ten that is not below a value."""
    power = 1e-3
    while power * 10 < value:
        power *= 10
    return next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= value)

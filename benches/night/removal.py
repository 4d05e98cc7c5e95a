"""What each channel contributes to conversions: the Markov chain without it, solved with exact fractions."""

from fractions import Fraction


def removal_effects(transitions):
    """Returns the effect of each channel; `transitions` are (state, next state, count), '' begins and 'true' converts."""
    counts = {(source, target): count for source, target, count in transitions}
    channels = sorted({source for source, _ in counts if source})
    everything = conversion_probability(counts, channels, None)
    return [(channel, float(1 - conversion_probability(counts, channels, channel) / everything)) for channel in channels]


def conversion_probability(counts, channels, removed):
    """Solves p = A p + b by elimination."""
    states = ["", *(channel for channel in channels if channel != removed)]
    rows = []
    for state in states:
        total = sum(count for (source, _), count in counts.items() if source == state)
        row = [Fraction(int(state == other)) - Fraction(counts.get((state, other), 0), total) for other in states]
        rows.append([*row, Fraction(counts.get((state, "true"), 0), total)])
    for pivot in range(len(rows) - 1, -1, -1):
        factor = rows[pivot][pivot]
        rows[pivot] = [value / factor for value in rows[pivot]]
        for index in range(pivot):
            factor = rows[index][pivot]
            if factor:
                rows[index] = [value - factor * other for value, other in zip(rows[index], rows[pivot])]
    # Eliminated from below, the first row holds the start alone.
    return rows[0][-1]

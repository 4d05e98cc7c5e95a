"""Tells how long martlet worked at each step, from the report of a run."""


def step_seconds(steps):
    """Returns the seconds of each step, in the order they begin in the report; where parts of a step ran side by side, their time counts once."""
    parts = {}
    for step in steps:
        parts.setdefault(step["step"], []).append(step)
    return {step: together(of_step) / 1000 for step, of_step in parts.items()}


def together(parts):
    # Older reports do not tell when a part began; their parts ran one after the other.
    if any("started_ms" not in part for part in parts):
        return sum(part["elapsed_ms"] for part in parts)
    counted, until = 0, 0
    for begun, elapsed in sorted((part["started_ms"], part["elapsed_ms"]) for part in parts):
        counted += max(begun + elapsed - max(begun, until), 0)
        until = max(until, begun + elapsed)
    return counted

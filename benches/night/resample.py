"""How far the means of two groups may lie apart: the bootstrap that martlet calls `bootstrap_interval`, by NumPy.

Both groups are drawn anew 2,000 times. How many values of a resample are not 0 is drawn first, by the binomial distribution, then
which. The numbers of chance are those of SplitMix64 from 0 on, taken in this order, so that everybody comes to the same interval.
"""

import bisect

import numpy as np

RESAMPLES = 2000
TAIL = 0.025
# Probabilities this far below the most probable one are never drawn.
SMALLEST = 1e-18
STEP = 0x9E3779B97F4A7C15
FACTORS = (0xBF58476D1CE4E5B9, 0x94D049BB133111EB)
# So many numbers of chance are made at once, few enough to stay in the processor's cache.
AT_ONCE = 1 << 16


def revenue_intervals(campaigns):
    """Returns the interval of each campaign; of these are given name, sizes of both groups, and the sorted values of both that are not 0."""
    return [(name, *interval([(treated, values or []), (controls, others or [])])) for name, treated, controls, values, others in campaigns]


def interval(groups):
    """Returns the 2.5th and the 97.5th percentile of the difference of two means; a group is its size and its values that are not 0."""
    hits, places = draws([binomial(size, len(values)) for size, values in groups])
    means = [sums(np.array(values), hits[:, side], places[:, side]) / size for side, (size, values) in enumerate(groups)]
    return np.quantile(means[0] - means[1], [TAIL, 1 - TAIL]).tolist()


def draws(distributions):
    """Returns how many values other than 0 each resample of each group has, and the place of the first number of chance that picks one."""
    hits, places, place = [], [], 0
    for _ in range(RESAMPLES):
        for fewest, cumulated in distributions:
            hits.append(fewest + bisect.bisect_right(cumulated, (number(place) >> 11) / 2**53))
            places.append(place + 1)
            place += 1 + hits[-1]
    return np.array(hits).reshape(-1, len(distributions)), np.array(places).reshape(-1, len(distributions))


def binomial(size, hits):
    """Returns the fewest values other than 0 that are ever drawn, and the probability of so many or fewer by their number from there on."""
    if hits in (0, size):
        return hits, []
    odds = hits / (size - hits)
    # The mode is the mean, which is a whole number here. Neighbours are in simple proportion.
    more, fewer = np.arange(hits, size), np.arange(hits, 0, -1)
    above, below_it = np.cumprod((size - more) / (more + 1) * odds), np.cumprod(fewer / (size - fewer + 1) / odds)
    shares = np.concatenate([below_it[below_it >= SMALLEST][::-1], [1.0], above[above >= SMALLEST]])
    return hits - int((below_it >= SMALLEST).sum()), np.cumsum(shares / shares.sum())[:-1].tolist()


def sums(values, hits, places):
    """Returns the sum of each resample of a group."""
    found = np.zeros(len(hits))
    ends = np.cumsum(hits)
    first = 0
    while first < len(hits):
        last = max(first + 1, int(np.searchsorted(ends, ends[first] + AT_ONCE)))
        some = first + np.flatnonzero(hits[first:last])
        first = last
        if not len(some):
            continue
        starts = np.cumsum(hits[some]) - hits[some]
        of_each = np.repeat(places[some] - starts, hits[some])
        picked = values[below(numbers(of_each + np.arange(len(of_each))), len(values))]
        found[some] = np.add.reduceat(picked, starts)
    return found


def number(place):
    """Returns the number of chance at a place."""
    mixed = (place + 1) * STEP % 2**64
    mixed = (mixed ^ mixed >> 30) * FACTORS[0] % 2**64
    mixed = (mixed ^ mixed >> 27) * FACTORS[1] % 2**64
    return mixed ^ mixed >> 31


def numbers(places):
    """Returns the numbers of chance at many places."""
    mixed = (places + 1).astype(np.uint64)
    mixed *= np.uint64(STEP)
    mixed ^= mixed >> 30
    mixed *= np.uint64(FACTORS[0])
    mixed ^= mixed >> 27
    mixed *= np.uint64(FACTORS[1])
    mixed ^= mixed >> 31
    return mixed


def below(mixed, bound):
    """Returns whole numbers below a bound of at most 32 bits: the upper halves of the products with it."""
    low = mixed & 0xFFFFFFFF
    low *= bound
    low >>= 32
    mixed >>= 32
    mixed *= bound
    mixed += low
    mixed >>= 32
    return mixed

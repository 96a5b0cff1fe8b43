"""Rates with intervals, and tests of a paired difference, where the seeds of one task are not independent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import product
from math import comb
from random import Random

Pairs = Mapping[str, Sequence[tuple[bool, bool]]]
"""Task → of each of its runs, whether it passed without and with execution feedback."""

_RESAMPLES = 10_000
_EXACT_TASKS = 16


def rate_interval(by_task: Mapping[str, Sequence[bool]], level: float = 0.95) -> tuple[float, float, float]:
    """Return the rate over all runs and its interval by a bootstrap over tasks.

    Whole tasks are drawn, with all their seeds: what varies is which tasks a person brings.
    """
    groups = [(sum(runs), len(runs)) for _, runs in sorted(by_task.items())]
    rate = sum(passed for passed, _ in groups) / sum(size for _, size in groups)
    chance = Random(20240)
    rates = []
    for _ in range(_RESAMPLES):
        drawn = chance.choices(groups, k=len(groups))
        rates.append(sum(passed for passed, _ in drawn) / sum(size for _, size in drawn))
    rates.sort()
    tail = (1 - level) / 2
    return rate, rates[int(tail * _RESAMPLES)], rates[int((1 - tail) * _RESAMPLES) - 1]


def difference_interval(pairs: Pairs, level: float = 0.95) -> tuple[float, float, float]:
    """Return how much higher the rate is with feedback, and the interval by the same bootstrap."""
    groups = [(sum(b - a for a, b in runs), len(runs)) for _, runs in sorted(pairs.items())]
    total = sum(gain for gain, _ in groups) / sum(size for _, size in groups)
    chance = Random(20240)
    gains = []
    for _ in range(_RESAMPLES):
        drawn = chance.choices(groups, k=len(groups))
        gains.append(sum(gain for gain, _ in drawn) / sum(size for _, size in drawn))
    gains.sort()
    tail = (1 - level) / 2
    return total, gains[int(tail * _RESAMPLES)], gains[int((1 - tail) * _RESAMPLES) - 1]


def mcnemar(pairs: Pairs) -> tuple[int, int, float]:
    """Return how many runs feedback mended, how many it spoiled, and McNemar's exact two-sided p.

    It takes the runs as independent, which seeds of one task are not: read it with ``clustered_p``.
    """
    runs = [pair for runs in pairs.values() for pair in runs]
    mended = sum(after and not before for before, after in runs)
    spoiled = sum(before and not after for before, after in runs)
    return mended, spoiled, _sign_p(mended, spoiled)


def sign_test(pairs: Pairs) -> tuple[int, int, float]:
    """Return in how many tasks feedback gained, in how many it lost, and the sign test's exact two-sided p."""
    gains = [sum(after - before for before, after in runs) for runs in pairs.values()]
    up, down = sum(gain > 0 for gain in gains), sum(gain < 0 for gain in gains)
    return up, down, _sign_p(up, down)


def _sign_p(up: int, down: int) -> float:
    n, k = up + down, min(up, down)
    return min(1.0, 2 * sum(comb(n, i) for i in range(k + 1)) / 2**n) if n else 1.0


def clustered_p(pairs: Pairs) -> float:
    """Return the two-sided p of a permutation test that swaps the two arms of whole tasks.

    Exact for few tasks with a difference, else by 10,000 random swaps.
    """
    gains = [gain for runs in pairs.values() if (gain := sum(after - before for before, after in runs))]
    seen = abs(sum(gains))
    if not gains:
        return 1.0
    if len(gains) <= _EXACT_TASKS:
        sums = [
            abs(sum(s * g for s, g in zip(signs, gains, strict=True))) for signs in product((1, -1), repeat=len(gains))
        ]
        return sum(total >= seen for total in sums) / len(sums)
    chance = Random(20240)
    hits = sum(abs(sum(chance.choice((1, -1)) * gain for gain in gains)) >= seen for _ in range(_RESAMPLES))
    # The arrangement that was seen is one of them, so that p is never 0.
    return (hits + 1) / (_RESAMPLES + 1)

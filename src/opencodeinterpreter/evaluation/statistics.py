"""Intervals and tests for pass rates. Problems are the independent units, also where each has several samples.

Everything random is seeded, so that a report of the same records is the same report.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from statistics import NormalDist, fmean
from typing import Any

import numpy as np

CONFIDENCE = 0.95
SIGNIFICANCE = 0.05
RESAMPLES = 10_000
SEED = 20240222
"""of every resampling; any number will do, as long as it stays"""


@dataclass(frozen=True)
class Interval:
    """Of the ``CONFIDENCE`` level, as fractions: 0.5 is fifty percent."""

    low: float
    high: float


@dataclass(frozen=True)
class Rate:
    """A share with its interval."""

    value: float
    interval: Interval
    total: int
    """how many problems it is out of"""


@dataclass(frozen=True)
class PairedResult:
    """What changes from a first to a second way of solving the same problems."""

    total: int
    """problems that both have a verdict for"""
    first: float
    second: float
    """mean pass rates on these problems"""
    fixed: tuple[str, ...]
    """problems that the second solves more often than the first"""
    broken: tuple[str, ...]
    """the reverse"""
    interval: Interval
    """of ``second - first``, by the paired bootstrap"""
    p: float
    """two-sided; exact McNemar where there is one sample a problem, else a sign-flip test over problems"""

    @property
    def difference(self) -> float:
        return self.second - self.first

    @property
    def unchanged(self) -> int:
        return self.total - len(self.fixed) - len(self.broken)

    @property
    def significant(self) -> bool:
        return self.p < SIGNIFICANCE

    @property
    def winner(self) -> int | None:
        """0 or 1, or None where chance alone would do as well: then none may be named."""
        return (1 if self.difference > 0 else 0) if self.significant else None


def wilson(passed: int, total: int, confidence: float = CONFIDENCE) -> Interval:
    """Return Wilson's score interval of a share; the whole range where there is nothing to go by."""
    if total == 0:
        return Interval(0.0, 1.0)
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = passed / total
    middle = (share + z * z / (2 * total)) / (1 + z * z / total)
    half = z / (1 + z * z / total) * math.sqrt(share * (1 - share) / total + z * z / (4 * total * total))
    # Rounding may leave the ends a hair inside 0 and 1, where they are exact.
    return Interval(0.0 if passed == 0 else middle - half, 1.0 if passed == total else middle + half)


def bootstrap(values: Sequence[float], confidence: float = CONFIDENCE, seed: int = SEED) -> Interval:
    """Return the percentile bootstrap interval of a mean.

    Args:
        values: one a problem; with several samples the problem's mean, which keeps the clusters together.
    """
    if not values:
        return Interval(0.0, 1.0)
    counts = Counter(values)
    if len(counts) == 1:
        # Values drawn from equal ones are equal, however few they are: as unsure as a share of none in as many.
        unsure = wilson(0, len(values), confidence).high
        return Interval(values[0] - unsure, values[0] + unsure)
    distinct = np.array(list(counts), dtype=float)
    shares = np.array(list(counts.values()), dtype=float) / len(values)
    # Drawing how often each distinct value comes up is the same as drawing the values, without the large table.
    drawn: Any = np.random.default_rng(seed).multinomial(len(values), shares, size=RESAMPLES)
    means = drawn @ distinct / len(values)
    low, high = np.quantile(means, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Interval(float(low), float(high))


def rate(scores: Mapping[str, Sequence[bool]]) -> Rate:
    """Return the mean pass rate over problems; Wilson's interval with one sample a problem, else the bootstrap's."""
    means = [fmean(samples) for samples in scores.values() if samples]
    if not means:
        return Rate(0.0, Interval(0.0, 1.0), 0)
    if all(len(samples) <= 1 for samples in scores.values()):
        interval = wilson(round(sum(means)), len(means))
    else:
        around = bootstrap(means)
        interval = Interval(max(around.low, 0.0), min(around.high, 1.0))
    return Rate(fmean(means), interval, len(means))


def mcnemar(fixed: int, broken: int) -> float:
    """Return the exact two-sided p of McNemar's test on discordant pairs."""
    total, less = fixed + broken, min(fixed, broken)
    ways, tail = 1, 1
    for count in range(less):
        ways = ways * (total - count) // (count + 1)
        tail += ways
    return min(
        1.0, float(Fraction(2 * tail, 1 << total))
    )  # of integers, so that nothing overflows or is rounded on the way


def sign_flip(differences: Sequence[float], seed: int = SEED) -> float:
    """Return the two-sided p of the hypothesis that each difference is as likely to have the other sign.

    For differences of -1, 0 and 1 this is McNemar's test, and is computed exactly; else by seeded draws.
    """
    moved = np.array([value for value in differences if value], dtype=float)
    if all(abs(value) == 1 for value in moved):
        return mcnemar(int((moved > 0).sum()), int((moved < 0).sum()))
    generator = np.random.default_rng(seed)
    signs: Any = generator.integers(0, 2, size=(RESAMPLES, len(moved)), dtype=np.int8) * 2 - 1
    # The tolerance lets sums that are equal on paper count as equal.
    as_far: int = int((np.abs(signs @ moved) >= abs(moved.sum()) - 1e-9).sum())
    return (as_far + 1) / (RESAMPLES + 1)


def paired(first: Mapping[str, Sequence[bool]], second: Mapping[str, Sequence[bool]]) -> PairedResult:
    """Compare two ways on the problems that both have a verdict for.

    Args:
        first: the verdicts of each problem's samples.
        second: likewise.
    """
    common = [problem for problem, samples in first.items() if samples and second.get(problem)]
    before = [fmean(first[problem]) for problem in common]
    after = [fmean(second[problem]) for problem in common]
    differences = [late - early for early, late in zip(before, after, strict=True)]
    return PairedResult(
        total=len(common),
        first=fmean(before) if common else 0.0,
        second=fmean(after) if common else 0.0,
        fixed=tuple(problem for problem, change in zip(common, differences, strict=True) if change > 0),
        broken=tuple(problem for problem, change in zip(common, differences, strict=True) if change < 0),
        interval=bootstrap(differences) if common else Interval(-1.0, 1.0),
        p=sign_flip(differences),
    )


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """Return the unbiased estimate of the chance that one of ``k`` samples passes (Chen et al. 2021, equation 1).

    Raises:
        ValueError: if there are fewer samples than ``k``, or counts that cannot be.
    """
    if not (0 <= passed <= samples and 1 <= k <= samples):
        raise ValueError(f"pass@{k} of {passed} in {samples} samples cannot be estimated")
    return 1.0 - math.comb(samples - passed, k) / math.comb(samples, k)

"""Interleaved measurements, their medians, and how far a ratio of two can be trusted."""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Literal

Bound = Literal["at most", "at least"]
_RESAMPLES = 2000
Progress = Callable[[str], None]


@dataclass(frozen=True)
class Target:
    """What a figure has to be."""

    bound: Bound
    value: float

    def met_by(self, value: float) -> bool:
        return value <= self.value if self.bound == "at most" else value >= self.value


@dataclass(frozen=True)
class Ratio:
    """The ratio of two medians, with a 95 % interval by a bootstrap over the pairs."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Row:
    """One line of the report: our figure, that of the other side, and the target of either their ratio or ours."""

    name: str
    unit: str
    ours: float
    count: int
    """Of measurements on each side."""
    spread: tuple[float, float] | None = None
    """Lower and upper quartile of ours."""
    other: str = ""
    """What it is compared with."""
    theirs: float | None = None
    ratio: Ratio | None = None
    target: Target | None = None
    """Of the ratio where there is one, else of our figure."""
    note: str = ""

    @property
    def met(self) -> bool | None:
        """None where nothing is demanded."""
        if self.target is None:
            return None
        return self.target.met_by(self.ours if self.ratio is None else self.ratio.value)


@dataclass(frozen=True)
class Plan:
    """How a run of the benchmarks is to be."""

    quick: bool
    model: str
    progress: Progress

    def count(self, whole: int, quick: int) -> int:
        return quick if self.quick else whole


def interleave(sides: Mapping[str, Callable[[], float]], rounds: int, warmups: int = 1) -> dict[str, list[float]]:
    """Measure every side once a round, so that whatever else the machine does meets all of them alike.

    The order is reversed from one round to the next; the warm-ups are not counted.

    Args:
        sides: name → a measurement, which returns its figure.
        rounds: how often each is measured.
    """
    figures: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(-warmups, rounds):
        order = list(sides) if number % 2 == 0 else list(sides)[::-1]
        gc.collect()  # now rather than in the middle of a measurement
        for name in order:
            figure = sides[name]()
            if number >= 0:
                figures[name].append(figure)
    return figures


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Ratio:
    """Return the ratio of the medians of figures that were measured in pairs."""
    chance = random.Random(0)
    places = range(len(ours))
    drawn = []
    for _ in range(_RESAMPLES):
        picks = chance.choices(places, k=len(ours))
        drawn.append(median(ours[at] for at in picks) / median(theirs[at] for at in picks))
    drawn.sort()
    return Ratio(median(ours) / median(theirs), drawn[int(0.025 * _RESAMPLES)], drawn[int(0.975 * _RESAMPLES) - 1])


def quartiles(figures: Sequence[float]) -> tuple[float, float] | None:
    if len(figures) < 2:
        return None
    low, _, high = quantiles(figures, n=4, method="inclusive")
    return low, high


def alone(
    name: str, unit: str, figures: Sequence[float], target: Target | None = None, note: str = "", scale: float = 1.0
) -> Row:
    """Return the row of a figure that stands for itself; ``scale`` turns what was measured into ``unit``."""
    scaled = [scale * figure for figure in figures]
    return Row(name, unit, median(scaled), len(scaled), quartiles(scaled), target=target, note=note)


def against(
    name: str,
    unit: str,
    ours: Sequence[float],
    other: str,
    theirs: Sequence[float],
    target: Target | None = None,
    note: str = "",
    scale: float = 1.0,
) -> Row:
    """Return the row of a figure beside that of another side, measured in pairs with it."""
    scaled = [scale * figure for figure in ours]
    return Row(
        name,
        unit,
        median(scaled),
        len(scaled),
        quartiles(scaled),
        other,
        scale * median(theirs),
        ratio(ours, theirs),
        target,
        note,
    )

"""How far a judge agrees with itself when it is asked twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

THEN = " then "


@dataclass(frozen=True)
class Agreement:
    """Two verdicts on each of many queries."""

    judged: int
    """queries with two verdicts"""
    exact: float
    """the share whose verdicts are equal"""
    kappa: float | None
    """Cohen's: the share beyond what chance would give, 1 at best; None where all verdicts are one and the same"""

    def to_json(self) -> dict[str, float | int | None]:
        kappa = None if self.kappa is None else round(self.kappa, 4)
        return {"judged": self.judged, "exact": round(self.exact, 4), "kappa": kappa}


def agreement(pairs: Mapping[str, int]) -> Agreement | None:
    """Return the agreement in a table of how often which verdict was followed by which.

    Args:
        pairs: counts by ``"4 then 5"``.

    Returns:
        None for an empty table.
    """
    total = sum(pairs.values())
    if not total:
        return None
    first: Counter[str] = Counter()
    second: Counter[str] = Counter()
    equal = 0
    for pair, number in pairs.items():
        one, _, other = pair.partition(THEN)
        first[one] += number
        second[other] += number
        equal += number if one == other else 0
    exact = equal / total
    chance = sum(first[verdict] * second[verdict] for verdict in first) / total**2
    return Agreement(total, exact, None if chance >= 1 else (exact - chance) / (1 - chance))

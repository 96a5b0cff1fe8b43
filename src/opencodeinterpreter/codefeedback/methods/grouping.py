"""Finds problems that belong together by their tags."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

_CANDIDATES: Final = 400
"""Problems with a tag in common that are compared, those with the rarest first; more would hardly find nearer ones."""


@dataclass(frozen=True)
class Tagged:
    """A problem, as far as it is compared."""

    id: str
    number: int
    tags: frozenset[str]
    words: frozenset[str] = frozenset()
    """of its statement: of problems with the same tags, those that speak of the same things are the likest"""


def grouped(
    problems: Sequence[Tagged], sizes: Sequence[int], floor: float, chance: random.Random
) -> tuple[list[list[Tagged]], list[Tagged]]:
    """Put problems together by their tags, each used once.

    Args:
        problems: each with at least one tag.
        sizes: one of these is drawn for each group.
        floor: the least likeness of two problems.
        chance: decides the order in which the problems are looked at.

    Returns:
        The groups, and the problems for which no similar one was left.
    """
    df = Counter(tag for problem in problems for tag in problem.tags)
    weight = {tag: math.log(1 + len(problems) / number) for tag, number in df.items()}
    spoken = Counter(word for problem in problems for word in problem.words)
    # Words that many statements have, such as "array" and "return", say nothing.
    rare = {word for word, number in spoken.items() if 1 < number <= max(2, len(problems) // 10)}
    order = [replace(problem, words=problem.words & rare) for problem in problems]
    chance.shuffle(order)
    rank = {problem.number: place for place, problem in enumerate(order)}
    by_tag: dict[str, list[Tagged]] = {}
    for problem in order:
        for tag in problem.tags:
            by_tag.setdefault(tag, []).append(problem)
    used: set[int] = set()
    groups: list[list[Tagged]] = []
    alone: list[Tagged] = []
    for problem in order:
        if problem.number in used:
            continue
        used.add(problem.number)
        size = chance.choice(sizes)
        near = _nearest(problem, by_tag, used, weight, floor)
        spoken_alike = {other.number: _share(problem.words, other.words) for _, other in near}
        near.sort(key=lambda found: (-found[0], -spoken_alike[found[1].number], rank[found[1].number]))
        others = [other for _, other in near[: size - 1]]
        if not others:
            alone.append(problem)
            continue
        used.update(other.number for other in others)
        groups.append([problem, *others])
    return groups, alone


def _nearest(
    problem: Tagged, by_tag: Mapping[str, list[Tagged]], used: set[int], weight: Mapping[str, float], floor: float
) -> list[tuple[float, Tagged]]:
    seen: dict[int, tuple[float, Tagged]] = {}
    for tag in sorted(problem.tags, key=lambda tag: (-weight[tag], tag)):
        by_tag[tag][:] = [other for other in by_tag[tag] if other.number not in used]
        for other in by_tag[tag]:
            if len(seen) >= _CANDIDATES:
                break
            if other.number not in seen:
                seen[other.number] = (_likeness(problem, other, weight), other)
    return [each for each in seen.values() if each[0] >= floor]


def _share(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other) if one or other else 0.0


def _likeness(one: Tagged, other: Tagged, weight: Mapping[str, float]) -> float:
    """Return the share of the tags that two problems have in common, the rare ones counting more."""
    union = sum(weight[tag] for tag in sorted(one.tags | other.tags))
    return sum(weight[tag] for tag in sorted(one.tags & other.tags)) / union if union else 0.0

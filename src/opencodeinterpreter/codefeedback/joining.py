"""The stage ``join``: what several sources know of one problem becomes one row.

One source has the statement and the tests (LeetCodeDataset), another several solutions with their complexities
(kamyu104). They meet by the problem's slug.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from opencodeinterpreter.codefeedback.rows import Problem, Solution
from opencodeinterpreter.codefeedback.stage import Drop, Outcome, Row, Table

_PREFIX: Final = re.compile(r"^.*[/:]")
T = TypeVar("T")


@dataclass(frozen=True)
class JoiningOptions:
    """What is kept."""

    alone: bool = True
    """keep problems that only one source has, if they have a statement"""


class Joining:
    """A ``TableStage`` of problems."""

    name = "join"

    def __init__(self, options: JoiningOptions | None = None) -> None:
        self._options = options or JoiningOptions()

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"alone": self._options.alone}

    def check(self, row: Row) -> None:
        """Read one row.

        Raises:
            InputError: if it is no problem.
        """
        Problem.from_json(row)

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield each problem where its last row stands; until then only the rows of unfinished problems are kept."""
        last: dict[str, int] = {}
        table.told.begin(len(table.rows), "problems read")
        for number, row in enumerate(table.rows):
            last[slug(Problem.from_json(row))] = number
            table.told.advance()
        pending: dict[str, list[Problem]] = {}
        table.told.begin(len(table.rows), "problems joined")
        for number, row in enumerate(table.rows):
            problem = Problem.from_json(row)
            key = slug(problem)
            pending.setdefault(key, []).append(problem)
            if last[key] == number:
                yield self._outcome(pending.pop(key))
            table.told.advance()

    def _outcome(self, found: Sequence[Problem]) -> Outcome:
        problem = joined(found)
        notes = {"rows of a problem": {str(len(found)): 1}}
        if not problem.statement.strip():
            return Outcome(drops=(Drop("no source has a statement", row=problem.to_json()),), notes=notes)
        if len(found) == 1 and not self._options.alone:
            return Outcome(drops=(Drop("only one source has it", row=problem.to_json()),), notes=notes)
        return Outcome(rows=(problem.to_json(),), notes=notes)


def slug(problem: Problem) -> str:
    """Return what a problem is called in every source."""
    known = problem.meta.get("slug")
    name = known if isinstance(known, str) and known else _PREFIX.sub("", problem.id)
    return re.sub(r"[\s_]+", "-", name.strip().lower())


def joined(found: Sequence[Problem]) -> Problem:
    """Return one problem with all that several rows know of it; where they differ, the one with a statement counts."""
    order = sorted(found, key=lambda problem: (not problem.statement.strip(), problem.tests is None))
    first = order[0]
    sources = _distinct(each.source for each in order if each.source)
    return replace(
        first,
        title=_first(each.title for each in order),
        solutions=_solutions(order),
        tests=next((each.tests for each in order if each.tests is not None), None),
        language=_first(each.language for each in order),
        tags=tuple(_distinct(tag for each in order for tag in each.tags)),
        difficulty=_first(each.difficulty for each in order),
        source="+".join(sources),
        licence=", ".join(_distinct(each.licence for each in order if each.licence)),
        meta={**{key: value for each in reversed(order) for key, value in each.meta.items()}, "sources": sources},
    )


def _solutions(order: Iterable[Problem]) -> tuple[Solution, ...]:
    kept: dict[str, Solution] = {}
    for problem in order:
        for solution in problem.solutions:
            kept.setdefault(solution.code.strip(), solution)
    return tuple(kept.values())


def _first(texts: Iterable[str]) -> str:
    return next((text for text in texts if text), "")


def _distinct(items: Iterable[T]) -> list[T]:
    return list(dict.fromkeys(items))

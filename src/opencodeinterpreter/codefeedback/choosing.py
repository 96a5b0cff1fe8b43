"""Two small stages between the others: some of the rows, and problems as queries."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from opencodeinterpreter.codefeedback.asking.replies import with_code
from opencodeinterpreter.codefeedback.methods.checked_solutions import is_checked
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Process, Row, Table
from opencodeinterpreter.codefeedback.rows import Problem, Query
from opencodeinterpreter.errors import ConfigError


@dataclass(frozen=True)
class TakeSettings:
    """Which rows are taken."""

    count: int
    seed: int | None = None
    """None takes the first ones, a number draws them; their order stays"""
    difficulty: tuple[str, ...] = ()
    """problems of these only, an empty text being those that do not say; not given, whatever they are. A small model
    solves easy ones mostly, and what it does not solve is no dialog"""


class Take:
    """A table stage: some of the rows, for a try or a small build. The others are not counted as dropped."""

    name = "take"

    def __init__(self, settings: TakeSettings) -> None:
        if settings.count < 0:
            raise ConfigError("count of the stage take must not be below 0")
        self._settings = settings

    @property
    def settings(self) -> Mapping[str, Any]:
        return asdict(self._settings)

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield the rows that are taken."""
        count, seed, wanted = self._settings.count, self._settings.seed, self._settings.difficulty
        numbers: Sequence[int] = range(len(table.rows))
        if wanted:
            numbers = [number for number, row in enumerate(table.rows) if row.get("difficulty", "") in wanted]
        if seed is not None:
            numbers = random.Random(seed).sample(numbers, min(count, len(numbers)))  # noqa: S311 - chooses rows
        taken = frozenset(numbers[:count])
        table.told.begin(len(table.rows), "rows")
        for number, row in enumerate(table.rows):
            table.told.advance()
            if number in taken:
                yield Outcome((row,))


class Queries:
    """A map stage: problems become queries, each with its first solution as the answer.

    The problem's tests go along in the query's meta, so that whoever verifies a dialog with the answer runs them.
    """

    name = "queries"

    @property
    def settings(self) -> Mapping[str, Any]:
        return {}

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        """Nothing has to be opened."""
        yield self._made

    def stop(self) -> None:
        """Do nothing: no row takes long."""

    def _made(self, row: Row) -> Outcome:
        problem = Problem.from_json(row)
        if not problem.statement.strip() or not problem.solutions:
            return Outcome(drops=(Drop("no statement" if problem.solutions else "no solution"),))
        first = problem.solutions[0]
        language = first.language or problem.language
        # Of a solution that was checked the text is only the words above its code.
        whole = "" if is_checked(problem) else first.text
        words = first.text if is_checked(problem) else ""
        answer = whole or with_code(words, first.code.strip("\n").rstrip(), language)
        meta: dict[str, Any] = {**problem.meta, "problem": problem.id}
        if problem.tests is not None:
            meta["tests"] = problem.tests.to_json()
        query = Query(problem.id, problem.statement, answer, language, problem.source, problem.licence, meta)
        return Outcome((query.to_json(),))

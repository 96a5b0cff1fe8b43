"""Rows of this builder, as another run of it has written them."""

from __future__ import annotations

from typing import Final

from opencodeinterpreter.codefeedback.rows import Bug, Problem, Query
from opencodeinterpreter.codefeedback.sources.base import Format, Given


def _query(given: Given) -> Query:
    return Query.from_json(given.row)


def _problem(given: Given) -> Problem:
    return Problem.from_json(given.row)


def _bug(given: Given) -> Bug:
    return Bug.from_json(given.row)


_ORIGIN: Final = frozenset({"id", "language", "source", "licence", "meta"})
OWN: Final = (
    Format("queries", "rows of this builder: queries", _ORIGIN | {"query", "answer"}, _query),
    Format("problems", "rows of this builder: problems", _ORIGIN | {"statement", "solutions"}, _problem),
    Format("bugs", "rows of this builder: bugs", _ORIGIN | {"buggy", "fixed"}, _bug),
)

"""What stages hand to each other, one JSON object a line: queries, problems and bugs. Dialogs are in ``dialog``.

Every ``from_json`` validates, and raises an ``InputError`` that says what is wrong with which field; whoever reads the
file adds file and line.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from opencodeinterpreter.errors import InputError

T = TypeVar("T")


@dataclass(frozen=True)
class Query:
    """Something that a person asked, with the reply that the source has."""

    id: str
    query: str
    answer: str = ""
    """empty if the source has none"""
    language: str = ""
    """the programming language, as ``languages`` names it; empty if unknown"""
    source: str = ""
    """the data set it is from"""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "query": self.query,
            "answer": self.answer,
            "language": self.language,
            "source": self.source,
            "licence": self.licence,
            "meta": dict(self.meta),
        }

    @classmethod
    def from_json(cls, row: Any) -> Query:
        """Validate one row.

        Raises:
            InputError: naming the field that is missing, empty or of a wrong type.
        """
        given = Fields(row, "a query")
        return cls(
            id=given.text("id", required=True),
            query=given.text("query", required=True),
            answer=given.text("answer"),
            meta=given.mapping("meta"),
            **given.origin(),
        )


@dataclass(frozen=True)
class Solution:
    """One program that solves a problem."""

    code: str
    language: str = ""
    time: str = ""
    """its complexity, as the source writes it: ``O(n log n)``"""
    space: str = ""
    text: str = ""
    """the whole reply, where the source has one"""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "code": self.code,
            "language": self.language,
            "time": self.time,
            "space": self.space,
            "text": self.text,
            "note": self.note,
        }

    @classmethod
    def from_json(cls, row: Any) -> Solution:
        """Validate one solution.

        Raises:
            InputError: naming the field that cannot be used.
        """
        given = Fields(row, "a solution")
        others = {name: given.text(name) for name in ("language", "time", "space", "text", "note")}
        return cls(code=given.text("code", required=True), **others)


@dataclass(frozen=True)
class Tests:
    """How a solution is checked: by a program below it, or by what it prints for given input."""

    __test__ = False  # for pytest, which collects classes of this name

    program: str = ""
    """text to be appended below the solution; the whole exits with an error if the solution is wrong"""
    entry_point: str = ""
    """how the program calls the solution: ``Solution().twoSum``"""
    cases: tuple[tuple[str, str], ...] = ()
    """standard input and the standard output expected for it, where there is no program"""

    def to_json(self) -> dict[str, Any]:
        return {
            "program": self.program,
            "entry_point": self.entry_point,
            "cases": [list(case) for case in self.cases],
        }

    @classmethod
    def from_json(cls, row: Any) -> Tests:
        """Validate the tests of a problem or bug.

        Raises:
            InputError: if there is neither a program nor a case, or one of them is no text.
        """
        given = Fields(row, "a row's tests")
        cases = []
        for case in given.items("cases"):
            if not isinstance(case, list | tuple) or len(case) != 2 or not all(isinstance(text, str) for text in case):
                raise InputError("each of a row's test cases must be two texts: the input and the output expected")
            cases.append((case[0], case[1]))
        program = given.text("program")
        if not program and not cases:
            raise InputError("a row's tests have neither a program nor cases")
        return cls(program, given.text("entry_point"), tuple(cases))


@dataclass(frozen=True)
class Problem:
    """A task with solutions, and tests where the source has some."""

    id: str
    title: str
    statement: str
    """empty where the source has none"""
    solutions: tuple[Solution, ...] = ()
    tests: Tests | None = None
    language: str = ""
    tags: tuple[str, ...] = ()
    difficulty: str = ""
    source: str = ""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "title": self.title,
            "statement": self.statement,
            "solutions": [solution.to_json() for solution in self.solutions],
            "tests": None if self.tests is None else self.tests.to_json(),
            "language": self.language,
            "tags": list(self.tags),
            "difficulty": self.difficulty,
            "source": self.source,
            "licence": self.licence,
            "meta": dict(self.meta),
        }

    @classmethod
    def from_json(cls, row: Any) -> Problem:
        """Validate one row.

        Raises:
            InputError: naming the field that is missing, empty or of a wrong type.
        """
        given = Fields(row, "a problem")
        tags = given.items("tags")
        if not all(isinstance(tag, str) for tag in tags):
            raise InputError("a problem's tags must be texts")
        return cls(
            id=given.text("id", required=True),
            title=given.text("title"),
            statement=given.text("statement"),
            solutions=tuple(Solution.from_json(each) for each in given.items("solutions")),
            tests=given.optional("tests", Tests.from_json),
            tags=tuple(tags),
            difficulty=given.text("difficulty"),
            meta=given.mapping("meta"),
            **given.origin(),
        )


@dataclass(frozen=True)
class Bug:
    """A program that is wrong, and the same program mended."""

    id: str
    statement: str
    """what the program is meant to do; empty if the source does not say"""
    buggy: str
    fixed: str
    kind: str = ""
    """of the error, as the source names it"""
    explanation: str = ""
    tests: Tests | None = None
    language: str = ""
    source: str = ""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "statement": self.statement,
            "buggy": self.buggy,
            "fixed": self.fixed,
            "kind": self.kind,
            "explanation": self.explanation,
            "tests": None if self.tests is None else self.tests.to_json(),
            "language": self.language,
            "source": self.source,
            "licence": self.licence,
            "meta": dict(self.meta),
        }

    @classmethod
    def from_json(cls, row: Any) -> Bug:
        """Validate one row.

        Raises:
            InputError: naming the field that is missing, empty or of a wrong type.
        """
        given = Fields(row, "a bug")
        return cls(
            id=given.text("id", required=True),
            statement=given.text("statement"),
            buggy=given.text("buggy", required=True),
            fixed=given.text("fixed", required=True),
            kind=given.text("kind"),
            explanation=given.text("explanation"),
            tests=given.optional("tests", Tests.from_json),
            meta=given.mapping("meta"),
            **given.origin(),
        )


class Fields:
    """The fields of one object, each checked when it is asked for.

    Args:
        row: the object.
        what: it is to be, with its article, for the sentence that says what is wrong with it.

    Raises:
        InputError: if it is no object.
    """

    def __init__(self, row: Any, what: str) -> None:
        if not isinstance(row, Mapping):
            raise InputError(f"{what} must be an object, not {kind_of(row)}")
        self._row, self._what = row, what

    def text(self, name: str, *, required: bool = False) -> str:
        """Return a text; the empty one where the field is not there or null, unless it is required."""
        value = self._row.get(name)
        if value is None:
            if required:
                raise InputError(f"{self._what} lacks {name}")
            return ""
        if not isinstance(value, str):
            raise InputError(f"{name} of {self._what} must be text, not {kind_of(value)}")
        if required and not value.strip():
            raise InputError(f"{name} of {self._what} is empty")
        return value

    def items(self, name: str) -> list[Any]:
        value = self._row.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise InputError(f"{name} of {self._what} must be a list, not {kind_of(value)}")
        return list(value)

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._row.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise InputError(f"{name} of {self._what} must be an object, not {kind_of(value)}")
        return dict(value)

    def optional(self, name: str, read: Callable[[Any], T]) -> T | None:
        value = self._row.get(name)
        return None if value is None else read(value)

    def origin(self) -> dict[str, str]:
        """Return the fields that every row has about where it is from."""
        return {name: self.text(name) for name in ("language", "source", "licence")}


def kind_of(value: Any) -> str:
    """Name a JSON value's type in plain words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "an object"

"""What stages hand to each other, one JSON object a line: queries, problems and bugs. Dialogs are in ``dialog``.

Each is a dataclass whose fields, in their order, are the keys of its JSON form. Every ``from_json`` validates, and
raises an ``InputError`` that says what is wrong with which field; whoever reads the file adds file and line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar

from opencodeinterpreter.codefeedback.fields import Fields
from opencodeinterpreter.errors import InputError

R = TypeVar("R", bound="TypedRow")
Read = Callable[[Fields, str], Any]
"""reads the field of that name"""


@dataclass(frozen=True)
class TypedRow:
    """One object with its JSON form. A field is a text that may be missing, unless its metadata say how it is read."""

    what: ClassVar[str]
    """it is, with its article, for the sentence that says what is wrong with it"""

    def to_json(self) -> dict[str, Any]:
        return {each.name: _plain(getattr(self, each.name)) for each in dataclasses.fields(self)}

    @classmethod
    def from_json(cls: type[R], row: Any) -> R:
        """Validate one row.

        Raises:
            InputError: naming the field that is missing, empty or of a wrong type.
        """
        given = Fields(row, cls.what)
        values = {
            each.name: each.metadata.get("read", Fields.text)(given, each.name) for each in dataclasses.fields(cls)
        }
        return cls(**values)


def _plain(value: Any) -> Any:
    if isinstance(value, TypedRow):
        return value.to_json()
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return dict(value) if isinstance(value, Mapping) else value


def _required(given: Fields, name: str) -> str:
    return given.text(name, required=True)


def _tags(given: Fields, name: str) -> tuple[str, ...]:
    tags = given.items(name)
    if not all(isinstance(tag, str) for tag in tags):
        raise InputError(f"{given.what}'s tags must be texts")
    return tuple(tags)


def _cases(given: Fields, name: str) -> tuple[tuple[str, str], ...]:
    cases = []
    for case in given.items(name):
        if not isinstance(case, list | tuple) or len(case) != 2 or not all(isinstance(text, str) for text in case):
            raise InputError("each of a row's test cases must be two texts: the input and the output expected")
        cases.append((case[0], case[1]))
    return tuple(cases)


def _solutions(given: Fields, name: str) -> tuple[Solution, ...]:
    return tuple(Solution.from_json(each) for each in given.items(name))


def _tests(given: Fields, name: str) -> Tests | None:
    return given.optional(name, Tests.from_json)


_REQUIRED: Mapping[str, Read] = {"read": _required}
_META: Mapping[str, Read] = {"read": Fields.mapping}


@dataclass(frozen=True)
class Query(TypedRow):
    """Something that a person asked, with the reply that the source has."""

    what = "a query"

    id: str = field(metadata=_REQUIRED)
    query: str = field(metadata=_REQUIRED)
    answer: str = ""
    """empty if the source has none"""
    language: str = ""
    """the programming language, as ``languages`` names it; empty if unknown"""
    source: str = ""
    """the data set it is from"""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False, metadata=_META)


@dataclass(frozen=True)
class Solution(TypedRow):
    """One program that solves a problem."""

    what = "a solution"

    code: str = field(metadata=_REQUIRED)
    language: str = ""
    time: str = ""
    """its complexity, as the source writes it: ``O(n log n)``"""
    space: str = ""
    text: str = ""
    """the whole reply, where the source has one"""
    note: str = ""


@dataclass(frozen=True)
class Tests(TypedRow):
    """How a solution is checked: by a program below it, or by what it prints for given input."""

    __test__ = False  # for pytest, which collects classes of this name
    what = "a row's tests"

    program: str = ""
    """text to be appended below the solution; the whole exits with an error if the solution is wrong"""
    entry_point: str = ""
    """how the program calls the solution: ``Solution().twoSum``"""
    cases: tuple[tuple[str, str], ...] = field(default=(), metadata={"read": _cases})
    """standard input and the standard output expected for it, where there is no program"""

    @classmethod
    def from_json(cls, row: Any) -> Tests:
        """Validate the tests of a problem or bug.

        Raises:
            InputError: if there is neither a program nor a case, or one of them is no text.
        """
        tests = super().from_json(row)
        if not tests.program and not tests.cases:
            raise InputError("a row's tests have neither a program nor cases")
        return tests


@dataclass(frozen=True)
class Problem(TypedRow):
    """A task with solutions, and tests where the source has some."""

    what = "a problem"

    id: str = field(metadata=_REQUIRED)
    title: str
    statement: str
    """empty where the source has none"""
    solutions: tuple[Solution, ...] = field(default=(), metadata={"read": _solutions})
    tests: Tests | None = field(default=None, metadata={"read": _tests})
    language: str = ""
    tags: tuple[str, ...] = field(default=(), metadata={"read": _tags})
    difficulty: str = ""
    source: str = ""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False, metadata=_META)


@dataclass(frozen=True)
class Bug(TypedRow):
    """A program that is wrong, and the same program mended."""

    what = "a bug"

    id: str = field(metadata=_REQUIRED)
    statement: str
    """what the program is meant to do; empty if the source does not say"""
    buggy: str = field(metadata=_REQUIRED)
    fixed: str = field(metadata=_REQUIRED)
    kind: str = ""
    """of the error, as the source names it"""
    explanation: str = ""
    tests: Tests | None = field(default=None, metadata={"read": _tests})
    language: str = ""
    source: str = ""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False, metadata=_META)

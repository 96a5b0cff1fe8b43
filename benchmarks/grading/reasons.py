"""Why two graders differ on a program, as far as a rule can tell; ``docs/evaluation/grading.md`` has the rules."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks.grading.evalplus import LOST, Theirs
from benchmarks.grading.programs import Program
from opencodeinterpreter.evaluation.parsing import UNREADABLE, parse
from opencodeinterpreter.evaluation.verdicts import Grade, SuiteResult, Verdict

UNEXPLAINED = "not explained"
_TAKEN_AWAY = frozenset(
    {"open", "exit", "quit", "help", "os", "shutil", "subprocess", "resource", "psutil", "joblib", "tkinter"}
)
"""What EvalPlus sets to None, and modules of which it does so with parts."""
_BY_NAME = frozenset({"__name__", "pickle", "dataclasses", "NamedTuple", "Enum"})
_CHANCE = frozenset({"random", "secrets", "uuid", "time", "datetime", "hash", "id"})
_LONG = 3900
"""Characters from which on a shown value was cut."""


@dataclass(frozen=True)
class Difference:
    """A program that one grader lets pass and the other does not."""

    program: Program
    suite: str
    """The first on which they differ: ``base``, or ``plus``, which for both passes only if base does."""
    ours: Grade
    theirs: Theirs
    again: tuple[Theirs, ...] = ()
    """EvalPlus's verdicts when it was asked about this program alone."""
    apart: Verdict | None = None
    """Ours on the plus inputs in a process of their own."""

    @property
    def result(self) -> SuiteResult:
        """Return ours on the suite."""
        return self.ours.base if self.suite == "base" else self.ours.plus

    @property
    def their_verdict(self) -> str:
        return self.theirs.base if self.suite == "base" else self.theirs.plus

    @property
    def names(self) -> frozenset[str]:
        """Return every name in the program, and the modules it imports; attributes are none: ``text.replace``."""
        tree = parse(self.program.code)
        return frozenset() if isinstance(tree, SyntaxError) else _names(tree)


def differs(program: Program, ours: Grade, theirs: Theirs) -> Difference | None:
    base, plus = theirs.passes
    if ours.base.passed != base:
        return Difference(program, "base", ours, theirs)
    return Difference(program, "plus", ours, theirs) if ours.plus.passed != plus else None


def reason(difference: Difference) -> str:
    """Return the first reason that a rule finds, or ``UNEXPLAINED``."""
    for holds, text in (*_EITHER, *(_OURS_PASSES if difference.result.passed else _THEIRS_PASSES), *_REST):
        if holds(difference):
            return text
    return UNEXPLAINED


def _another_when_asked_again(difference: Difference) -> bool:
    at = 0 if difference.suite == "base" else 1
    return any(again.passes[at] == difference.result.passed for again in difference.again)


def _agrees_apart(difference: Difference) -> bool:
    if difference.suite == "base" or difference.apart is None:
        return False
    return (difference.apart is Verdict.PASS) == (difference.theirs.plus == "pass")


def _uses(names: frozenset[str]) -> Callable[[Difference], bool]:
    return lambda difference: bool(difference.names & names)


def _ours_is(verdict: Verdict) -> Callable[[Difference], bool]:
    return lambda difference: difference.result.verdict is verdict


def _actual(difference: Difference) -> str:
    return difference.result.failure.actual if difference.result.failure else ""


def _other_shape(difference: Difference) -> bool:
    failure = difference.result.failure
    if failure is None:
        return False
    try:
        return bool(_shape(ast.literal_eval(failure.actual)) != _shape(ast.literal_eval(failure.expected)))
    except UNREADABLE:
        return False


def _deep_recursion(difference: Difference) -> bool:
    failure = difference.result.failure
    return failure is not None and "RecursionError" in failure.error


_Rule = tuple[Callable[[Difference], bool], str]
_EITHER: tuple[_Rule, ...] = (
    (_ours_is(Verdict.HARNESS), "ours could not do its work; nothing is said of the program"),
    (lambda difference: difference.their_verdict == LOST, "EvalPlus ended without a result"),
    (
        lambda difference: difference.program.problem.entry_point == "find_zero",
        "HumanEval/32: EvalPlus does not count right answers",
    ),
    (_another_when_asked_again, "EvalPlus gives another verdict when asked again (wall clock, order of sets, chance)"),
    (_agrees_apart, "state between base and plus inputs"),
)
_OURS_PASSES: tuple[_Rule, ...] = (
    (lambda difference: "sleep(" in difference.program.code, "sleeping counts as time in EvalPlus"),
    (_uses(_TAKEN_AWAY), "EvalPlus takes away what the program uses"),
    (_uses(_BY_NAME), "`__name__` is another one"),
    (lambda difference: difference.their_verdict == "timeout", "time: EvalPlus counts the wall clock"),
)
_THEIRS_PASSES: tuple[_Rule, ...] = (
    (_ours_is(Verdict.TIMEOUT), "time: CPU seconds here, the wall clock in EvalPlus"),
    (_ours_is(Verdict.MEMORY), "memory: 2 GB over all processes here, 4 GB a process in EvalPlus"),
    (lambda difference: "too large to be shown" in _actual(difference), "a large answer, compared by its digest"),
    (lambda difference: _actual(difference).startswith("<"), "an object or an array, which is no data"),
    (
        lambda difference: _actual(difference).startswith(("{", "[{")) and len(_actual(difference)) > _LONG,
        "a set or dict of very many items",
    ),
    (_other_shape, "lists of another shape, which NumPy stretches"),
)
_REST: tuple[_Rule, ...] = (
    (_deep_recursion, "the depth of recursion that the harness leaves"),
    (_uses(_CHANCE), "random numbers or the clock"),
)


def _names(tree: ast.AST) -> frozenset[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.update(node.name.split("."))
        elif isinstance(node, ast.ImportFrom):
            found.update((node.module or "").split("."))
    return frozenset(found)


def _shape(value: Any) -> Any:
    return [_shape(item) for item in value] if isinstance(value, list | tuple) else None

"""What grading one solution gives."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a solution fared on one suite of inputs."""

    PASS = "pass"  # noqa: S105 (no password)
    WRONG = "wrong answer"
    ERROR = "error"
    TIMEOUT = "timeout"
    MEMORY = "memory"
    NO_CODE = "no code"
    HARNESS = "harness error"
    """The grader could not do its work: never counted as a failure of the model."""


@dataclass(frozen=True)
class Failure:
    """The first input on which a solution failed. Texts are Python literals where there are such, and are cut."""

    index: int
    """which input of its suite, from 0; -1: the program failed before the first call"""
    input: str
    """the arguments, as written in a call"""
    expected: str
    """what the reference solution gives; empty if the verdict is none of a comparison"""
    actual: str
    """what the solution gave; empty if it gave nothing"""
    error: str
    """its traceback, cut to the solution's own frames; empty if it raised nothing"""


@dataclass(frozen=True)
class SuiteResult:
    """How a solution fared on the base or the plus inputs of a problem."""

    verdict: Verdict
    failure: Failure | None
    cpu_seconds: float

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASS


@dataclass(frozen=True)
class Grade:
    """Both suites, from one run of one solution. ``plus`` passes only if ``base`` does, as in EvalPlus."""

    base: SuiteResult
    plus: SuiteResult

"""What can be seen of code without the hidden tests: runs on visible examples and on inputs of unknown output."""

from __future__ import annotations

import re
import time
import typing
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.grading import CallOutcome, ExampleOutcome
from opencodeinterpreter.evaluation.grading.running import HarnessError
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.prompts import TIMED_OUT, cut, raised
from opencodeinterpreter.evaluation.verdicts import Grade, Verdict

_CALL_CHARACTERS = 300
_PAUSES = (0.5, 5.0)
_LOADED = "ocint_loaded"
_Outcome = TypeVar("_Outcome", CallOutcome, ExampleOutcome)


class Grading(typing.Protocol):
    """What protocols and the runner use of the grader; threads may share one."""

    def grade(self, problem: Problem, code: str) -> Grade: ...

    def run(self, code: str, entry_point: str, inputs: Sequence[tuple[Any, ...]]) -> Sequence[CallOutcome]: ...

    def run_examples(self, problem: Problem, code: str) -> Sequence[ExampleOutcome]: ...


@dataclass(frozen=True)
class Observation:
    """What one call did. Texts are Python literals where there are such."""

    call: str
    actual: str = ""
    """what it gave; empty if it gave nothing"""
    expected: str = ""
    """what the prompt says that it gives; empty where it says nothing"""
    error: str = ""
    """its traceback, or what else ended it"""
    timed_out: bool = False
    right: bool | None = None
    """None where nobody knows"""

    @property
    def failed(self) -> bool:
        """Hold for a call that ended by itself in an error, a limit or a timeout."""
        return self.timed_out or bool(self.error)


def failed_by_itself(seen: Observation) -> str:
    """Return what the model is told of a call that failed, in the published wording where there is one."""
    call = seen.call if len(seen.call) <= _CALL_CHARACTERS else seen.call[: _CALL_CHARACTERS - 1] + "…"
    return cut(raised(call, TIMED_OUT if seen.timed_out else seen.error))


def own_outputs(grader: Grading, problem: Problem, code: str) -> list[str]:
    """Return for each example that the prompt shows the call, and what code gives for it."""
    return [f"{seen.call} {seen.actual}" for seen in on_examples(grader, problem, code) if seen.actual]


def on_examples(grader: Grading, problem: Problem, code: str) -> list[Observation]:
    """Run code on the examples that the prompt shows.

    An example whose own output cannot be worked out (prose that looks like code) tells nothing, and is left out.
    """
    if not problem.examples:
        return []
    outcomes = _kept_up(lambda: grader.run_examples(problem, code))
    return [
        Observation(
            call=outcome.example.call,
            actual=outcome.actual,
            expected=outcome.example.expected,
            error=_error(outcome.verdict, outcome.error),
            timed_out=outcome.verdict is Verdict.TIMEOUT,
            right=outcome.passed,
        )
        for outcome in outcomes
        if outcome.verdict is not Verdict.HARNESS
    ]


def on_inputs(grader: Grading, problem: Problem, code: str, inputs: Sequence[tuple[Any, ...]]) -> list[Observation]:
    """Run code on inputs of which nobody knows the right outputs."""
    if not inputs:
        return []
    outcomes = _kept_up(lambda: grader.run(code, problem.entry_point, inputs))
    return [
        Observation(
            call=f"{problem.entry_point}({', '.join(map(repr, given))})",
            actual=outcome.text,
            error=_error(outcome.verdict, outcome.error),
            timed_out=outcome.verdict is Verdict.TIMEOUT,
        )
        for given, outcome in zip(inputs, outcomes, strict=True)
    ]


def on_loading(grader: Grading, code: str) -> list[Observation]:
    """Run code that nothing is called of."""
    [outcome] = _kept_up(lambda: grader.run(f"{code}\n\n\ndef {_LOADED}():\n    return None\n", _LOADED, [()]))
    error = _error(outcome.verdict, outcome.error)
    return [Observation("import", error=error, timed_out=outcome.verdict is Verdict.TIMEOUT)]


def expected_outputs(grader: Grading, problem: Problem, inputs: Sequence[tuple[Any, ...]]) -> list[str | None]:
    """Return what the reference solution gives, as Python text; None where it gives nothing."""
    outcomes = _kept_up(lambda: grader.run(problem.reference, problem.entry_point, inputs))
    return [outcome.text if outcome.returned else None for outcome in outcomes]


def _error(verdict: Verdict, error: str) -> str:
    if verdict in (Verdict.PASS, Verdict.WRONG, Verdict.TIMEOUT):
        return ""
    return published_traceback(error) if error else str(verdict)


def published_traceback(error: str) -> str:
    """Return a traceback as the original shows it: from the first frame of the solution, which it calls <string>."""
    start = error.find('File "')
    return re.sub(r'File "[^"]*"', 'File "<string>"', error[start:] if start >= 0 else error)


def _kept_up(run: Callable[[], Sequence[_Outcome]]) -> Sequence[_Outcome]:
    """Run, and again where the grader itself failed: a protocol cannot go on without an observation.

    Raises:
        EvaluationError: if it keeps failing.
    """
    for pause in (*_PAUSES, None):
        try:
            return run()
        except HarnessError as error:
            if pause is None:
                raise EvaluationError(f"the grader cannot run code: {error}") from error
            time.sleep(pause)
    raise AssertionError

"""Calls of a program for which there is nothing hidden to compare with: visible examples, inputs a model wrote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from opencodeinterpreter.evaluation.grading.channel import Frame
from opencodeinterpreter.evaluation.grading.compare import Comparer
from opencodeinterpreter.evaluation.grading.endings import ending_verdict, read_error
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.grading.running import End, Job, OnAnswer
from opencodeinterpreter.evaluation.grading.values import NotAValueError, Value, as_text, decode_value, encode_input
from opencodeinterpreter.evaluation.problems import Example, Problem
from opencodeinterpreter.evaluation.verdicts import Verdict

_CHARACTERS = 4000
_MOST_ENDS = 3
"""How many calls may end a program before the rest is given up: each may take seconds."""


@dataclass(frozen=True)
class CallOutcome:
    """What one call gave."""

    verdict: Verdict
    """PASS: it returned; otherwise what kept it from returning."""
    payload: str | None
    """The value in the grader's encoding: equal texts are equal values, and a good key to group by."""
    text: str
    """The value as it is written in a program, cut; empty if there is none."""
    error: str
    """The traceback, or what ended the program; empty if it returned."""
    cpu_seconds: float

    @property
    def returned(self) -> bool:
        return self.verdict is Verdict.PASS

    @property
    def value(self) -> Value | None:
        """Return the value rebuilt from plain types, None if there is none."""
        return None if self.payload is None else decode_value(self.payload.encode("ascii"))


@dataclass(frozen=True)
class ExampleOutcome:
    """How a program fared on one example that the prompt shows."""

    example: Example
    verdict: Verdict
    actual: str
    """What it gave; empty if it gave nothing."""
    error: str

    @property
    def passed(self) -> bool:
        return self.verdict is Verdict.PASS


def wanted_of(example: Example) -> bytes | str:
    """Return what is to be called for an example: its arguments where they are plain, else its text."""
    return example.call if example.inputs is None else encode_input(example.inputs)


def run_calls(
    run: Callable[[Job, OnAnswer], End],
    limits: GradingLimits,
    code: str,
    entry_point: str | None,
    wanted: Sequence[bytes | str],
) -> list[CallOutcome]:
    """Call a program with each input, starting it again after an input that ended it."""
    outcomes: list[CallOutcome] = []
    ends = 0

    def collect(frame: Frame) -> bool:
        outcomes.append(_outcome(frame))
        return True

    while len(outcomes) < len(wanted):
        rest = wanted[len(outcomes) :]
        seconds = [limits.least_cpu_seconds] * len(rest)
        end = run(Job(code, entry_point, rest, seconds, limits.suite_cpu_seconds), collect)
        if end.ending == "complete":
            break
        verdict, text = ending_verdict(end)
        ends += 1
        failed = CallOutcome(verdict, None, "", text, end.cpu_seconds)
        # What fails before the first call fails for every input.
        hopeless = not end.loaded or ends == _MOST_ENDS
        outcomes += [failed] * (len(wanted) - len(outcomes) if hopeless else 1)
    return outcomes


def _outcome(frame: Frame) -> CallOutcome:
    if frame.kind == "e":
        text, memory = read_error(frame.payload)
        return CallOutcome(Verdict.MEMORY if memory else Verdict.ERROR, None, "", text, frame.cpu_seconds)
    try:
        value = decode_value(frame.payload)
    except NotAValueError as error:
        return CallOutcome(Verdict.ERROR, None, "", str(error), frame.cpu_seconds)
    return CallOutcome(
        Verdict.PASS, frame.payload.decode("ascii"), as_text(value.plain, _CHARACTERS), "", frame.cpu_seconds
    )


def compare_example(problem: Problem, example: Example, outcome: CallOutcome, expected: CallOutcome) -> ExampleOutcome:
    """Compare what a program gave for an example with what the prompt says, by the rules of its problem."""
    if outcome.payload is None:
        return ExampleOutcome(example, outcome.verdict, "", outcome.error)
    if expected.payload is None:
        return ExampleOutcome(example, Verdict.HARNESS, outcome.text, f"the example's output: {expected.error}")
    comparer = Comparer(problem, [example.inputs], [expected.payload])
    right = comparer.equal(0, outcome.payload)
    return ExampleOutcome(example, Verdict.PASS if right else Verdict.WRONG, outcome.text, "")

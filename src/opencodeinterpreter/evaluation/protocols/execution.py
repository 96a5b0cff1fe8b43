"""``execution`` (L5): the published protocol. The first failing hidden test is shown, and one refinement is made.

The second try is made only where the hidden tests failed, so the score cannot fall, and what it measures is no
interpreter in use: reports keep it apart from the honest protocols.
"""

from __future__ import annotations

from dataclasses import replace

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.observing import published_traceback
from opencodeinterpreter.evaluation.protocols.prompts import (
    TIMED_OUT,
    cut,
    missing_function,
    wrong_answer,
)
from opencodeinterpreter.evaluation.protocols.refining import Look, refine
from opencodeinterpreter.evaluation.protocols.runtime import REFINING
from opencodeinterpreter.evaluation.records import Attempt
from opencodeinterpreter.evaluation.verdicts import Grade, SuiteResult, Verdict


class Execution:
    """Execution feedback as published (arXiv 2402.14658): wording, 500 characters a suite, the first failing test."""

    name = "execution"
    leakage = "L5"
    honest = False
    synthesizes = False
    settings = REFINING | {"gate"}

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        def look(attempt: Attempt) -> Look:
            seen = HiddenLook(problem, solving, attempt)
            if seen.text is None:
                return Look(None, seen.score, grade=seen.grade)
            return Look(solving.feedback(seen.text), seen.score, grade=seen.grade)

        return refine(problem, solving, solving.first(problem), look)


class HiddenLook:
    """What the hidden tests show of an attempt."""

    def __init__(self, problem: Problem, solving: Solving, attempt: Attempt) -> None:
        self.grade = solving.grade(problem, attempt.code)
        base, plus = self.grade.base, self.grade.plus
        gate = solving.settings.gate
        self.score = (int(plus.passed), int(base.passed)) if gate == "plus" else (int(base.passed),)
        self.text: str | None = None
        """the published feedback; None: all passed, or the grader could not do its work, which is no failure"""
        passed = base.passed and (gate == "base" or plus.passed)
        if not passed and Verdict.HARNESS not in (base.verdict, plus.verdict):
            text = hidden_text(problem, attempt, self.grade)
            if gate == "plus" and base.verdict is Verdict.WRONG and attempt.has_entry_point and problem.plus_inputs:
                # As the original does: the first failing test of both suites, each on its own.
                alone = replace(problem, base_inputs=problem.plus_inputs, plus_inputs=())
                more = solving.grade(alone, attempt.code).base
                if more.verdict not in (Verdict.PASS, Verdict.HARNESS):
                    text += "\n" + _suite_text(more)
            self.text = text


def hidden_text(problem: Problem, attempt: Attempt, grade: Grade) -> str:
    """Return the published feedback on the first hidden test that a solution fails."""
    if not attempt.has_entry_point:
        return missing_function(problem.entry_point)
    return _suite_text(grade.plus if grade.base.passed else grade.base)


def _suite_text(result: SuiteResult) -> str:
    failure = result.failure
    if result.verdict is Verdict.TIMEOUT or failure is None:
        return TIMED_OUT if result.verdict is Verdict.TIMEOUT else str(result.verdict)
    if result.verdict is Verdict.WRONG:
        return cut(wrong_answer(failure.input, failure.expected, failure.actual))
    if result.verdict is Verdict.MEMORY:
        return cut(failure.error or "MemoryError")
    return cut(published_traceback(failure.error))

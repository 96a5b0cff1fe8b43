"""``visible`` (L2): the model is told the results on the examples that the prompt itself shows, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.observing import Observation, failed_by_itself
from opencodeinterpreter.evaluation.protocols.prompts import cut, missing_function
from opencodeinterpreter.evaluation.protocols.refining import Look, refine
from opencodeinterpreter.evaluation.protocols.runtime import REFINING
from opencodeinterpreter.evaluation.records import Attempt


class Visible:
    """Code that passes all visible examples is left alone; a refinement counts if it passes more of them."""

    name = "visible"
    leakage = "L2"
    honest = True
    synthesizes = False
    settings = REFINING

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        return refine(problem, solving, solving.first(problem), VisibleLook(problem, solving))


class VisibleLook:
    """Looks at an attempt through the visible examples of a problem; one without any has nothing to say."""

    def __init__(self, problem: Problem, solving: Solving) -> None:
        self._problem, self._solving = problem, solving

    def __call__(self, attempt: Attempt) -> Look:
        seen = self.observations(attempt)
        text = visible_text(self._problem, attempt, seen)
        feedback = None if text is None else self._solving.feedback(text)
        return Look(feedback, visible_score(attempt, seen), visible_notes(seen))

    def observations(self, attempt: Attempt) -> list[Observation]:
        if not attempt.has_entry_point:
            return []
        return self._solving.on_examples(self._problem, attempt.code)


def visible_text(problem: Problem, attempt: Attempt, seen: Sequence[Observation]) -> str | None:
    """Say what the visible examples show of an attempt, in the words of the published feedback; None: no fault."""
    if not attempt.has_entry_point:
        return missing_function(problem.entry_point)
    wrong = [each for each in seen if not each.right]
    if not wrong:
        return None
    first = wrong[0]
    if first.failed:
        return failed_by_itself(first)
    return cut(
        f"The results aren't as expected.\nInput: {first.call}\n"
        f"Expected Output: {first.expected}\nActual Output: {first.actual}"
    )


def visible_score(attempt: Attempt, seen: Sequence[Observation]) -> tuple[int, ...]:
    """Rank attempts: by examples passed, then by examples that at least ran."""
    if not attempt.has_entry_point:
        return (0, 0)
    return (1 + sum(bool(each.right) for each in seen), sum(not each.failed for each in seen))


def visible_notes(seen: Sequence[Observation]) -> dict[str, int]:
    """Return what is kept of the visible examples."""
    return {"examples": len(seen), "examples passed": sum(bool(each.right) for each in seen)}

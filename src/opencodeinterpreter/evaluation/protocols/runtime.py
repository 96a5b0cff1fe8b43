"""``runtime`` (L1): the model is told of errors and timeouts, never whether an output is right."""

from __future__ import annotations

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.observing import failed_by_itself
from opencodeinterpreter.evaluation.protocols.prompts import missing_function
from opencodeinterpreter.evaluation.protocols.refining import Look, refine
from opencodeinterpreter.evaluation.records import Attempt

REFINING = frozenset({"prompt", "rounds", "flattened", "refine", "refine_temperature", "candidates", "again"})


class Runtime:
    """The code is loaded, and called with the inputs of the examples that the prompt shows."""

    name = "runtime"
    leakage = "L1"
    honest = True
    synthesizes = False
    settings = REFINING

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        def look(attempt: Attempt) -> Look:
            if not attempt.has_entry_point:
                return Look(solving.feedback(missing_function(problem.entry_point)), (0,))
            # Of the outcomes only the failures are looked at; what is right is not known here.
            seen = solving.on_examples(problem, attempt.code) or solving.on_loading(attempt.code)
            failed = [each for each in seen if each.failed]
            notes = {"calls": len(seen), "failed calls": len(failed)}
            if not failed:
                return Look(None, (1 + len(seen),), notes)
            return Look(solving.feedback(failed_by_itself(failed[0])), (1 + len(seen) - len(failed),), notes)

        return refine(problem, solving, solving.first(problem), look)

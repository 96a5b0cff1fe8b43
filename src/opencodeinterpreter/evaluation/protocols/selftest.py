"""``selftest`` (L3): the model writes inputs, its code runs on them, and it is told of calls that failed.

Inputs, not verdicts: small models write valid inputs nearly always and right outputs often not, and feedback from
wrong outputs makes right code wrong (arXiv 2501.12793).
"""

from __future__ import annotations

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.inputs import Input, written_inputs
from opencodeinterpreter.evaluation.protocols.observing import failed_by_itself
from opencodeinterpreter.evaluation.protocols.prompts import inputs_wanted, missing_function
from opencodeinterpreter.evaluation.protocols.refining import Look, refine
from opencodeinterpreter.evaluation.protocols.runtime import REFINING
from opencodeinterpreter.evaluation.records import Attempt

_NOTE = "\nIf the problem's text allows this input, the code must handle it; if it does not, leave that as it is."


class Selftest:
    """Inputs are written once, before the first look, and the same ones for every attempt."""

    name = "selftest"
    leakage = "L3"
    honest = True
    synthesizes = False
    settings = REFINING | {"inputs"}

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        first = solving.first(problem)
        inputs = own_inputs(problem, solving)

        def look(attempt: Attempt) -> Look:
            if not attempt.has_entry_point:
                return Look(solving.feedback(missing_function(problem.entry_point)), (0,))
            seen = solving.on_inputs(problem, attempt.code, inputs)
            failed = [each for each in seen if each.failed]
            notes = {"inputs": len(inputs), "failed inputs": len(failed)}
            score = (1 + len(seen) - len(failed),)
            if not failed:
                return Look(None, score, notes)
            return Look(solving.feedback(failed_by_itself(failed[0]) + _NOTE), score, notes)

        return refine(problem, solving, first, look)


def own_inputs(problem: Problem, solving: Solving) -> list[Input]:
    """Ask the model for inputs and return those that can be used."""
    count = solving.settings.inputs
    reply = solving.aside("inputs", inputs_wanted(problem, count))
    return written_inputs(reply.text, problem, 2 * count)

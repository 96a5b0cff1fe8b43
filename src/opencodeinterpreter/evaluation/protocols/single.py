"""``single`` (L0): one answer, no feedback."""

from __future__ import annotations

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving


class Single:
    """The first answer is the last."""

    name = "single"
    leakage = "L0"
    honest = True
    synthesizes = False
    settings = frozenset({"prompt"})

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        return Outcome((solving.first(problem),), 0)

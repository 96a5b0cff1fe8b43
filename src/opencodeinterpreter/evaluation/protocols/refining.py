"""The one loop of all protocols with feedback: look at the code, say what was seen, take the next code."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.prompts import following
from opencodeinterpreter.evaluation.records import Attempt
from opencodeinterpreter.evaluation.verdicts import Grade

DRAWN_TEMPERATURE = 0.8
"""of the candidates of a round after its first"""
_AGAIN_TEMPERATURES = (0.7, 1.0, 1.2)
_DRAWS_APART = 100


@dataclass(frozen=True)
class Look:
    """What a protocol saw of an attempt."""

    feedback: str | None
    """what the model is told; None: there is nothing to refine"""
    score: tuple[int, ...]
    """by which attempts are compared; the attempt that is handed over is the first of the highest"""
    notes: dict[str, Any] = field(default_factory=dict)
    grade: Grade | None = None
    """where the protocol has seen one"""


Looker = Callable[[Attempt], Look]


def refine(problem: Problem, solving: Solving, first: Attempt, look: Looker, *, kind: str = "refinement") -> Outcome:
    """Refine an attempt until nothing is left to say of it or the rounds are spent.

    Of several candidates of a round the dialog goes on from the best. Code that was there before is no refinement: it
    is asked for again at higher temperatures and, if it stays the same, not accepted.

    Args:
        problem: that is being solved.
        solving: asks the model.
        first: the attempt to begin with; its round counts as round 0.
        look: looks at an attempt. It is the only thing in which protocols with feedback differ.
        kind: what the new attempts are called.
    """
    loop = _Loop(problem, solving, look, kind)
    loop.add(first)
    standing = [loop.best]
    for number in range(1, solving.settings.rounds):
        if not loop.round(number):
            break
        standing.append(loop.best)
    return Outcome(tuple(loop.attempts), loop.best, tuple(standing))


class _Loop:
    def __init__(self, problem: Problem, solving: Solving, look: Looker, kind: str) -> None:
        self._problem, self._solving, self._look, self._kind = problem, solving, look, kind
        self.attempts: list[Attempt] = []
        self.looks: list[Look] = []
        self.current = self.best = 0
        self._seen: set[str] = set()

    def add(self, attempt: Attempt) -> int:
        """Look at an attempt, keep it, and return its index."""
        seen = self._look(attempt)
        self.attempts.append(replace(attempt, grade=seen.grade, notes={**attempt.notes, **seen.notes}))
        self.looks.append(seen)
        self._seen.add(bare(attempt.code))
        index = len(self.attempts) - 1
        if seen.score > self.looks[self.best].score:
            self.best = index
        return index

    def round(self, number: int) -> bool:
        """Make one round of refinement; false if there was nothing to do or nothing new came."""
        feedback = self.looks[self.current].feedback
        if feedback is None:
            return False
        settings = self._solving.settings
        before = self.attempts[self.current]
        messages = following(
            before.messages, before.reply, feedback, flattened=settings.flattened, refine=self._solving.refine
        )
        fresh: list[int] = []
        for candidate in range(settings.candidates):
            temperature = settings.refine_temperature
            if candidate:
                temperature = max(temperature or 0.0, DRAWN_TEMPERATURE)
            index = self._candidate(messages, number, candidate, temperature)
            if index is None:
                continue
            fresh.append(index)
            if self.looks[index].feedback is None:
                break
        if fresh:
            self.current = max(fresh, key=lambda index: self.looks[index].score)
        return bool(fresh)

    def _candidate(self, messages: Any, number: int, candidate: int, temperature: float | None) -> int | None:
        """Ask for one candidate, and again where it is no new code; None if it never is."""
        again = self._solving.settings.again
        for turn in range(again + 1):
            if turn:
                temperature = _AGAIN_TEMPERATURES[min(turn, len(_AGAIN_TEMPERATURES)) - 1]
            attempt = self._solving.attempt(
                self._problem,
                messages,
                round_=number,
                kind=self._kind,
                draw=candidate + _DRAWS_APART * turn,
                temperature=temperature,
            )
            if not again or (attempt.code and bare(attempt.code) not in self._seen):
                return self.add(attempt)
            # Kept, for it cost something, but out of the race.
            self.attempts.append(replace(attempt, kind="repetition"))
            self.looks.append(Look(None, (-1,)))
        return None


def bare(code: str) -> str:
    """Return code without what does not run, so that the same program reads the same."""
    try:
        return ast.unparse(ast.parse(code))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return "\n".join(line.rstrip() for line in code.strip().splitlines())

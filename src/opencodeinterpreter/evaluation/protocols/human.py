"""Synthesized human feedback: ``human`` (L6), ``human-visible`` (L6, honest) and ``oracle`` (L7).

Any chat model plays the person, who sees the problem, the code and the result of its execution, and writes at most
three sentences and no code. Only these reach the model that solves the problem.
"""

from __future__ import annotations

import ast
import re

from opencodeinterpreter.evaluation.parsing import parse
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.execution import HiddenLook
from opencodeinterpreter.evaluation.protocols.prompts import GuidanceRequest, guidance_messages
from opencodeinterpreter.evaluation.protocols.refining import Look, refine
from opencodeinterpreter.evaluation.protocols.runtime import REFINING
from opencodeinterpreter.evaluation.protocols.visible import VisibleLook, visible_notes, visible_score, visible_text
from opencodeinterpreter.evaluation.records import Attempt

SENTENCES = 3
_SETTINGS = REFINING - {"refine"}


class Human:
    """As published: the person sees the result of the hidden tests."""

    name = "human"
    leakage = "L6"
    honest = False
    synthesizes = True
    settings = _SETTINGS | {"gate"}
    shows_reference = False

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        def look(attempt: Attempt) -> Look:
            seen = HiddenLook(problem, solving, attempt)
            feedback = None
            if seen.text is not None:
                reference = _bare_reference(problem) if self.shows_reference else ""
                feedback = _guidance(problem, solving, attempt, seen.text, reference)
            return Look(feedback, seen.score, grade=seen.grade)

        return refine(problem, solving, solving.first(problem), look)


class Oracle(Human):
    """As published: the person also sees the reference solution, and may not reveal it."""

    name = "oracle"
    leakage = "L7"
    shows_reference = True


class HumanVisible:
    """The person sees the results on the examples that the prompt shows, as any user could."""

    name = "human-visible"
    leakage = "L6"
    honest = True
    synthesizes = True
    settings = _SETTINGS

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        through = VisibleLook(problem, solving)

        def look(attempt: Attempt) -> Look:
            seen = through.observations(attempt)
            text = visible_text(problem, attempt, seen)
            feedback = None if text is None else _guidance(problem, solving, attempt, text)
            return Look(feedback, visible_score(attempt, seen), visible_notes(seen))

        return refine(problem, solving, solving.first(problem), look)


def _guidance(problem: Problem, solving: Solving, attempt: Attempt, result: str, reference: str = "") -> str | None:
    request = GuidanceRequest(problem.prompt, attempt.code, result, reference)
    reply = solving.aside("guidance", guidance_messages(request), synthesizer=True)
    return short_guidance(reply.text) or None


def short_guidance(text: str) -> str:
    """Hold a synthesizer to its orders: no blocks or lines of code, and three sentences at most."""
    text = re.sub(r"```.*?(?:```|\Z)", "", text, flags=re.DOTALL)
    text = "\n".join(line for line in text.split("\n") if not _is_code(line.strip())).strip()
    # A sentence ends at a mark before white space: not inside 3.5, nor inside a[i].b.
    ends = [match.end(1) for match in re.finditer(r"([.!?][\"')`]*)(?=\s|\Z)", text)]
    ends = [end for end in ends if not re.search(r"(?:\b(?:e\.g|i\.e|etc)|(?:^|\n)\s*\d+)\.$", text[:end])]
    return text[: ends[SENTENCES - 1]].strip() if len(ends) >= SENTENCES else text


def _is_code(line: str) -> bool:
    """Hold for a line that is a statement, or the head of one; a word or a value alone may be part of a sentence."""
    tree = parse(f"{line} pass" if line.endswith(":") else line)
    if isinstance(tree, SyntaxError):
        return False
    # "Hint: sort" is a statement on paper.
    idle = (ast.Expr, ast.Pass)
    return any(not isinstance(it, idle) and not (isinstance(it, ast.AnnAssign) and not it.value) for it in tree.body)


def _bare_reference(problem: Problem) -> str:
    """Return the reference solution without the prompt, which the synthesizer sees anyway."""
    reference = problem.reference
    return reference[len(problem.prompt) :] if reference.startswith(problem.prompt) else reference

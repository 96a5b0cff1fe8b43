"""A tiny benchmark and a way to solve one of its problems with a scripted model."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.grading import CallOutcome, ExampleOutcome, Grader
from opencodeinterpreter.evaluation.problems import Dataset, Example, Problem
from opencodeinterpreter.evaluation.protocols import Outcome, Settings, Solving, load_protocol
from opencodeinterpreter.evaluation.records import ProblemRecord
from opencodeinterpreter.models import ScriptedModel
from opencodeinterpreter.models.asking import Asker
from opencodeinterpreter.models.response_cache import ResponseCache

PROMPT = '''def double_plus(number: int, extra: int) -> int:
    """ Return twice the number, and the extra added to it.
    >>> double_plus(2, 1)
    5
    >>> double_plus(0, 7)
    7
    """
'''
BODY = "    doubled = number * 2\n    total = doubled + extra\n    return total\n"
PROBLEM = Problem(
    id="HumanEval/0",
    family="humaneval",
    prompt=PROMPT,
    entry_point="double_plus",
    reference=PROMPT + BODY,
    base_inputs=((2, 1), (31, 4)),
    plus_inputs=((10, -3), (-50, 2)),
    atol=0,
    examples=(
        Example("double_plus(2, 1)", "5", ">>> double_plus(2, 1)\n5", (2, 1)),
        Example("double_plus(0, 7)", "7", ">>> double_plus(0, 7)\n7", (0, 7)),
    ),
)
MBPP_PROMPT = '"""\nWrite a function that reverses a list.\nassert backwards([1, 2]) == [2, 1]\n"""\n'
MBPP_PROBLEM = Problem(
    id="Mbpp/2",
    family="mbpp",
    prompt=MBPP_PROMPT,
    entry_point="backwards",
    reference="def backwards(items):\n    turned = list(items)\n    turned.reverse()\n    return turned\n",
    base_inputs=(([1, 2],), ([5, 6, 7, 8, 9, 10],)),
    plus_inputs=(([],),),
    atol=0,
    examples=(Example("backwards([1, 2])", "[2, 1]", "assert backwards([1, 2]) == [2, 1]", ([1, 2],)),),
)
DATASET = Dataset("humaneval+", "v0", "0" * 64, (PROBLEM, MBPP_PROBLEM))


def fenced(code: str) -> str:
    """Return a reply with code."""
    return f"Here it is:\n```python\n{textwrap.dedent(code).strip()}\n```\nDone."


def double(expression: str) -> str:
    """Return a reply with a solution of PROBLEM that returns this expression."""
    return fenced(f"def double_plus(number, extra):\n    return {expression}")


RIGHT = double("number * 2 + extra")
WRONG = double("number + extra")
BASE_ONLY = double("abs(number) * 2 + extra")
FAILING = double("number / 0")


class RememberingGrader(Grader):
    """The real grader, which runs the same code on the same inputs once for all tests of a module."""

    def __init__(self, cache: Path) -> None:
        super().__init__(DATASET, cache=cache)
        self._runs: dict[str, list[CallOutcome]] = {}
        self._examples: dict[str, list[ExampleOutcome]] = {}

    def run(self, code: str, entry_point: str, inputs: Sequence[tuple[Any, ...]]) -> list[CallOutcome]:
        key = repr((code, entry_point, inputs))
        if key not in self._runs:
            self._runs[key] = super().run(code, entry_point, inputs)
        return self._runs[key]

    def run_examples(self, problem: Problem, code: str) -> list[ExampleOutcome]:
        key = repr((problem.id, problem.examples, code))
        if key not in self._examples:
            self._examples[key] = super().run_examples(problem, code)
        return self._examples[key]


@dataclass
class Solved:
    outcome: Outcome
    model: ScriptedModel
    record: ProblemRecord

    @property
    def feedback(self) -> str:
        """The last thing that the model was told."""
        return self.model.requests[-1][-1].content

    @property
    def kinds(self) -> list[str]:
        return [attempt.kind for attempt in self.outcome.attempts]


def solve(
    protocol: str,
    replies: Sequence[str],
    grader: Grader,
    settings: Settings | None = None,
    synthesizer: ScriptedModel | None = None,
    problem: Problem = PROBLEM,
) -> Solved:
    """Solve a problem by a protocol with a model that gives these replies."""
    model = ScriptedModel(replies)
    cache = ResponseCache(None)
    helper = None if synthesizer is None else Asker(synthesizer, "synthesizer", cache)
    found = load_protocol(protocol)
    solving = Solving(found, settings or Settings(), Asker(model, "scripted", cache), grader, helper)
    outcome = found.solve(problem, solving)
    notes = {**outcome.notes, **({"asides": solving.asides} if solving.asides else {})}
    record = ProblemRecord(problem.id, outcome.attempts, outcome.final, 0, outcome.standing, notes)
    return Solved(outcome, model, record)


def texts(messages: Sequence[Message]) -> list[tuple[str, str]]:
    return [(message.role, message.content) for message in messages]

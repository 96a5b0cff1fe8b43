"""What a protocol is, and what it may do while it solves a problem.

Leakage classes, after what reaches the model beyond the problem's own prompt:

    L0  nothing
    L1  errors and timeouts of its code, with no word on whether outputs are right
    L2  results on the examples that the prompt itself shows
    L3  what its code does on inputs that the model wrote itself
    L4  whether the hidden tests failed (nothing else)
    L5  the hidden tests' inputs and expected outputs, where the code failed
    L6  the words of a synthesized person; not honest where that person has seen results of the hidden tests
    L7  the words of a synthesized person who has seen the reference solution
"""

from __future__ import annotations

import typing
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.extraction import extract
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.observing import Grading, Observation, on_examples, on_inputs, on_loading
from opencodeinterpreter.evaluation.protocols.prompts import (
    CODE_END,
    PromptName,
    RefineName,
    execution_result,
    first_messages,
    opening,
    refining,
)
from opencodeinterpreter.evaluation.records import Attempt
from opencodeinterpreter.evaluation.verdicts import Grade
from opencodeinterpreter.models import Generation
from opencodeinterpreter.models.asking import Asker
from opencodeinterpreter.models.response_cache import Reply


@dataclass(frozen=True)
class Settings:
    """What a run can be told. Which of them a protocol heeds stands in its ``settings``."""

    generation: Generation = field(default_factory=Generation)
    """of first answers and of whatever is not told otherwise"""
    prompt: PromptName = "evalplus"
    rounds: int = 2
    """at most, round 0 included; the published protocols refine once"""
    flattened: bool = False
    """pack the dialog into one user message, as the original evaluation did"""
    refine: RefineName | None = None
    """how a refinement is asked for; None is the protocol's own way"""
    refine_temperature: float | None = None
    """None is the temperature of the run"""
    candidates: int = 1
    """refinements of one round; with several the first keeps ``refine_temperature`` and the others are drawn"""
    again: int = 2
    """how often a refinement that is the same code again is asked for again, each time at a higher temperature"""
    gate: typing.Literal["plus", "base"] = "plus"
    """the hidden tests that decide on a second try in the protocols that see them"""
    samples: int = 8
    """first answers of ``select``: a greedy one, and the others drawn"""
    sample_temperature: float = 0.8
    spend: typing.Literal["all", "needed"] = "all"
    """``needed``: ``select`` draws all its samples only where the first three disagree or fail a visible example"""
    inputs: int = 12
    """calls that the model is asked to write where it writes inputs itself"""
    baseline: bool = True
    """``select`` also draws as many answers as its other requests cost, for the comparison at equal budget"""


@dataclass(frozen=True)
class Outcome:
    """What solving a problem gave; the runner grades it and makes the record."""

    attempts: tuple[Attempt, ...]
    final: int
    standing: tuple[int, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)


class Protocol(typing.Protocol):
    """A way to come to the answer that is handed over."""

    name: str
    leakage: str
    honest: bool
    """nothing of the hidden tests or the reference solution reaches the model"""
    synthesizes: bool
    """a second model writes the feedback"""
    settings: frozenset[str]
    """the names of the settings that it heeds"""

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        """Solve a problem, asking the model only through ``solving``.

        Raises:
            ModelError: the model failed.
            Stopped: the run is being ended.
        """
        ...


def refine_name(protocol: Protocol, settings: Settings) -> RefineName:
    """Return how a protocol asks for a refinement: unless told otherwise as published, or with the cause first."""
    return settings.refine or ("cause" if protocol.honest else "plain")


class Solving:
    """All that a protocol may use for one problem: the model, the runs that its class allows, the settings.

    An honest protocol is given no way to the hidden tests: ``grade`` refuses. Dialogs on the side, such as the one in
    which the model writes inputs, are kept in ``asides`` and so come into the record and under the leakage check.

    Args:
        protocol: for whom.
        settings: of the run.
        asker: the model.
        grader: runs code.
        synthesizer: the model that writes human feedback, where there is one.
        sample: which independent answer this is; those after the first are drawn with other seeds.
    """

    def __init__(
        self,
        protocol: Protocol,
        settings: Settings,
        asker: Asker,
        grader: Grading,
        synthesizer: Asker | None = None,
        sample: int = 0,
    ) -> None:
        self.settings = settings
        self.asides: list[dict[str, Any]] = []
        self._protocol, self._asker, self._grader, self._synthesizer = protocol, asker, grader, synthesizer
        self._sample = sample

    @property
    def refine(self) -> RefineName:
        """How a refinement is asked for."""
        return refine_name(self._protocol, self.settings) if "refine" in self._protocol.settings else "plain"

    def first(
        self, problem: Problem, *, kind: str = "answer", draw: int = 0, temperature: float | None = None
    ) -> Attempt:
        """Ask for a first answer."""
        messages = first_messages(problem, self.settings.prompt)
        return self.attempt(problem, messages, round_=0, kind=kind, draw=draw, temperature=temperature)

    def attempt(
        self,
        problem: Problem,
        messages: Sequence[Message],
        *,
        round_: int,
        kind: str,
        draw: int = 0,
        temperature: float | None = None,
    ) -> Attempt:
        """Ask the model and extract the code of its reply.

        Args:
            problem: for the extraction.
            messages: what is sent.
            round_: of the attempt.
            kind: of the attempt.
            draw: which of several replies to the same messages; matters above temperature 0 only.
            temperature: None is that of the run.
        """
        generation = self._generation(draw, temperature)
        begun = opening(messages)
        if begun:
            generation = replace(generation, stop=(CODE_END,))
        reply = self._asker.ask(messages, generation)
        text = begun + reply.text
        if begun and reply.finish == "stop" and "\n```" not in reply.text:
            text += CODE_END.rstrip()
        found = extract(text, problem.entry_point, problem.prompt)
        notes: dict[str, Any] = {} if reply.finish == "stop" else {"finish": reply.finish}
        if temperature:
            notes["temperature"] = temperature
        if generation.temperature:
            notes["seed"] = generation.seed
        return Attempt(
            round=round_,
            kind=kind,
            messages=tuple(messages),
            reply=text,
            code=found.code,
            rule=found.rule,
            has_entry_point=found.has_entry_point,
            tokens=reply.tokens,
            seconds=reply.seconds,
            cached=reply.cached,
            notes=notes,
        )

    def feedback(self, result: str) -> str:
        """Return what the model is told of the result of an execution, with what it is asked to do then."""
        return refining(execution_result(result), self.refine)

    def aside(self, kind: str, messages: Sequence[Message], *, synthesizer: bool = False) -> Reply:
        """Ask something that is no attempt; it is recorded all the same.

        Args:
            kind: what it is for.
            messages: what is sent.
            synthesizer: ask the second model, greedily.

        Raises:
            EvaluationError: if there is no second model.
        """
        if synthesizer and self._synthesizer is None:
            raise EvaluationError(f"the protocol {self._protocol.name} needs a synthesizer: name a model for it")
        asker = self._synthesizer if synthesizer and self._synthesizer is not None else self._asker
        generation = Generation(self.settings.generation.max_tokens) if synthesizer else self._generation(0, 0.0)
        reply = asker.ask(messages, generation)
        self.asides.append(
            {
                "kind": kind,
                "model": asker.model.name,
                "messages": [message.to_json() for message in messages],
                "reply": reply.text,
                "tokens": asdict(reply.tokens),
                "seconds": reply.seconds,
            }
        )
        return reply

    def grade(self, problem: Problem, code: str) -> Grade:
        """Run the hidden tests, for protocols whose class allows it.

        Raises:
            EvaluationError: if the protocol is an honest one.
        """
        if self._protocol.honest:
            raise EvaluationError(f"the protocol {self._protocol.name} may not see the hidden tests")
        return self._grader.grade(problem, code)

    def on_examples(self, problem: Problem, code: str) -> list[Observation]:
        """Run code on the examples that the prompt shows."""
        return on_examples(self._grader, problem, code)

    def on_loading(self, code: str) -> list[Observation]:
        """Run code of which nothing is called."""
        return on_loading(self._grader, code)

    def on_inputs(self, problem: Problem, code: str, inputs: Sequence[tuple[Any, ...]]) -> list[Observation]:
        """Run code on inputs for which nobody knows the right output."""
        return on_inputs(self._grader, problem, code, inputs)

    def _generation(self, draw: int, temperature: float | None) -> Generation:
        generation = self.settings.generation
        if temperature is not None:
            generation = replace(generation, temperature=temperature)
        if not generation.temperature:
            return generation
        # Seeds of their own for every draw: a run is repeatable, and no two draws are the same by construction.
        return replace(generation, seed=(generation.seed or 0) + 1000 * self._sample + draw + 1)

"""How many tokens of the prompt a refinement round evaluates, beside those that are new in it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

from benchmarks.speed.dialogs import JOBS
from benchmarks.speed.measure import Plan, Row, Target, alone
from opencodeinterpreter import ChatModel, Generation, Interpreter, Message, Sandbox, load_model
from opencodeinterpreter.interpreter.events import Answer, Failure, RoundFinished
from opencodeinterpreter.models import ReplyStream, Usage

_TARGET = Target("at most", 32.0)
_GREEDY = Generation()


@dataclass(frozen=True)
class Refinement:
    """A round after the first, by its prompt's tokens."""

    prompt: int
    evaluated: int
    new: int
    """Neither in the prompt of the round before nor kept of its reply."""


class _Listening:
    """A model that keeps what it was asked."""

    def __init__(self, model: ChatModel) -> None:
        self.model = model
        self.name = model.name
        self.context_tokens = model.context_tokens
        self.asked: list[tuple[Message, ...]] = []

    def stream(self, messages: Sequence[Message], generation: Generation = _GREEDY) -> ReplyStream:
        self.asked.append(tuple(messages))
        return self.model.stream(messages, generation)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return self.model.count_tokens(messages)

    def close(self) -> None:
        self.model.close()


def rows(plan: Plan) -> list[Row]:
    jobs = JOBS[: plan.count(len(JOBS), 1)]
    generation = Generation(max_tokens=plan.count(512, 128))
    found: list[Refinement] = []
    rewritten = 0
    with closing(load_model(plan.model)) as model:
        for number, messages in enumerate(jobs):
            plan.progress(f"refinement rounds, job {number + 1} of {len(jobs)}")
            rounds, others = _refinements(model, messages, generation)
            found += rounds
            rewritten += others
    if not found:
        raise RuntimeError("no job came to a second round")
    surplus = [round_.evaluated - round_.new for round_ in found]
    worst = max(surplus)
    share = sum(round_.evaluated for round_ in found) / sum(round_.prompt for round_ in found)
    note = (
        f"the worst of {len(found)} rounds of {len(jobs)} jobs; median {sorted(surplus)[len(surplus) // 2]}; "
        f"{share:.0%} of all prompt tokens are evaluated"
    )
    if rewritten:
        note += f"; {rewritten} rounds left out, whose dialog the loop rewrote on purpose"
    return [alone("prompt tokens evaluated beyond the new ones", "tokens", [float(worst)], _TARGET, note)]


def _refinements(model: ChatModel, messages: Sequence[str], generation: Generation) -> tuple[list[Refinement], int]:
    """Do a job; return its rounds after the first, and how many had another dialog before them than the last."""
    listening = _Listening(model)
    rounds: list[RoundFinished] = []
    with Sandbox() as sandbox:
        interpreter = Interpreter(listening, sandbox=sandbox, max_rounds=3, generation=generation)
        for message in messages:
            for event in interpreter.stream(message):
                if isinstance(event, RoundFinished):
                    rounds.append(event)
                elif isinstance(event, Failure):
                    raise RuntimeError(event.message)
                elif isinstance(event, Answer):
                    break
    found, rewritten = [], 0
    for number in range(1, len(rounds)):
        before, now = listening.asked[number - 1], listening.asked[number]
        kept = Message("assistant", rounds[number - 1].reply)
        if now[: len(before) + 1] != (*before, kept):
            rewritten += 1
            continue
        new = model.count_tokens(now) - model.count_tokens(before) - _length(model, kept.content)
        found.append(_refinement(rounds[number].usage, new))
    return found, rewritten


def _refinement(usage: Usage | None, new: int) -> Refinement:
    assert usage is not None
    assert usage.prompt_tokens is not None
    assert usage.cached_prompt_tokens is not None
    return Refinement(usage.prompt_tokens, usage.prompt_tokens - usage.cached_prompt_tokens, new)


def _length(model: ChatModel, text: str) -> int:
    """Return the tokens of a text alone, without those of the template around it."""
    return model.count_tokens([Message("user", text)]) - model.count_tokens([Message("user", "")])

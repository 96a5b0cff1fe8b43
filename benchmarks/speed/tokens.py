"""Tokens a second through the whole stack beside the bare engine: a fresh reply, and a refinement."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import closing
from functools import partial

from benchmarks.speed.bare import BareEngine, Reply
from benchmarks.speed.dialogs import FRESH, REFINEMENTS
from benchmarks.speed.measure import Plan, Row, Target, against
from opencodeinterpreter import ChatModel, Generation, Interpreter, Message, Sandbox, load_model
from opencodeinterpreter.interpreter.events import ApprovalRequest, RoundFinished, TextDelta
from opencodeinterpreter.interpreter.prompts import system_prompt
from opencodeinterpreter.models.llamacpp import LlamaCppModel
from opencodeinterpreter.models.processors import physical_cores

CONTEXT_TOKENS = 8192
_TARGET = Target("at least", 0.97)
_Pair = tuple[Reply, Reply]
"""(ours, the bare engine's)"""


def rows(plan: Plan) -> list[Row]:
    plan.progress("loading the model twice")
    with closing(load_model(plan.model, context_tokens=CONTEXT_TOKENS)) as model:
        if not isinstance(model, LlamaCppModel):
            raise TypeError(f"{plan.model} is not run by the embedded engine")
        bare = BareEngine(model.path, CONTEXT_TOKENS, physical_cores())
        for warmup in (_streamed(model, _messages("Hello"), 8), bare.reply(_messages("Hello"), 8)):
            assert warmup.text
        return [*_fresh(plan, model, bare), _refinement(plan, model, bare)]


def _fresh(plan: Plan, model: ChatModel, bare: BareEngine) -> list[Row]:
    """Let both write the same long programs; a prompt is used once, for the second time it would be known."""
    tokens = plan.count(192, 48)
    pairs = []
    for number, task in enumerate(FRESH[: plan.count(len(FRESH), 2)]):
        plan.progress(f"a fresh reply, {number + 1}")
        pairs.append(
            _pair(number, partial(_through_loop, model, task, tokens), partial(bare.reply, _messages(task), tokens))
        )
    ours, theirs = zip(*((ours.rate, theirs.rate) for ours, theirs in pairs), strict=True)
    whole, bare_whole = zip(*((ours.whole_rate, theirs.whole_rate) for ours, theirs in pairs), strict=True)
    note = f"greedy, through the loop, {_size(pairs)}"
    return [
        against("generation", "tokens/s", ours, "bare engine", theirs, _TARGET, note),
        against("whole reply, reading the prompt included", "tokens/s", whole, "bare engine", bare_whole),
    ]


def _refinement(plan: Plan, model: ChatModel, bare: BareEngine) -> Row:
    tokens = plan.count(480, 96)
    pairs = []
    for number, each in enumerate(REFINEMENTS[: plan.count(len(REFINEMENTS), 2)]):
        plan.progress(f"a refinement, {number + 1}")
        program = Message("assistant", f"```python\n{each.program}```")
        messages = [*_messages(each.task), program, Message("user", each.feedback)]
        pairs.append(_pair(number, partial(_streamed, model, messages, tokens), partial(bare.reply, messages, tokens)))
    ours, theirs = zip(*((ours.rate, theirs.rate) for ours, theirs in pairs), strict=True)
    note = f"a program given again with a change, {_size(pairs)}"
    return against("generation of a refinement", "tokens/s", ours, "bare engine", theirs, note=note)


def _messages(task: str) -> list[Message]:
    return [Message("system", system_prompt()), Message("user", task)]


def _pair(number: int, ours: Callable[[], Reply], theirs: Callable[[], Reply]) -> _Pair:
    if number % 2 == 0:
        first = ours()
        return first, theirs()
    second = theirs()
    return ours(), second


def _through_loop(model: ChatModel, task: str, tokens: int) -> Reply:
    """Return the first reply of a turn, whose code is not run."""
    sandbox = Sandbox()  # never started
    with closing(sandbox):
        interpreter = Interpreter(model, sandbox=sandbox, approve=True, generation=Generation(max_tokens=tokens))
        with closing(interpreter):
            reply = Reply(time.monotonic())
            for event in interpreter.stream(task):
                if isinstance(event, TextDelta):
                    reply.add(event.text)
                elif isinstance(event, ApprovalRequest):
                    event.reject()
                elif isinstance(event, RoundFinished):
                    assert event.usage is not None
                    reply.tokens = event.usage.completion_tokens or 0
                    break
            return reply


def _streamed(model: ChatModel, messages: Sequence[Message], tokens: int) -> Reply:
    reply = Reply(time.monotonic())
    with model.stream(messages, Generation(max_tokens=tokens)) as stream:
        for text in stream:
            reply.add(text)
    assert stream.usage is not None
    reply.tokens = stream.usage.completion_tokens or 0
    return reply


def _size(pairs: Sequence[_Pair]) -> str:
    lengths = sorted(reply.tokens for pair in pairs for reply in pair)
    span = f"{lengths[0]}" if lengths[0] == lengths[-1] else f"{lengths[0]} to {lengths[-1]}"
    same = sum(ours.text == theirs.text for ours, theirs in pairs)
    return f"{span} tokens, the same text in {same} of {len(pairs)}"

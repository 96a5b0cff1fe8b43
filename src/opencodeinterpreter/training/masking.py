"""Which tokens of a dialog count for the loss, and where a dialog that is too long is cut.

What the model is to learn counts: the text of assistant turns and the token that ends them. What it is shown never
counts: the system's and the user's messages, execution results (a model trained on them invents outputs), and the cue
that asks for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.sandbox.failure_texts import EXECUTION, tells_failure
from opencodeinterpreter.training.templates import Chat

Turns = Literal["all", "final", "passed"]
TURNS: Final = ("passed", "all", "final")
IGNORED: Final = -100
"""The label of a token that does not count, as the ``transformers`` library has it."""


@dataclass(frozen=True)
class Sample:
    """One dialog as tokens."""

    ids: list[int]
    labels: list[int]
    """the token where it counts, else ``IGNORED``"""
    name: str = ""
    turns: int = 0
    """assistant turns in it"""
    counted: int = 0
    """those that count"""
    cut: int = 0
    """messages that were cut from its end because it was too long"""

    @property
    def targets(self) -> int:
        """How many tokens count."""
        return sum(label != IGNORED for label in self.labels)


@dataclass(frozen=True)
class Dropped:
    """A dialog that cannot be trained on."""

    name: str
    reason: str


@dataclass(frozen=True)
class Marking:
    """What counts."""

    turns: Turns = "passed"
    """``passed``: all but those known to be wrong; ``all``; ``final``: the last one"""
    observations: bool = False
    """whether execution results count too"""


def encode(dialog: Dialog, tokenizer: Any, chat: Chat, marking: Marking, limit: int) -> Sample | Dropped:
    """Return a dialog as tokens with labels, no longer than ``limit`` tokens.

    A dialog that is too long loses whole messages at its end, so that it ends with an assistant's turn; a message, and
    with it a code block, is never cut in two.

    Raises:
        InputError: if the chat template refuses the dialog.
    """
    name = "" if dialog.id is None else str(dialog.id)
    messages = _trimmed(dialog)
    if not any(message.role == "assistant" for message in messages):
        return Dropped(name, "no assistant turn")
    if any(message.role == "assistant" and not message.content for message in messages):
        return Dropped(name, "an empty assistant turn")
    marks = set(tokenizer.all_special_tokens) | {chat.end}
    if any(mark in message.content for message in messages for mark in marks):
        return Dropped(name, "a control token of the model in its text")
    rows = [{"role": message.role, "content": message.content} for message in messages]
    text = chat.render(tokenizer, rows)
    spans = _spans(text, messages, rows, tokenizer, chat)
    if spans is None:
        return Dropped(name, "the chat template changes earlier turns")
    encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
    ids, starts = list(encoded["input_ids"]), [start for start, _ in encoded["offset_mapping"]]
    ends = [_first_at(starts, end) for _, end in spans.values()]
    kept = [index for index, end in zip(spans, ends, strict=True) if end <= limit]
    if not kept:
        return Dropped(name, "the first answer does not fit")
    whole = kept[-1] == len(messages) - 1
    counted = [index for index in kept if _counts(messages, index, marking.turns, whole=whole)]
    if not counted:
        return Dropped(name, "no turn that counts")
    length = ends[len(kept) - 1]
    wanted = [spans[index] for index in counted]
    if marking.observations:
        wanted += _observed(text, messages[: kept[-1]], spans)
    labels = [
        token if any(start <= at < end for start, end in wanted) else IGNORED
        for token, at in zip(ids[:length], starts, strict=False)
    ]
    return Sample(ids[:length], labels, name, len(kept), len(counted), len(messages) - 1 - kept[-1])


def _trimmed(dialog: Dialog) -> list[Message]:
    """Return the messages that can be learned from; answers begin and end without blanks."""
    messages = [
        Message(each.role, each.content.strip(), each.meta) if each.role == "assistant" else each
        for each in dialog.messages
    ]
    # What an assistant says before anybody spoke answers nothing.
    while messages and messages[0].role == "assistant":
        messages.pop(0)
    while messages and messages[-1].role != "assistant":
        messages.pop()
    return messages


def _spans(
    text: str, messages: Sequence[Message], rows: list[dict[str, str]], tokenizer: Any, chat: Chat
) -> dict[int, tuple[int, int]] | None:
    """Return where each assistant turn begins and ends in the text, its end token included."""
    spans = {}
    for index, message in enumerate(messages):
        if message.role != "assistant":
            continue
        prompt = chat.render(tokenizer, rows[:index], cue=True)
        if not text.startswith(prompt):
            return None
        end = text.find(chat.end, len(prompt))
        if end < 0:
            return None
        spans[index] = (len(prompt), end + len(chat.end))
    return spans


def _first_at(starts: Sequence[int], character: int) -> int:
    return next((index for index, start in enumerate(starts) if start >= character), len(starts))


def _counts(messages: Sequence[Message], index: int, turns: Turns, *, whole: bool) -> bool:
    if turns == "all":
        return True
    last = max(place for place, message in enumerate(messages) if message.role == "assistant")
    if turns == "final":
        # Where the end was cut, what is last now may be the attempt that was mended later.
        return index == last if whole else False
    marked = messages[index].meta.get("train")
    if isinstance(marked, bool):
        return marked
    passed = messages[index].meta.get("passed")
    if isinstance(passed, bool):
        return passed
    return not (index + 1 < len(messages) and _reports_failure(messages[index + 1]))


def _is_execution(message: Message) -> bool:
    return message.meta.get("kind") == "execution" or message.content.startswith(EXECUTION)


def _reports_failure(message: Message) -> bool:
    return _is_execution(message) and tells_failure(message.content)


def _observed(text: str, messages: Sequence[Message], spans: dict[int, tuple[int, int]]) -> list[tuple[int, int]]:
    """Return where execution results stand in the text."""
    found = []
    at = 0
    for index, message in enumerate(messages):
        if index in spans:
            at = spans[index][1]
        elif message.role == "user" and _is_execution(message):
            content = message.content.strip()
            start = text.find(content, at)
            if start >= 0:
                found.append((start, start + len(content)))
    return found

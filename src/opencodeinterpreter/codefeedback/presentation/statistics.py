"""What a data set consists of, counted in one pass over its dialogs."""

from __future__ import annotations

import importlib
from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any, Final

from opencodeinterpreter.codefeedback.verification.code_blocks import code_of
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.errors import InputError, MissingExtraError
from opencodeinterpreter.models.estimate import estimate_tokens

METHODS: Final = ("packing", "simulation", "correction", "similar", "followup", "session")
"""In the order of the paper; others follow."""
_LARGEST: Final = 4096
"""Tokens that the paper trains on; what is longer is cut there."""

CountTokens = Callable[[Sequence[Message]], int]


@dataclass
class Part:
    """A part of the data set, or the whole."""

    dialogs: int = 0
    turns: int = 0
    """pairs of a user's and an assistant's message (paper, section 3)"""
    tokens: int = 0
    with_execution: int = 0
    """dialogs with execution feedback"""
    with_human: int = 0
    """dialogs with human feedback"""

    def to_json(self) -> dict[str, Any]:
        return {
            "dialogs": self.dialogs,
            "turns": self.turns,
            "turns_per_dialog": round(self.turns / self.dialogs, 2) if self.dialogs else 0,
            "tokens": self.tokens,
            "with_execution_feedback": self.with_execution,
            "with_human_feedback": self.with_human,
        }


@dataclass
class Statistics:
    """Everything counted."""

    whole: Part = field(default_factory=Part)
    methods: dict[str, Part] = field(default_factory=dict)
    languages: Counter[str] = field(default_factory=Counter)
    """dialogs with code in it; a dialog may have several"""
    licences: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    models: Counter[str] = field(default_factory=Counter)
    """by dialog that a model had a part in"""
    roles: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    """by message"""
    code: Counter[str] = field(default_factory=Counter)
    """what is known of assistant messages with code"""
    trained: int = 0
    """assistant messages that are to be learned"""
    human: Counter[str] = field(default_factory=Counter)
    """kinds of simulated human feedback"""
    verified: int = 0
    estimated: bool = True
    """tokens are an estimate, made without a tokenizer"""
    turns_each: array[int] = field(default_factory=lambda: array("L"))
    tokens_each: array[int] = field(default_factory=lambda: array("L"))

    def in_order(self) -> list[tuple[str, Part]]:
        """Return the methods, those of the paper first."""
        rest = sorted(set(self.methods) - set(METHODS))
        return [(name, self.methods[name]) for name in (*METHODS, *rest) if name in self.methods]

    def to_json(self) -> dict[str, Any]:
        tokens = sorted(self.tokens_each)
        return {
            **self.whole.to_json(),
            "tokens_are": "estimated" if self.estimated else "counted",
            "tokens_per_dialog": {
                "median": median(tokens) if tokens else 0,
                "largest": tokens[-1] if tokens else 0,
                f"over_{_LARGEST}": sum(each > _LARGEST for each in tokens),
            },
            "methods": {name: part.to_json() for name, part in self.in_order()},
            "dialogs_by_turns": _counted(Counter(map(str, sorted(self.turns_each))), by_count=False),
            "languages": _counted(self.languages),
            "licences": _counted(self.licences),
            "sources": _counted(self.sources),
            "models": _counted(self.models),
            "messages": {"roles": _counted(self.roles), "kinds": _counted(self.kinds)},
            "code": _counted(self.code),
            "assistant_messages_to_learn": self.trained,
            "human_feedback": _counted(self.human),
            "verified": self.verified,
        }


def count_dialogs(dialogs: Iterable[Dialog], count_tokens: CountTokens | None = None) -> Statistics:
    """Count a data set.

    Args:
        dialogs: each is looked at once and let go of.
        count_tokens: of a tokenizer; None estimates from the length of the text.
    """
    found = Statistics(estimated=count_tokens is None)
    for dialog in dialogs:
        _count(found, dialog, (count_tokens or estimate_tokens)(dialog.messages))
    return found


def tokenizer_counter(path: Path) -> CountTokens:
    """Return what counts tokens by a tokenizer's ``tokenizer.json``; the template's own tokens are not among them.

    Raises:
        MissingExtraError: if the library that reads it is not installed.
        InputError: if it cannot be read.
    """
    try:
        library = importlib.import_module("tokenizers")
    except ImportError as error:
        raise MissingExtraError("Counting tokens by a tokenizer", "transformers") from error
    try:
        tokenizer = library.Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing more exact
        raise InputError(f"{path} cannot be read as a tokenizer.json: {error}") from error

    def count(messages: Sequence[Message]) -> int:
        texts = [message.content for message in messages]
        return sum(len(found.ids) for found in tokenizer.encode_batch(texts, add_special_tokens=False))

    return count


def _count(found: Statistics, dialog: Dialog, tokens: int) -> None:
    meta = dialog.meta
    turns = sum(message.role == "assistant" for message in dialog)
    kinds = {str(message.meta.get("kind") or "") for message in dialog if message.role == "user"}
    for part in (found.whole, found.methods.setdefault(_named(meta.get("method")), Part())):
        part.dialogs += 1
        part.turns += turns
        part.tokens += tokens
        part.with_execution += "execution" in kinds
        part.with_human += "human" in kinds
    found.turns_each.append(turns)
    found.tokens_each.append(tokens)
    found.languages.update(_languages(dialog))
    found.licences[_named(meta.get("licence"))] += 1
    found.sources.update(set(map(str, meta.get("sources") or ())) or {"unknown"})
    models = meta.get("models")
    found.models.update({str(name) for name in models.values()} if isinstance(models, dict) else set())
    human = meta.get("human")
    found.human.update(map(str, human) if isinstance(human, list) else ())
    found.verified += "verified" in meta
    for message in dialog:
        _count_message(found, message)


def _languages(dialog: Dialog) -> set[str]:
    """Return the languages of the code in a dialog, or what the dialog says of itself where no message does."""
    told = {str(each.meta["language"]) for each in dialog if each.role == "assistant" and each.meta.get("language")}
    return told or {_named(dialog.meta.get("language"))}


def _count_message(found: Statistics, message: Message) -> None:
    found.roles[message.role] += 1
    found.kinds[_named(message.meta.get("kind"))] += 1
    if message.role != "assistant":
        return
    found.trained += message.meta.get("train") is True
    if message.meta.get("executed") is True:
        passed = message.meta.get("passed")
        found.code["passed its tests" if passed else "failed" if passed is False else "ran, without tests"] += 1
    elif code_of(message.content):
        found.code["not executed"] += 1
    else:
        found.code["no code"] += 1


def _named(value: Any) -> str:
    return str(value) if value else "unknown"


def _counted(counter: Counter[str], *, by_count: bool = True) -> dict[str, int]:
    """Return counts, the largest first; equal ones by name, so that the same data gives the same text."""
    return dict(sorted(counter.items(), key=lambda item: (-item[1], item[0])) if by_count else counter.items())

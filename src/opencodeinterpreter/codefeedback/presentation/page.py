"""Dialogs as one HTML file to read them in: opens from disk, asks nobody for anything, light or dark.

Texts are taken apart here, by a Markdown parser, into small trees of known elements, and packed; the page unpacks the
dialogs that are opened and puts the elements together. No text is ever read as markup, neither here nor there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any, Final

from opencodeinterpreter import __version__
from opencodeinterpreter.codefeedback.verification.code_blocks import code_of, language_name
from opencodeinterpreter.codefeedback.verification.executions import FEEDBACK
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.pages import assemble, embedded, packed, piece, text_of

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.tree import SyntaxTreeNode

PIECE: Final = 30
"""dialogs in a piece"""
LONGEST: Final = 40_000
"""characters of one message that are shown"""
_SHARED: Final = ("elements.js", "lines.js", "listing.js", "theme.js")
_OWN: Final = ("view.js", "list.js")
_PASSED, _RAN, _FAILED, _NOT_RUN, _NO_CODE = range(5)
_SHOWN: Final = ("train", "passed", "executed", "model", "decision", "about")
_FACTS: Final = ("method", "language", "licence", "sources", "models", "source")
_TITLE: Final = 160


def dialogs_page(dialogs: Iterable[Dialog], title: str = "Dialogs") -> str:
    """Return the page, which unpacks with its scripts what is read in it."""
    dialogs = list(dialogs)
    return assemble(
        title,
        _template("dialogs.html"),
        style="\n".join((text_of("page.css"), text_of("listing.css"), _template("dialogs.css"))),
        scripts=[*map(text_of, _SHARED), *map(_template, _OWN)],
        holes={
            "SUBTITLE": escape(_subtitle(dialogs)),
            "INDEX": embedded(_index(dialogs), "index"),
            "PIECES": "\n".join(piece(data, f"piece-{number}") for number, data in enumerate(_pieces(dialogs))),
        },
    )


def _subtitle(dialogs: Sequence[Dialog]) -> str:
    turns = sum(message.role == "assistant" for dialog in dialogs for message in dialog)
    return f"{len(dialogs):,} dialogs, {turns:,} turns; opencodeinterpreter {__version__}"


def _index(dialogs: Sequence[Dialog]) -> dict[str, Any]:
    """Return what the list and its filters need."""
    methods = _names(str(dialog.meta.get("method") or "unknown") for dialog in dialogs)
    languages = _names(str(dialog.meta.get("language") or "unknown") for dialog in dialogs)
    rows = [
        [
            _identity(dialog, place),
            _said(dialog),
            methods.index(str(dialog.meta.get("method") or "unknown")),
            languages.index(str(dialog.meta.get("language") or "unknown")),
            _state(dialog),
            sum(message.role == "assistant" for message in dialog),
        ]
        for place, dialog in enumerate(dialogs)
    ]
    return {"piece": PIECE, "methods": methods, "languages": languages, "rows": rows}


def _names(values: Iterable[str]) -> list[str]:
    return sorted(set(values))


def _identity(dialog: Dialog, place: int) -> str:
    return str(place) if dialog.id is None else str(dialog.id)


def _said(dialog: Dialog) -> str:
    first = next((message.content for message in dialog if message.role == "user"), "")
    text = " ".join(first[: 4 * _TITLE].split())
    return text if len(text) <= _TITLE else f"{text[: _TITLE - 1]}…"


def _state(dialog: Dialog) -> int:
    """Return what is known of the last code."""
    for message in reversed(dialog.messages):
        if message.role != "assistant" or not (message.meta.get("executed") or code_of(message.content)):
            continue
        if message.meta.get("passed") is False:
            return _FAILED
        if message.meta.get("executed") is not True:
            return _NOT_RUN
        return _PASSED if message.meta.get("passed") is True else _RAN
    return _NO_CODE


def _pieces(dialogs: Sequence[Dialog]) -> Iterator[str]:
    """Yield the dialogs, in their order, packed."""
    for start in range(0, len(dialogs), PIECE):
        yield packed([_dialog(dialog, start + place) for place, dialog in enumerate(dialogs[start : start + PIECE])])


def _dialog(dialog: Dialog, place: int) -> dict[str, Any]:
    facts = [[name, _fact(dialog.meta[name])] for name in _FACTS if dialog.meta.get(name)]
    return {
        "id": _identity(dialog, place),
        "facts": facts,
        "messages": [_message(message) for message in dialog],
        "words": "\n".join(message.content[:LONGEST] for message in dialog).lower(),
        "meta": json.dumps(dict(dialog.meta), indent=1, ensure_ascii=False, default=str)[:LONGEST],
    }


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key}: {each}" for key, each in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _message(message: Message) -> dict[str, Any]:
    text = message.content
    if len(text) > LONGEST:
        text = f"{text[:LONGEST]}\n\n[{len(text) - LONGEST:,} characters more]"
    kind = str(message.meta.get("kind") or "")
    if not kind and message.role == "user" and text.startswith(FEEDBACK.rstrip()):
        kind = "execution"
    meta = {name: message.meta[name] for name in _SHOWN if message.meta.get(name) is not None}
    executed = message.meta.get("exec")
    if isinstance(executed, dict):
        meta |= {name: str(executed.get(name) or "") for name in ("status", "reason")}
    return {
        "role": message.role,
        "kind": kind,
        "meta": meta,
        "code": bool(code_of(text)),
        "text": text.removeprefix(FEEDBACK) if kind == "execution" else tree_of(text),
    }


def tree_of(text: str) -> list[Any]:
    """Return a text in Markdown as trees: text, or ``[element, child, …]``; code is ``["block", language, code]``."""
    from markdown_it.tree import SyntaxTreeNode

    return [part for child in SyntaxTreeNode(_markdown().parse(text)).children for part in _parts(child)]


def _parts(node: SyntaxTreeNode) -> list[Any]:
    """Return what a node becomes."""
    if node.type in ("fence", "code_block"):
        words = node.info.split() if node.type == "fence" else []
        return [["block", language_name(words[0]) if words else "", node.content.rstrip("\n")]]
    if node.type == "code_inline":
        return [["code", node.content]]
    if node.type == "softbreak":
        return ["\n"]
    if node.type == "hardbreak":
        return [["br"]]
    if not node.children:
        return (
            [node.content] if node.type in ("text", "html_inline", "html_block") else [[node.tag]] if node.tag else []
        )
    children = [part for child in node.children for part in _parts(child)]
    return [[node.tag, *children]] if node.tag and node.tag != "a" and not node.hidden else children


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Links are shown as they were written: nothing in the page leads anywhere.
    return MarkdownIt("commonmark", {"html": False}).enable("table").disable(["link", "image", "autolink", "reference"])


def _template(name: str) -> str:
    return text_of(name, __package__)

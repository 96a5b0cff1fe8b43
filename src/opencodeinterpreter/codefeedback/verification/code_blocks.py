"""The fenced code blocks of a message, and which of them are code in a programming language."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from opencodeinterpreter.interpreter.code_actions import PYTHON_TAGS

if TYPE_CHECKING:
    from markdown_it import MarkdownIt

_NAMES: Final = {
    "bash": "bash sh shell zsh shell-script shellscript",
    "c": "c h",
    "cpp": "cpp c++ cc cxx hpp cplusplus",
    "csharp": "csharp c# cs dotnet",
    "go": "go golang",
    "java": "java",
    "javascript": "javascript js jsx mjs node nodejs node.js ecmascript",
    "php": "php",
    "ruby": "ruby rb",
    "rust": "rust rs",
    "tsx": "tsx",
    "typescript": "typescript ts",
}
_CANONICAL: Final = {name: language for language, names in _NAMES.items() for name in names.split()} | dict.fromkeys(
    PYTHON_TAGS, "python"
)
_PLAIN: Final = frozenset(
    {"text", "txt", "plaintext", "plain", "output", "console", "log", "none", "diff", "traceback"}
)
"""Tags of blocks that show something else than code."""


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    tag: str
    """as it stands behind the fence, in lower case; empty if nothing does"""
    code: str
    closed: bool = True

    @property
    def language(self) -> str:
        """The language, by one name for all its spellings; empty where the fence names none."""
        return language_name(self.tag)

    @property
    def is_code(self) -> bool:
        return self.tag not in _PLAIN and bool(self.code.strip())


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a message in their order."""
    if "```" not in text and "~~~" not in text:
        return []
    lines = text.splitlines()
    found = []
    for token in _markdown().parse(text):
        if token.type == "fence" and token.map is not None:
            last = lines[min(token.map[1], len(lines)) - 1].strip(" \t>")
            closed = token.map[1] - token.map[0] > 1 and re.fullmatch(r"(`{3,}|~{3,})", last) is not None
            words = token.info.strip().lower().split()
            found.append(Block(words[0].strip("{}.:,") if words else "", token.content, closed))
    return found


def code_of(text: str) -> list[Block]:
    """Return the blocks of a message that hold code."""
    return [block for block in blocks(text) if block.is_code]


def language_name(name: str) -> str:
    """Return one name for all spellings of a language; a language that is not known keeps its own, in lower case."""
    name = name.strip().lower()
    return _CANONICAL.get(name, name)


@cache
def _markdown() -> MarkdownIt:
    from markdown_it import MarkdownIt

    # Of all that Markdown has, only what can hold a fence.
    return MarkdownIt("zero").enable(["fence", "list", "blockquote"])

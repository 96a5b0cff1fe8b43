"""The parts of a model's reply that may hold code."""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.evaluation.parsing import parse

_THINKING: Final = re.compile(r"<(think|thinking|reasoning|thought)>.*?(?:</\1>|\Z)", re.DOTALL)
_THOUGHT_BEFORE: Final = re.compile(r"\A.*</(?:think|thinking|reasoning|thought)>", re.DOTALL)
_THINKING_TAG: Final = re.compile(r"</?(?:think|thinking|reasoning|thought)>")
_END_OF_TURN: Final = re.compile(r"<\|(?:im_end|endoftext|end|eot_id|EOT|end_of_text|im_start|user)\|>")
_FENCE: Final = re.compile(r"[ \t]*(?:>[ \t]*)?(?P<marks>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$")
_LATE_FENCE: Final = re.compile(r"^(.*\S)[ \t]*(```[ \t]*(?:python3?|py))[ \t]*$", re.MULTILINE | re.IGNORECASE)
_PYTHON: Final = frozenset({"", "python", "python3", "py", "py3", "ipython", "ipython3", "code", "tool_code"})
_LANGUAGE_LINE: Final = frozenset({"python", "python3"})
_MOST_OPEN_STRINGS: Final = 5
"""How often a fence is taken for a part of a text before it closes the block all the same."""


@dataclass(frozen=True)
class Block:
    """A fenced part of a reply."""

    body: str
    python: bool
    """it says that it is Python, or nothing"""
    closed: bool


def visible(reply: str) -> str:
    """Return a reply without reasoning between tags and without what follows the end of the turn."""
    text = _THINKING.sub("", _normal(reply))
    return _THOUGHT_BEFORE.sub("", text)


def reasoning_too(reply: str) -> str:
    """Return a reply with its reasoning, without the tags."""
    return _THINKING_TAG.sub("\n", _normal(reply))


def _normal(reply: str) -> str:
    text = reply.replace("\r\n", "\n").replace("\r", "\n").replace("\ufeff", "").replace("\0", "")
    begin = len(text) - len(text.lstrip())
    end = _END_OF_TURN.search(text, begin + 1)
    return text[: end.start()] if end else text


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a text, the last one perhaps unclosed; their common indentation is taken away."""
    found: list[Block] = []
    marks, python, lines, held = "", False, list[str](), 0
    for line in _LATE_FENCE.sub(r"\1\n\2", text).split("\n"):
        fence = _FENCE.match(line)
        if not marks:
            if fence:
                marks, python, lines, held = fence["marks"], _is_python(fence["info"]), [], 0
            continue
        info = fence["info"].strip() if fence else ""
        closes = bool(fence and fence["marks"].startswith(marks))
        if not fence and line.rstrip().endswith(marks) and line.count(marks) == 1:
            lines.append(line.rstrip().removesuffix(marks))
            closes = True
        if not closes:
            lines.append(line)
        elif held < _MOST_OPEN_STRINGS and python and _within_string(lines):
            lines.append(line)
            held += 1
        else:
            found.append(_block(lines, python, closed=True))
            marks = ""
            if fence and info:  # the next block begins where this one was not closed
                marks, python, lines, held = fence["marks"], _is_python(info), [], 0
    if marks:
        found.append(_block(lines, python, closed=False))
    return [block for block in found if block.body.strip()]


def without_fences(text: str) -> str:
    """Return a text without the lines that are fences."""
    return "\n".join(line for line in text.split("\n") if not _FENCE.match(line))


def _block(lines: list[str], python: bool, *, closed: bool) -> Block:
    # Small models put the language on the line below the fence.
    if python and lines and lines[0].strip().lower() in _LANGUAGE_LINE:
        lines = lines[1:]
    text = "\n".join(lines)
    # Where nothing is to be taken away, ``dedent`` would still empty the blank lines of a program's own texts.
    if all(line[:1].isspace() for line in lines if line.strip()):
        text = textwrap.dedent(text)
    return Block(text.strip("\n"), python, closed)


def _is_python(info: str) -> bool:
    words = info.strip().lower().strip("{}.").split()
    return (words[0].strip("{}.:,") if words else "") in _PYTHON


def _within_string(lines: list[str]) -> bool:
    if not any('"""' in line or "'''" in line for line in lines):
        return False
    tree = parse(textwrap.dedent("\n".join(lines)))
    return isinstance(tree, SyntaxError) and "unterminated triple-quoted" in str(tree)

"""Finds where a Python literal or a call ends within prose."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.evaluation.parsing import NOTHING, literal

LONGEST: Final = 4000
"""Characters of one literal or call; a bracket that never closes costs no more than this."""
DEEPEST: Final = 40
"""Brackets within brackets."""

_TOKEN: Final = re.compile(
    r"[-+]?\d[\d_]*(?:\.\d+)?(?:[eE][-+]?\d+)?j?|(?:True|False|None|true|false|none|null)\b|"
    r"[rbu]?(?:'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\")"
)
_IN_BRACKETS: Final = re.compile(r"'(?:[^'\\\n]|\\.)*'|\"(?:[^\"\\\n]|\\.)*\"|[\[\](){}]")
_SPELLING: Final = {"true": "True", "false": "False", "none": "None", "null": "None"}
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}


@dataclass(frozen=True)
class Written:
    """A literal in a text."""

    source: str
    """in Python's spelling"""
    end: int
    """where it ends in the text"""


def balanced_end(text: str, start: int) -> int | None:
    """Return where the bracket that opens at ``start`` has been closed; None if it is not."""
    expected: list[str] = []
    for match in _IN_BRACKETS.finditer(text, start, start + LONGEST):
        mark = match[0]
        if mark in _CLOSING:
            expected.append(_CLOSING[mark])
            if len(expected) > DEEPEST:
                return None
        elif mark in ")]}" and (not expected or expected.pop() != mark):
            return None
        if not expected:
            return match.end()
    return None


def literal_at(text: str, start: int) -> Written | None:
    """Return the literal that begins exactly at ``start``; a full stop after a number is no part of it."""
    if text[start : start + 1] in _CLOSING:
        end = balanced_end(text, start)
    else:
        match = _TOKEN.match(text, start, start + LONGEST)
        end = match.end() if match else None
    if end is None:
        return None
    source = _SPELLING.get(text[start:end], text[start:end])
    return Written(source, end) if literal(source) is not NOTHING else None


def same_line(text: str, start: int) -> str:
    """Return the rest of the line from ``start``."""
    end = text.find("\n", start)
    return text[start : end if end >= 0 else len(text)]


def only_spaces_after(text: str, start: int) -> bool:
    """Return whether nothing more stands on the line."""
    return not same_line(text, start).strip()

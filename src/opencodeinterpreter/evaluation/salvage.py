"""Python statements out of a text that is no program as a whole.

EvalPlus looks for the longest range of lines that can be parsed by trying every pair of lines, which takes time that
grows with the cube of the length. Here a text is read once from top to bottom, statement by statement; each line is
parsed a bounded number of times.
"""

from __future__ import annotations

import re
from typing import Final

from opencodeinterpreter.evaluation.parsing import parse

_BEGINS: Final = re.compile(
    r"(?:async[ \t]+def|def|class|import|from|if|for|while|with|try)\b|@\w|[A-Za-z_][\w.]{0,80}[^=\n]{0,80}=(?!=)"
)
_GOES_ON: Final = re.compile(r"[ \t)\]}#]|(?:elif|else|except|finally)\b|$")
_INCOMPLETE: Final = ("unterminated triple-quoted", "was never closed", "unexpected EOF", "invalid syntax. Perhaps you")
_MOST_PARAGRAPHS: Final = 25
"""Unindented paragraphs within one text or bracket of a statement."""
_MOST_CUTS: Final = 12
"""How often the end of a statement that does not parse is cut off before it is given up."""
_MOST_DECORATORS: Final = 5
_MOST_TRIES: Final = 300
"""Both together in one text; then a statement is taken as its indentation says, or not at all."""


def salvage(text: str) -> str:
    """Return the statements that begin at the left margin of ``text`` and can be parsed, one below the other."""
    return _Salvage(text.split("\n")).all()


class _Salvage:
    def __init__(self, lines: list[str]) -> None:
        self._lines = lines
        self._tries = _MOST_TRIES

    def all(self) -> str:
        found: list[str] = []
        position = 0
        while position < len(self._lines):
            statement, position = self._statement_at(position)
            if statement:
                found.append(statement)
        return "\n".join(found)

    def _statement_at(self, start: int) -> tuple[str, int]:
        """Return the statement that begins on a line, or nothing, and the line to go on with."""
        if not _BEGINS.match(self._lines[start]):
            return "", start + 1
        end = first_end = self._end_of(start)
        error = first_error = parse("\n".join(self._lines[start:end]))
        for _ in range(_MOST_PARAGRAPHS):
            if not isinstance(error, SyntaxError):
                return _trimmed(self._lines[start:end]), end
            if end >= len(self._lines) or not self._try() or not any(words in str(error) for words in _INCOMPLETE):
                break
            end = self._end_of(end)
            error = parse("\n".join(self._lines[start:end]))
        return self._cut(start, first_end, first_error)

    def _end_of(self, start: int) -> int:
        """Return the line after a statement, by its indentation alone."""
        end = start + 1
        while end < len(self._lines) and (
            _GOES_ON.match(self._lines[end])
            or (end - start <= _MOST_DECORATORS and self._lines[end - 1].startswith("@"))
        ):
            end += 1
        return end

    def _cut(self, start: int, end: int, error: object) -> tuple[str, int]:
        """Return the beginning of a statement up to where it cannot be parsed; what follows is looked at anew."""
        for _ in range(_MOST_CUTS):
            line = error.lineno if isinstance(error, SyntaxError) else None
            end = min(end - 1, max(start + (line or 1) - 1, start + 1))
            if end <= start + 1 or not self._try():
                break
            error = parse("\n".join(self._lines[start:end]))
            if not isinstance(error, SyntaxError):
                return _trimmed(self._lines[start:end]), end
        return "", start + 1

    def _try(self) -> bool:
        self._tries -= 1
        return self._tries >= 0


def _trimmed(lines: list[str]) -> str:
    """Return a statement without the headings of Markdown below it, which read as comments."""
    end = len(lines)
    while end > 1 and (not lines[end - 1].strip() or lines[end - 1].startswith("#")):
        end -= 1
    return "\n".join(lines[:end])

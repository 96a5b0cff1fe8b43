"""Pieces of a session's HTML page: programs in colours, tables of data frames, what a terminal would show."""

from __future__ import annotations

import re
from functools import cache
from html import escape, unescape
from importlib import import_module
from typing import Any

_LONGEST_PROGRAM = 50_000
"""Characters; a longer one is shown in one colour."""
_LONGEST_TABLE = 2_000_000
_ROWS = 200
_ALLOWED = frozenset(
    {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "p", "div", "br", "b", "strong", "span", "style"}
)
_PIECE = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*)>|([^<]+)|<")
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_NUMBER = re.compile(r"[-+]?[\d.,]*\d(e[-+]?\d+)?%?|nan|", re.IGNORECASE)
_LANGUAGES = {
    "python": "python", "py": "python", "python3": "python", "ipython": "python", "bash": "bash", "sh": "bash",
    "shell": "bash", "json": "json", "sql": "sql", "r": "r", "javascript": "javascript", "js": "javascript",
}  # fmt: skip
_COLOURS = (
    ("Comment", "c"), ("Keyword", "k"), ("Literal.String", "s"), ("Literal.Number", "n"), ("Name.Function", "f"),
    ("Name.Class", "f"), ("Name.Builtin", "b"), ("Name.Decorator", "b"),
)  # fmt: skip
"""Kind of token → class in the style that pages share."""


def coloured(code: str, language: str) -> str:
    """Return a program as HTML, letter for letter."""
    name = _LANGUAGES.get(language.lower())
    if name is None or len(code) > _LONGEST_PROGRAM:
        return escape(code)
    parts, text = [], []
    for kind, piece in _lexer(name).get_tokens(code):
        text.append(piece)
        colour = next((each for start, each in _COLOURS if str(kind).startswith(f"Token.{start}")), None)
        parts.append(f'<span class="{colour}">{escape(piece)}</span>' if colour else escape(piece))
    # A colour less is better than a letter less.
    return "".join(parts) if "".join(text) == code else escape(code)


@cache
def _lexer(name: str) -> Any:
    # By its name: it has no types. Here: it takes longer to load than the rest of the loop.
    return import_module("pygments.lexers").get_lexer_by_name(name, stripnl=False, ensurenl=False)


def plain_text(text: str) -> str:
    """Return text as a terminal would leave it: without colours, each line as it was last written."""
    lines = _ANSI.sub("", text).replace("\r\n", "\n").split("\n")
    kept = "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in lines)
    return "".join(c if c.isprintable() or c in "\n\t" else "\N{REPLACEMENT CHARACTER}" for c in kept)


def frame_table(html: str, told: str) -> str | None:
    """Return a data frame's table made anew of its texts; None where the HTML is more than one plain table.

    Args:
        told: what is said where rows are left out, with ``{n}`` and ``{all}``.
    """
    if len(html) > _LONGEST_TABLE or 'class="dataframe"' not in html or html.count("<style") > 2:
        return None
    html = re.sub(r"<style[^<>]*>[^<]*</style>", "", html)
    reader = _Table()
    for match in _PIECE.finditer(html):
        if match[2] is None:
            reader.text(match[4] or "<")
        elif not reader.tag(match[2].lower(), bool(match[1]), match[3]):
            return None
    return reader.html(told) if reader.tables == 1 and reader.body else None


class _Table:
    """Takes in the pieces of a table."""

    def __init__(self) -> None:
        self.tables = 0
        self.head: list[str] = []
        self.body: list[str] = []
        self._row: list[str] | None = None
        self._cell: list[str] | None = None
        self._attributes = ""
        self._in_head = False

    def tag(self, name: str, ends: bool, attributes: str) -> bool:
        """Take in a tag; return whether it is one that a table has."""
        if name not in _ALLOWED:
            return False
        self.tables += name == "table" and not ends
        if name == "thead":
            self._in_head = not ends
        elif name == "tr":
            if ends and self._row is not None:
                (self.head if self._in_head else self.body).append(f"<tr>{''.join(self._row)}</tr>")
            self._row = None if ends else []
        elif name in ("th", "td"):
            if ends:
                self._end_cell(name)
            else:
                self._cell, self._attributes = [], attributes
        elif name == "br" and self._cell is not None:
            self._cell.append("\n")
        return True

    def text(self, text: str) -> None:
        if self._cell is not None:
            self._cell.append(text)

    def _end_cell(self, name: str) -> None:
        if self._cell is None or self._row is None:
            return
        text = unescape("".join(self._cell)).strip()
        spans = "".join(
            f' {span}="{int(found[1])}"'
            for span in ("colspan", "rowspan")
            if (found := re.search(rf'\b{span}="?(\d{{1,3}})\b', self._attributes))
        )
        number = ' class="number"' if not self._in_head and _NUMBER.fullmatch(text) else ""
        scope = f' scope="{"col" if self._in_head else "row"}"' if name == "th" and text else ""
        self._row.append(f"<{name}{scope}{spans}{number}>{escape(text)}</{name}>")
        self._cell = None

    def html(self, told: str) -> str:
        more = f'<p class="note">{told.format(n=_ROWS, all=len(self.body))}</p>' if len(self.body) > _ROWS else ""
        head = f"<thead>{''.join(self.head)}</thead>" if self.head else ""
        return (
            f'<div class="scroll" tabindex="0"><table>{head}<tbody>{"".join(self.body[:_ROWS])}</tbody></table></div>'
            f"{more}"
        )

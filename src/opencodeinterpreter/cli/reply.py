"""Prints a model's reply while it is being written: prose word by word, code line by line, tables whole.

Nothing is ever drawn twice, so nothing flickers and everything stays in the terminal's history.
"""

from __future__ import annotations

import re

from pygments.token import (  # type: ignore[import-untyped]
    Comment,
    Keyword,
    Name,
    Number,
    Operator,
    String,
)
from rich.cells import cell_len
from rich.console import Console
from rich.style import Style
from rich.syntax import ANSISyntaxTheme, Syntax
from rich.text import Text

from opencodeinterpreter.cli.tables import markdown_table
from opencodeinterpreter.cli.text import visible

_FENCE = re.compile(r"^[ \t]*(`{3,}|~{3,})[ \t]*([^\n`]*)$")
_TOKEN = re.compile(r"\s+|[^\s\u1100-\uffdc]+|[\u1100-\uffdc]")
_MARK = re.compile(r"(\*\*|`|</?think>)")
_OPENS = re.compile(r"[(\[\"'“‘*]*\Z")
_STYLES = {"**": "bold", "`": "cyan", "<think>": "dim italic"}
_ITEM = re.compile(r"^(\s*)([-*+]|\d{1,3}[.)])\s+")
_INDENT = "  "
_THEMES = {
    # The terminal's own sixteen colours: whatever its background is, its owner can read them.
    theme: ANSISyntaxTheme(
        {
            Comment: Style(color="bright_black", italic=True),
            Keyword: Style(color=f"{bright}magenta"),
            Operator.Word: Style(color=f"{bright}magenta"),
            String: Style(color="green"),
            Number: Style(color="cyan"),
            Name.Function: Style(color=f"{bright}blue"),
            Name.Class: Style(color=f"{bright}blue"),
            Name.Decorator: Style(color=f"{bright}blue"),
            Name.Builtin: Style(color=f"{bright}blue"),
        }
    )
    for theme, bright in (("dark", "bright_"), ("light", ""))
}


class CodeLines:
    """Colours code that comes line by line.

    Args:
        language: as after a fence; an unknown one is printed plain.
        theme: "dark" or "light".
    """

    def __init__(self, language: str, theme: str) -> None:
        self.lines: list[str] = []
        self._open: list[str] = []
        """The lines since the last one that certainly did not end inside a string."""
        self._syntax = Syntax("", language or "text", theme=_THEMES[theme], background_color="default")

    def add(self, line: str) -> Text:
        """Return the next line in colour."""
        self.lines.append(line)
        self._open.append(line)
        text = "\n".join(self._open)
        coloured = self._syntax.highlight(text).split("\n", allow_blank=True)
        found = coloured[len(self._open) - 1] if len(coloured) >= len(self._open) else Text(line)
        whole = text.count('"""') % 2 == 0 and text.count("'''") % 2 == 0 and not line.endswith("\\")
        if whole or len(self._open) > 200:
            self._open = []
        return found


class ReplyPrinter:
    """Prints one reply.

    Args:
        console: where to.
        theme: the colours of code.
    """

    def __init__(self, console: Console, theme: str) -> None:
        self._console = console
        self._theme = theme
        self._plain = not console.is_terminal
        self._pending = ""
        self._column = 0
        self._hanging = 0
        """How far the lines that a long line is folded into are indented."""
        self._styles: set[str] = set()
        self._fence: str | None = None
        self._code: CodeLines | None = None
        self._table: list[str] = []
        self._line_open = False
        self.blocks: list[str] = []
        """The code of every block that was shown, for whoever must not show it again."""

    @property
    def at_line_start(self) -> bool:
        return self._column == 0

    @property
    def in_code(self) -> bool:
        return self._code is not None

    def feed(self, delta: str) -> None:
        """Print what can be printed now that ``delta`` has come."""
        delta = visible(delta)
        self._pending += delta
        if "\n" in delta:
            *lines, self._pending = self._pending.split("\n")
            for line in lines:
                rest, self._pending = self._pending, ""
                self._line(line)
                self._pending = rest
        if self._code is None and not self._undecided(self._pending):
            self._words(keep_last=True)

    def close(self) -> None:
        """Print the rest; the cursor is at the start of a line afterwards."""
        if self._pending:
            line, self._pending = self._pending, ""
            self._line(line)
        if self._code is not None:
            self._end_block()
        self._flush_table()
        self._end_line()

    def _undecided(self, start: str) -> bool:
        """Whether the kind of line that begins so cannot be told before more of it is there."""
        if self._line_open:
            return False
        stripped = start.lstrip()
        return len(stripped) < 4 or stripped[0] in "`~#|" or self._plain or bool(self._table)

    def _line(self, line: str) -> None:
        fence = None if self._line_open else _FENCE.match(line)
        if self._code is not None:
            if fence and not fence[2].strip() and fence[1].startswith(self._fence or "```"):
                self._end_block()
                if self._plain:
                    self._raw(line)
            else:
                self._code_line(line)
        elif fence:
            self._flush_table()
            self._fence = fence[1]
            words = fence[2].split()
            self._code = CodeLines(words[0].lower() if words else "python", self._theme)
            if self._plain:
                self._raw(line)
        elif self._plain:
            self._raw(line)
        else:
            self._prose_line(line)

    def _prose_line(self, line: str) -> None:
        stripped = line.strip()
        if not self._line_open and stripped.startswith("|") and stripped.endswith("|") and len(stripped) > 2:
            self._table.append(line)
            return
        self._flush_table()
        heading = re.match(r"^#{1,6}\s+(.*)", line) if not self._line_open else None
        if heading:
            self._console.print(Text(heading[1].replace("**", "").strip("# "), style="bold underline"))
            return
        self._pending_line(line)

    def _pending_line(self, line: str) -> None:
        rest, self._pending = self._pending, line
        self._words(keep_last=False)
        self._pending = rest
        self._end_line(blank=not line.strip())

    def _words(self, keep_last: bool) -> None:
        """Print the words of the pending text; the last one may not be complete yet."""
        if not self._pending:
            return
        self._flush_table()
        if not self._line_open:
            self._open_line()
        words = _TOKEN.findall(self._pending)
        self._pending = words.pop() if words and keep_last else ""
        for word in words:
            self._word(word)

    def _open_line(self) -> None:
        """Print what a line begins with: its indentation, the mark of an item."""
        self._line_open = True
        if item := _ITEM.match(self._pending):
            mark = "•" if item[2] in "-*+" else item[2]
            self._write(f"{item[1]}{mark} ", "bold")
            self._pending = self._pending[item.end() :]
        else:
            text = self._pending.lstrip(" ")
            self._write(" " * min(len(self._pending) - len(text), 12), "")
            self._pending = text
        self._hanging = self._column

    def _word(self, word: str) -> None:
        if word.isspace():
            self._write(" " if self._column < self._console.width - 1 else "", "")
            return
        if self._column > self._hanging and self._column + cell_len(_MARK.sub("", word)) > self._console.width - 1:
            self._console.print()
            self._column = 0
            self._write(" " * self._hanging, "")
        before = ""
        for part in _MARK.split(word):
            if not self._mark(part, before) and part:
                self._write(part, " ".join(_STYLES[mark] for mark in sorted(self._styles)))
            before += part

    def _mark(self, part: str, before: str) -> bool:
        """Take a mark of Markdown or of reasoning; return False where it is ordinary text."""
        if part in ("<think>", "</think>"):
            self._styles = {part} if part == "<think>" else set()
            return True
        if part == "`" or (part == "**" and "`" not in self._styles and ("**" in self._styles or _OPENS.match(before))):
            self._styles ^= {part}
            return True
        return False

    def _write(self, text: str, style: str) -> None:
        if text:
            self._console.print(Text(text, style=style), end="", soft_wrap=True)
            self._column = (self._column + cell_len(text)) % self._console.width

    def _end_line(self, blank: bool = False) -> None:
        if self._line_open or blank:
            self._console.print()
        self._column, self._hanging, self._line_open = 0, 0, False
        self._styles &= {"<think>"}

    def _raw(self, line: str) -> None:
        if self._plain:
            self._console.file.write(line + "\n")  # print() would turn tabs into spaces
            self._console.file.flush()
        else:
            self._console.print(Text(line), soft_wrap=True)

    def _code_line(self, line: str) -> None:
        assert self._code is not None
        coloured = self._code.add(line)
        if self._plain:
            self._raw(line)
        else:
            print_code_line(self._console, coloured)

    def _end_block(self) -> None:
        assert self._code is not None
        self.blocks.append("\n".join(self._code.lines))
        self._code = None

    def _flush_table(self) -> None:
        if not self._table:
            return
        lines, self._table = self._table, []
        table = markdown_table(lines, self._console)
        if table is not None:
            self._console.print(table)
        else:
            for line in lines:
                self._raw(line)


def print_code_line(console: Console, line: Text) -> None:
    """Print a coloured line of code, indented, folded where it is wider than the terminal."""
    width = max(console.width - len(_INDENT), 20)
    line.expand_tabs(4)
    for part in line.wrap(console, width, overflow="fold", no_wrap=False) or [Text("")]:
        part.rstrip()
        console.print(Text(_INDENT).append_text(part), soft_wrap=True)


def print_code(console: Console, code: str, language: str, theme: str) -> None:
    """Print a whole piece of code."""
    lines = CodeLines(language, theme)
    for line in visible(code).strip("\n").split("\n"):
        coloured = lines.add(line)
        if console.is_terminal:
            print_code_line(console, coloured)
        else:
            console.print(Text(line), soft_wrap=True)

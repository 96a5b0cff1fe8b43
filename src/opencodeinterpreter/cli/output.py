"""Prints what running code prints, as it comes, behind a gutter that sets it apart from everything else."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.cells import cell_len, chop_cells
from rich.console import Console
from rich.control import Control
from rich.segment import ControlType
from rich.table import Table
from rich.text import Text

from opencodeinterpreter.cli.images import draw
from opencodeinterpreter.cli.tables import html_table
from opencodeinterpreter.cli.text import Cleaner, clean, count, link
from opencodeinterpreter.sandbox.base import Display, OutputDelta

_CLEAR_LINE = Control(ControlType.CARRIAGE_RETURN, (ControlType.ERASE_IN_LINE, 2))
GUTTER = "│ "
_LINES = 200
"""So many lines of one run are shown as they come; of what follows, only the end."""
_TAIL = 20
_LONGEST_LINE = 10_000


def in_gutter(line: Text, mark: str = GUTTER) -> Text:
    """Return a line of output with the gutter before it."""
    return Text().append(mark, style="dim cyan").append_text(line)


class OutputPrinter:
    """Prints the output of one run.

    Args:
        console: where to.
        figures: keeps the figures.
        images: how the terminal draws pictures.
    """

    def __init__(self, console: Console, figures: Figures, images: str) -> None:
        self._console = console
        self._figures = figures
        self._images = images
        self._cleaners = {"stdout": Cleaner(), "stderr": Cleaner()}
        self._stream = "stdout"
        self._open = ""
        """What stands on the line that has not ended."""
        self._lines = 0
        self._tail: deque[tuple[str, str]] = deque(maxlen=_TAIL)
        self._left_out = 0
        self._redraw = False
        self._returned = False
        self._cut = False

    @property
    def at_line_start(self) -> bool:
        return not self._open

    def feed(self, output: OutputDelta) -> None:
        """Print one piece of output."""
        if output.display is not None:
            self._cut = bool(self._open)
            self._end_line()
            self._display(output.display)
        elif output.stream in self._cleaners:
            if output.stream != self._stream:
                self._end_line()
                self._stream = output.stream
            self._text(self._cleaners[output.stream].feed(output.text).replace("\r\n", "\n"))

    def close(self) -> None:
        """Print the rest; the cursor is at the start of a line afterwards."""
        self._end_line()
        if self._left_out:
            hidden = self._left_out - len(self._tail)
            if hidden > 0:
                self._line(f"… {count(hidden, 'line')} not shown …", "dim italic")
            for text, style in self._tail:
                self._line(text, style)
            self._tail.clear()
            self._left_out = 0

    def pause(self) -> None:
        """End the line, because something else is to be printed; what follows of it goes on in the next one."""
        self._cut = bool(self._open)
        self._end_line()

    def note(self, text: str, style: str) -> None:
        """Print lines of ours in the gutter."""
        self.pause()
        for line in text.split("\n"):
            self._line(line, style)

    def _text(self, text: str) -> None:
        if self._cut and text:
            # The end of a line that a rich output came into the middle of: it has been ended already.
            text, self._cut = text.removeprefix("\n"), False
        *lines, rest = text.split("\n")
        for line in lines:
            self._extend(line)
            self._end_line(blank=True)
        if rest:
            self._extend(rest)
            self._draw_open()

    def _extend(self, text: str) -> None:
        """Add to the open line; what follows a carriage return takes the place of what was there, as in a bar."""
        first, *returned = text.split("\r")
        for number, part in enumerate([first, *returned]):
            self._returned = self._returned or number > 0
            if part:
                self._open = (part if self._returned else self._open + part)[:_LONGEST_LINE]
                self._returned = False

    def _draw_open(self) -> None:
        if (
            self._console.is_terminal
            and not self._console.is_dumb_terminal
            and self._lines < _LINES
            and 0 < cell_len(self._open) <= self._width
        ):
            self._console.control(_CLEAR_LINE)
            self._print(self._open, self._style, end="")
            self._redraw = True

    def _end_line(self, blank: bool = False) -> None:
        if not (self._open or blank):
            return
        text, self._open, self._returned = self._open, "", False
        if self._redraw:
            self._console.control(_CLEAR_LINE)
            self._redraw = False
        if self._console.is_terminal and not self._console.is_dumb_terminal and self._lines >= _LINES:
            self._left_out += 1
            self._tail.append((text, self._style))
        else:
            self._line(text, self._style)

    def _line(self, text: str, style: str) -> None:
        self._lines += 1
        if not self._console.is_terminal:
            self._print(text, "")
            return
        for part in chop_cells(text.expandtabs(8), self._width) or [""]:
            self._print(part, style)

    def _print(self, text: str, style: str, end: str = "\n") -> None:
        self._console.print(in_gutter(Text(text, style=style)), end=end, soft_wrap=True)

    @property
    def _style(self) -> str:
        return "yellow" if self._stream == "stderr" else ""

    @property
    def _width(self) -> int:
        return max(self._console.width - len(GUTTER), 10)

    def _display(self, display: Display) -> None:
        if self._figures.shows(display):
            self._figures.present(display, self._console, self._images, gutter=in_gutter(Text()))
            return
        html = display.data.get("text/html")
        if self._console.is_terminal and isinstance(html, str):
            table = html_table(html, self._console)
            if table is not None:
                self._in_gutter(table)
                return
        style = "bold" if display.kind == "result" else ""
        for line in clean(as_text(display.data)).rstrip("\n").split("\n"):
            self._line(line, style)

    def _in_gutter(self, table: Table) -> None:
        for segments in self._console.render_lines(table, pad=False):
            line = Text()
            for segment in segments:
                line.append(segment.text, segment.style)
            line.rstrip()
            if line:
                self._console.print(in_gutter(line), soft_wrap=True)


def as_text(data: Mapping[str, Any]) -> str:
    """Return the best form of a rich output that is text."""
    for kind in ("text/markdown", "text/plain", "text/latex"):
        if isinstance(data.get(kind), str):
            return str(data[kind])
    if "application/json" in data:
        return json.dumps(data["application/json"], indent=2, ensure_ascii=False)
    return "(" + ", ".join(sorted(data)) + ")"


class Figures:
    """Keeps the figures of a session as files.

    Args:
        folder: is made when the first figure comes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.paths: list[Path] = []

    def shows(self, display: Display) -> bool:
        """Return whether a rich output is a figure."""
        return self._content(display) is not None

    def keep(self, display: Display) -> Path | None:
        """Save a figure and return where; None where a rich output is no figure."""
        content = self._content(display)
        return self._save(*content) if content is not None else None

    def present(
        self, display: Display, console: Console, images: str, *, gutter: Text | None = None, named: bool = True
    ) -> None:
        """Save a figure, draw it where the terminal can, and name its file unless ``named`` is false."""
        path = self.keep(display)
        content = self._content(display)
        assert path is not None
        assert content is not None
        raw, ending = content
        if ending == "png" and console.is_terminal:
            draw(console, raw, images)
        if named:
            line = Text().append_text(gutter or Text()).append("figure: ", style="dim")
            console.print(line.append_text(link(path, console)), soft_wrap=True)

    def _content(self, display: Display) -> tuple[bytes, str] | None:
        """Return a figure's bytes and the ending of its file's name."""
        for kind, ending in _FIGURES.items():
            content = display.data.get(kind)
            if not isinstance(content, str) or (kind == "text/html" and not _needs_browser(content)):
                continue
            try:
                raw = content.encode() if kind.startswith(("image/svg", "text/")) else _decoded(content)
            except binascii.Error:
                continue
            return raw, ending
        return None

    def _save(self, raw: bytes, ending: str) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        names = (f"figure-{number}.{ending}" for number in itertools.count(1))
        path = next(self.folder / name for name in names if not (self.folder / name).exists())
        path.write_bytes(raw)
        self.paths.append(path)
        return path


def _decoded(content: str) -> bytes:
    return base64.b64decode("".join(content.split()), validate=True)


def _needs_browser(html: str) -> bool:
    return "<table" not in html and ("<script" in html or "<svg" in html or "<iframe" in html)


_FIGURES = {
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "application/pdf": "pdf",
    "text/html": "html",
}

"""Records a command in a real terminal and draws the recording as an SVG that moves.

    python docs/images/record.py docs/images/terminal.svg -- .venv/bin/ocint run "$(cat examples/task.txt)" \
        --file examples/penguins.csv

Nothing of what the command shows is changed; only the time is: waits are cut and the whole is brought to one length.
Where nothing can move, the last screen is shown.
"""

from __future__ import annotations

import codecs
import fcntl
import html
import os
import pty
import re
import struct
import sys
import termios
import time
from dataclasses import dataclass, replace
from pathlib import Path

COLUMNS, ROWS = 96, 30
MOVING_SECONDS, LAST_SECONDS = 16.0, 6.0
LONGEST_WAIT, SHORTEST_FRAME = 0.25, 0.12
"""Seconds: of the recording, and of the picture."""
FONT, WIDE, HIGH, PAD, BAR = 14, 8.43, 19, 16, 34
"""Pixels: size of the letters, a cell, the border, the title."""
GROUND, INK, DIM = "#0d1117", "#e6edf3", "#8b949e"
COLOURS = (
    "#484f58", "#ff7b72", "#3fb950", "#d29922", "#58a6ff", "#bc8cff", "#39c5cf", "#b1bac4",
    "#8b949e", "#ffa198", "#56d364", "#e3b341", "#79c0ff", "#d2a8ff", "#56d4dd", "#ffffff",
)  # fmt: skip
_CONTROL = re.compile(r"\x1b\[([0-9;?]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[^\[\]]")


@dataclass(frozen=True)
class Style:
    """How one character is drawn."""

    ink: str | None = None
    ground: str | None = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underlined: bool = False

    def then(self, codes: list[int]) -> Style:
        """Return the style after a sequence of SGR codes."""
        style = self
        while codes:
            code = codes.pop(0)
            switches = {1: "bold", 2: "faint", 3: "italic", 4: "underlined"}
            if code == 0:
                style = Style()
            elif code in switches:
                style = replace(style, **{switches[code]: True})  # type: ignore[arg-type]
            elif code in (22, 23, 24):
                off = {22: {"bold": False, "faint": False}, 23: {"italic": False}, 24: {"underlined": False}}[code]
                style = replace(style, **off)  # type: ignore[arg-type]
            elif code in (39, 49):
                style = replace(style, ink=None) if code == 39 else replace(style, ground=None)
            elif code == 38:
                style = replace(style, ink=_long_colour(codes))
            elif code == 48:
                style = replace(style, ground=_long_colour(codes))
            elif 30 <= code <= 37 or 90 <= code <= 97:
                style = replace(style, ink=COLOURS[code - 30 if code < 90 else code - 82])
            elif 40 <= code <= 47 or 100 <= code <= 107:
                style = replace(style, ground=COLOURS[code - 40 if code < 100 else code - 92])
        return style


def _long_colour(codes: list[int]) -> str | None:
    """Take a colour of 256, or in red, green and blue, from the front of the codes."""
    kind = codes.pop(0)
    if kind == 2:
        red, green, blue = (codes.pop(0) for _ in range(3))
        return f"#{red:02x}{green:02x}{blue:02x}"
    number = codes.pop(0)
    if number < 16:
        return COLOURS[number]
    if number >= 232:
        return "#" + f"{8 + 10 * (number - 232):02x}" * 3
    steps = (0, 95, 135, 175, 215, 255)
    number -= 16
    return "#" + "".join(f"{steps[number // power % 6]:02x}" for power in (36, 6, 1))


Line = list[tuple[str, Style]]


class Screen:
    """As much of a terminal as ``ocint run`` makes use of."""

    def __init__(self) -> None:
        self.lines: list[Line] = [[]]
        self._row = self._column = 0
        self._style = Style()

    def feed(self, text: str) -> None:
        position = 0
        for match in _CONTROL.finditer(text):
            self._write(text[position : match.start()])
            position = match.end()
            if match[2]:
                self._control(match[1], match[2])
        self._write(text[position:])

    def visible(self) -> list[Line]:
        return self.lines[-ROWS:]

    def _write(self, text: str) -> None:
        for character in text:
            if character == "\r":
                self._column = 0
            elif character == "\n":
                self._down()
            elif character >= " ":
                if self._column == COLUMNS:
                    self._column = 0
                    self._down()
                line = self.lines[self._row]
                line += [(" ", Style())] * (self._column - len(line))
                line[self._column : self._column + 1] = [(character, self._style)]
                self._column += 1

    def _down(self) -> None:
        self._row += 1
        if self._row == len(self.lines):
            self.lines.append([])

    def _control(self, numbers: str, verb: str) -> None:
        if verb == "m":
            self._style = self._style.then([int(number or 0) for number in numbers.split(";")])
        elif verb == "K":
            del self.lines[self._row][0 if numbers == "2" else self._column :]
        elif verb == "A":
            self._row = max(0, self._row - int(numbers or 1))
        elif verb not in "hl":
            raise SystemExit(f"the command uses a control sequence that is not known here: {numbers}{verb}")


def record(command: list[str]) -> tuple[list[tuple[float, str]], int]:
    """Run a command in a terminal; return what it wrote, each piece with its second, and its exit code."""
    pid, terminal = pty.fork()
    if pid == 0:
        unwanted = {"NO_COLOR", "COLORFGBG", "TMUX", "TERM_PROGRAM", "KITTY_WINDOW_ID"}
        environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        os.execvpe(command[0], command, {**environment, "TERM": "xterm-256color", "COLORTERM": "truecolor"})  # noqa: S606
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    pieces, began = [], time.monotonic()
    while True:
        try:
            data = os.read(terminal, 65536)
        except OSError:  # how a terminal says that its last program has ended
            break
        if not data:
            break
        pieces.append((time.monotonic() - began, decoder.decode(data)))
    return pieces, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def typed(command: list[str]) -> str:
    """Return the command as a person types it."""
    words = [Path(command[0]).name, *command[1:]]
    return " ".join(f'"{word}"' if re.search(r"[^\w./:=,@+-]", word) else word for word in words)


def frames(command: list[str], pieces: list[tuple[float, str]]) -> list[tuple[float, list[str]]]:
    """Return the screens in their order, as drawn lines, each with its second in the picture."""
    screen, found, clock, last = Screen(), [], 0.0, 0.0
    screen.feed(f"\x1b[1;32m$\x1b[0m {typed(command)}\r\n")
    for when, text in pieces:
        clock += min(when - last, LONGEST_WAIT)
        last = when
        screen.feed(text)
        found.append((clock, [draw(line) for line in screen.visible()]))
    scale = MOVING_SECONDS / max(clock, 0.001)
    kept: list[tuple[float, list[str]]] = []
    for clock, lines in found[:-1]:
        if not kept or (clock * scale - kept[-1][0] >= SHORTEST_FRAME and lines != kept[-1][1]):
            kept.append((clock * scale, lines))
    return [*kept, (MOVING_SECONDS, found[-1][1])]


def draw(line: Line) -> str:
    """Return one line of the screen as SVG, its top left corner at the origin."""
    parts, start = [], 0
    while start < len(line):
        style, end = line[start][1], start
        while end < len(line) and line[end][1] == style:
            end += 1
        text = "".join(character for character, _ in line[start:end])
        if style.ground:
            parts.append(
                f'<rect x="{start * WIDE:.1f}" width="{len(text) * WIDE:.1f}" height="{HIGH}" fill="{style.ground}"/>'
            )
        if text.strip():
            left = start + len(text) - len(text.lstrip())
            parts.append(_text(text.strip(), left, style))
        start = end
    return "".join(parts)


def _text(text: str, column: int, style: Style) -> str:
    looks = ""
    if ink := (style.ink or (DIM if style.faint else None)):
        looks += f' fill="{ink}"'
    if style.bold:
        looks += ' font-weight="700"'
    if style.italic:
        looks += ' font-style="italic"'
    if style.underlined:
        looks += ' text-decoration="underline"'
    # The length is given, so that columns stay columns in whatever font the reader has.
    return (
        f'<text x="{column * WIDE:.1f}" y="{HIGH - 5}" textLength="{len(text) * WIDE:.1f}"{looks}>'
        f"{html.escape(text, quote=False)}</text>"
    )


def svg(screens: list[tuple[float, list[str]]], label: str) -> str:
    """Return the whole picture: every screen below the one before, behind a window that jumps from one to the next."""
    names: dict[str, str] = {}
    uses = []
    for number, (_, lines) in enumerate(screens):
        for row, line in enumerate(lines):
            if line:
                name = names.setdefault(line, f"l{len(names)}")
                uses.append(f'<use href="#{name}" y="{(number * ROWS + row) * HIGH}"/>')
    length = MOVING_SECONDS + LAST_SECONDS
    steps = "".join(
        f"{100 * clock / length:.2f}%{{transform:translateY({-number * ROWS * HIGH}px)}}"
        for number, (clock, _) in enumerate(screens)
    )
    width, height = round(COLUMNS * WIDE + 2 * PAD), ROWS * HIGH + BAR + PAD
    style = (
        f'text{{font:{FONT}px ui-monospace,SFMono-Regular,"SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace;'
        "white-space:pre}"
        f"#film{{transform:translateY({-(len(screens) - 1) * ROWS * HIGH}px);"
        f"animation:play {length:g}s step-end infinite}}"
        f"@keyframes play{{{steps}}}@media (prefers-reduced-motion:reduce){{#film{{animation:none}}}}"
    )
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
            f'role="img" aria-label="{html.escape(label)}">',
            f"<style>{style}</style>",
            "<defs>" + "".join(f'<g id="{name}">{line}</g>' for line, name in names.items()) + "</defs>",
            f'<rect x=".5" y=".5" width="{width - 1}" height="{height - 1}" rx="9" fill="{GROUND}" stroke="#30363d"/>',
            f'<path d="M1 28H{width - 1}" stroke="#21262d"/>',
            f'<text x="{width / 2}" y="19" text-anchor="middle" fill="{DIM}">ocint</text>',
            f'<svg x="{PAD}" y="{BAR}" width="{COLUMNS * WIDE:.1f}" height="{ROWS * HIGH}" fill="{INK}"><g id="film">',
            *uses,
            "</g></svg></svg>\n",
        ]
    )


def main() -> None:
    if len(sys.argv) < 4 or sys.argv[2] != "--":
        raise SystemExit("usage: record.py PICTURE.svg -- COMMAND …")
    command = sys.argv[3:]
    pieces, code = record(command)
    if code != 0:
        raise SystemExit(f"{command[0]} ended with exit code {code}; there is no picture of that")
    label = f"A recording of a terminal: {typed(command)}"
    Path(sys.argv[1]).write_text(svg(frames(command, pieces), label), encoding="utf-8")


if __name__ == "__main__":
    main()

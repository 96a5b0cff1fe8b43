"""Text that is safe to print, and numbers as people read them.

What a model writes and what code prints may hold control characters that move the cursor, set the clipboard
or rewrite what a person is about to approve. None of them reaches the terminal.
"""

from __future__ import annotations

import re
from pathlib import Path

from rich.console import Console
from rich.text import Text

_SEQUENCE = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    r"|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)"  # OSC, DCS, SOS, PM, APC
    r"|\x1b[ -/]+[0-~]"
    r"|\x1b[0-OQ-WYZ`-~\\]"
)
_UNFINISHED = re.compile(r"(?:\x1b|\x9b|\x9d|\x90|\x98|\x9e|\x9f)[^\x07\x9c]*\Z")
_LONGEST_SEQUENCE = 4096
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_DIRECTION = re.compile("[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u2028\u2029]")
"""Marks that make text look other than it is read."""


def clean(text: str) -> str:
    """Return ``text`` without escape sequences and control characters; newlines and tabs stay."""
    return Cleaner().feed(text, last=True).replace("\r\n", "\n").replace("\r", "\n")


def visible(text: str) -> str:
    """Return ``text`` with every control character made visible, so that code reads as what it is."""
    text = text.replace("\r\n", "\n")
    text = re.sub(r"[\x00-\x08\x0b-\x1f]", lambda match: chr(0x2400 + ord(match.group())), text)
    return _DIRECTION.sub("\ufffd", re.sub(r"[\x7f-\x9f]", "\ufffd", text))


def one_line(text: str, limit: int = 200) -> str:
    """Return ``text`` on one line, cut to ``limit`` characters."""
    text = " ".join(clean(text).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


class Cleaner:
    """Cleans text in pieces, where an escape sequence may be cut in two; keeps carriage returns."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, text: str, last: bool = False) -> str:
        """Return what of ``text`` can be shown by now."""
        text = _SEQUENCE.sub("", self._held + text)
        self._held = ""
        unfinished = _UNFINISHED.search(text)
        if unfinished and not last and len(unfinished.group()) < _LONGEST_SEQUENCE:
            self._held = unfinished.group()
            text = text[: unfinished.start()]
        return _DIRECTION.sub("", _CONTROL.sub("", text))


def size(count: int) -> str:
    """Return a number of bytes as a person reads it, such as ``1.2 MB``."""
    amount = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            break
        amount /= 1000
    return f"{count} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"


def seconds(amount: float) -> str:
    """Return a length of time as a person reads it, such as ``1 min 5 s``."""
    if amount < 10:
        return f"{amount:.1f} s"
    if amount < 60:
        return f"{amount:.0f} s"
    minutes, rest = divmod(round(amount), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def count(number: int, one: str, many: str | None = None) -> str:
    """Return a number with its noun, such as ``2 rounds``."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def short_path(path: Path) -> str:
    """Return ``path`` as it is shown: relative to the current folder or to home where it lies in them."""
    for root, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(root) and path != root:
            return clean(prefix + str(path.relative_to(root)))
    return clean(str(path))


def link(path: Path, console: Console) -> Text:
    """Return ``path`` as it is shown; in a terminal one can click on it."""
    style = f"underline link {path.absolute().as_uri()}" if console.is_terminal else ""
    return Text(short_path(path), style=style)

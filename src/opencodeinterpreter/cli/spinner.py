"""A sign of life on the last line of the terminal, drawn by whoever waits; no thread of its own."""

from __future__ import annotations

import time

from rich.console import Console

_FRAMES = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_PLAIN_FRAMES = "|/-\\"


class Spinner:
    """Shows what is being waited for, and for how long.

    Args:
        console: standard error; nothing is drawn unless it is a terminal.
    """

    def __init__(self, console: Console) -> None:
        self._on = console.is_terminal and not console.is_dumb_terminal
        self._console = console
        self._frames = _FRAMES if "utf" in (console.encoding or "").lower() else _PLAIN_FRAMES
        self._drawn = False
        self._label = ""
        self._since = time.monotonic()

    def wait_for(self, label: str) -> None:
        """Say what is waited for from now on; "" for nothing."""
        if label != self._label:
            self._label, self._since = label, time.monotonic()

    def tick(self) -> None:
        """Draw the next frame; the cursor must be at the start of a line."""
        if not (self._on and self._label):
            return
        passed = time.monotonic() - self._since
        frame = self._frames[int(passed * 10) % len(self._frames)]
        text = f"{frame} {self._label} {passed:.0f} s"[: self._console.width - 1]
        dim, plain = ("\x1b[2m", "\x1b[0m") if self._console.color_system else ("", "")
        self._console.file.write(f"\r\x1b[K{dim}{text}{plain}")
        self._console.file.flush()
        self._drawn = True

    def clear(self) -> None:
        """Take the line away, before anything else is printed."""
        if self._drawn:
            self._console.file.write("\r\x1b[K")
            self._console.file.flush()
            self._drawn = False

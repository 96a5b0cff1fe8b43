"""Text output within bounds: its head and tail in memory, the whole of it on disk where that is more."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import IO

LOG_FACTOR = 20
"""The log on disk holds this many times ``Limits.output_bytes``."""
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()*+][0-9A-Z]|[@-Z\\-_])")


class TextKeeper:
    """Keeps the text of two streams under one bound.

    Args:
        limit: bytes; None keeps everything.
        log: tells where to write the whole text once it passes the limit.
    """

    def __init__(self, limit: int | None, log: Callable[[], Path] | None = None) -> None:
        self.seen = 0
        """Bytes added."""
        self.omitted = 0
        """Bytes no longer kept."""
        self.log: Path | None = None
        """The log, if one was begun."""
        self._limit = limit
        self._head_room = limit // 2 if limit is not None else 0
        self._tail_room = limit - self._head_room if limit is not None else 0
        self._head: list[tuple[str, str]] = []
        self._tail: deque[tuple[str, str]] = deque()
        self._tail_size = 0
        self._cut = {"stdout": 0, "stderr": 0}
        self._log_path = log
        self._log_file: IO[str] | None = None
        self._log_room = LOG_FACTOR * (limit or 0)

    def add(self, stream: str, text: str) -> None:
        self.seen += size_of(text)
        if self._limit is None:
            self._head.append((stream, text))
            return
        if self.seen > self._limit and self._log_file is None and self._log_path is not None:
            self._begin_log(self._log_path())
        if self._log_file is not None:
            self._write_log(text)
        if self._head_room > 0:
            kept, text = split(text, self._head_room)
            self._head.append((stream, kept))
            self._head_room -= size_of(kept)
            if text:  # what is left of the head is too small for the next character
                self._tail_room += self._head_room
                self._head_room = 0
        if text:
            self._tail.append((stream, text))
            self._tail_size += size_of(text)
            self._shorten_tail()

    def text(self, stream: str) -> str:
        """Return what is kept, as a terminal without colours would show it, saying how much is missing."""
        head = "".join(text for name, text in self._head if name == stream)
        tail = "".join(text for name, text in self._tail if name == stream)
        cut = self._cut[stream]
        middle = f"\n[... {cut:,} bytes left out ...]\n" if cut else ""
        return as_shown(plain(head + middle + tail))

    def close(self) -> None:
        if self._log_file is not None:
            self._log_file.close()

    def _shorten_tail(self) -> None:
        while self._tail_size > self._tail_room:
            stream, text = self._tail.popleft()
            dropped, kept = split(text, self._tail_size - self._tail_room)
            if not dropped:  # a character wider than what is too much
                dropped, kept = kept[:1], kept[1:]
            size = size_of(dropped)
            self._tail_size -= size
            self.omitted += size
            self._cut[stream] += size
            if kept:
                self._tail.appendleft((stream, kept))

    def _begin_log(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._log_file = path.open("w", encoding="utf-8")
        self.log = path
        for _, text in [*self._head, *self._tail]:
            self._write_log(text)

    def _write_log(self, text: str) -> None:
        if self._log_file is None or self._log_room <= 0:
            return
        kept, rest = split(text, self._log_room)
        self._log_file.write(kept)
        self._log_room -= size_of(kept)
        if rest:
            self._log_room = 0
            self._log_file.write("\n[... the log ends here, at its own limit ...]\n")


def shortened(text: str, limit: int | None) -> tuple[str, int]:
    """Return at most about ``limit`` bytes of ``text``, its head and tail, and how many bytes are left out."""
    keeper = TextKeeper(limit)
    keeper.add("stdout", text)
    return keeper.text("stdout"), keeper.omitted


def as_shown(text: str) -> str:
    """Return ``text`` with only the last state of lines that a program has written over, such as progress bars."""
    if "\r" not in text:
        return text
    return "\n".join(line.rstrip("\r").rpartition("\r")[2] for line in text.split("\n"))


def plain(text: str) -> str:
    """Return ``text`` without terminal control sequences."""
    return _ANSI.sub("", text) if "\x1b" in text else text


def storable(text: str) -> str:
    """Return ``text`` with the lone surrogates replaced that JSON can carry and UTF-8 cannot."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")


def size_of(text: str) -> int:
    """Return how many bytes ``text`` takes as UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8"))


def split(text: str, size: int) -> tuple[str, str]:
    """Split after at most ``size`` bytes, between two characters."""
    if text.isascii():
        return text[:size], text[size:]
    head = text.encode("utf-8")[:size].decode("utf-8", "ignore")
    return head, text[len(head) :]

"""Ending a streamed reply at a text, without ever giving out a part of that text."""

from __future__ import annotations

from collections.abc import Sequence


class StopFilter:
    """Passes text on until one of ``stops`` appears in it, in whatever pieces it comes."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = [stop for stop in stops if stop]
        self._held = ""
        self.stopped = False

    def feed(self, text: str) -> str:
        """Return what can be given out now."""
        if self.stopped:
            return ""
        self._held += text
        found = [place for stop in self._stops if (place := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            given, self._held = self._held[: min(found)], ""
            return given
        keep = max((self._overlap(stop) for stop in self._stops), default=0)
        cut = len(self._held) - keep
        given, self._held = self._held[:cut], self._held[cut:]
        return given

    def rest(self) -> str:
        """Return what was held back, when no more text comes."""
        given, self._held = self._held, ""
        return given

    def _overlap(self, stop: str) -> int:
        """Return how many characters at the end may be the beginning of ``stop``."""
        longest = min(len(stop) - 1, len(self._held))
        return next((size for size in range(longest, 0, -1) if self._held.endswith(stop[:size])), 0)

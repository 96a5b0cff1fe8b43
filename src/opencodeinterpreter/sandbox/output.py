"""Gathers what one run puts out: text, rich outputs, the value of its last expression, the error."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from opencodeinterpreter.sandbox.base import Display, ErrorInfo, OutputDelta
from opencodeinterpreter.sandbox.text import TextKeeper, plain, shortened, size_of, storable

OutputListener = Callable[[OutputDelta], None]

DISPLAY_FACTOR = 20
"""The rich outputs of one run may hold this many times ``Limits.output_bytes``."""
FLOOD_FACTOR = 50
"""A run that puts out this many times ``Limits.output_bytes`` is ended, but none before it has put out
``FLOOD_BYTES``."""
FLOOD_BYTES = 10_000_000
MOST_DISPLAYS = 500
_DEEPEST = 100


@dataclass
class _Shown:
    display: Display
    identity: str | None
    size: int


class OutputCollector:
    """Takes the output of one run as it comes.

    Args:
        limit: ``Limits.output_bytes``.
        listener: told of every piece that is kept, as it comes.
        log: tells where to write the whole text, where some of it is dropped.
    """

    def __init__(
        self, limit: int | None, listener: OutputListener | None = None, log: Callable[[], Path] | None = None
    ) -> None:
        self.texts = TextKeeper(limit, log)
        self.listener = listener
        self.result: str | None = None
        self.error: ErrorInfo | None = None
        self.omitted = 0
        """Bytes of values and rich outputs for which there was no room."""
        self._limit = limit
        self._bytes = 0
        self._shown: list[_Shown] = []
        self._shown_size = 0
        self._clear_next = False

    @property
    def flooded(self) -> bool:
        """Whether this run puts out more than can be meant."""
        return self._limit is not None and self._bytes > max(FLOOD_FACTOR * self._limit, FLOOD_BYTES)

    @property
    def displays(self) -> tuple[Display, ...]:
        return tuple(shown.display for shown in self._shown)

    def add_text(self, stream: str, text: str) -> None:
        self._bytes += size_of(text)
        self.texts.add(stream, text)
        if self.listener is not None and self.texts.omitted == 0:
            self.listener(OutputDelta("stderr" if stream == "stderr" else "stdout", text=text))

    def add_message(self, kind: str, content: dict[str, Any], size: int) -> None:
        """Take a message of the Jupyter protocol; ``size`` is in bytes. Kinds that are no output are ignored."""
        self._bytes += size
        if kind == "stream":
            text = content.get("text")
            if isinstance(text, str):
                self.add_text("stderr" if content.get("name") == "stderr" else "stdout", plain(storable(text)))
        elif kind == "error":
            self.error = self._error_of(content)
        elif kind == "clear_output":
            self._clear(wait=bool(content.get("wait")))
        elif kind in ("display_data", "execute_result", "update_display_data"):
            self._add_display(kind, content, size)

    def add_reply(self, content: dict[str, Any]) -> None:
        """Take the reply to the request, for what comes with no message of its own."""
        if content.get("status") == "error" and self.error is None:
            self.error = self._error_of(content)
        payload = content.get("payload")
        for part in payload if isinstance(payload, list) else ():
            data = part.get("data") if isinstance(part, dict) else None
            if isinstance(data, dict) and isinstance(text := data.get("text/plain"), str):
                self.add_text("stdout", storable(text) + "\n")  # what a pager would show, such as help

    def _error_of(self, content: dict[str, Any]) -> ErrorInfo:
        lines = content.get("traceback")
        trace = plain("\n".join(str(line) for line in lines)).rstrip("\n") if isinstance(lines, list) else ""
        name, value = str(content.get("ename", "Error")), str(content.get("evalue", ""))
        parts = [shortened(storable(part), self._limit)[0] for part in (name, value, trace or f"{name}: {value}")]
        return ErrorInfo(*parts)

    def _add_display(self, kind: str, content: dict[str, Any], size: int) -> None:
        data = _bundle(content.get("data"))
        if not data:
            return
        if self._clear_next:
            self._clear(wait=False)
        is_result = kind == "execute_result"
        if is_result and "text/plain" in data:
            self.result, omitted = shortened(str(data["text/plain"]), self._limit)
            self.omitted += omitted
            data["text/plain"] = self.result
        display = Display(data, "result" if is_result else "display")
        if not (is_result and set(data) == {"text/plain"}):  # a plain value stands in ``result`` alone
            transient = content.get("transient")
            identity = transient.get("display_id") if isinstance(transient, dict) else None
            if not self._keep(_Shown(display, identity if isinstance(identity, str) else None, size)):
                return
        if self.listener is not None:
            self.listener(OutputDelta("result" if is_result else "display", display=display))

    def _keep(self, shown: _Shown) -> bool:
        """Put a rich output in its place; return False if there is no room for it."""
        old = [at for at, other in enumerate(self._shown) if shown.identity and other.identity == shown.identity]
        size = self._shown_size + shown.size - sum(self._shown[at].size for at in old)
        too_large = self._limit is not None and size > DISPLAY_FACTOR * self._limit
        if too_large or (not old and len(self._shown) >= MOST_DISPLAYS):
            self.omitted += shown.size
            return False
        self._shown_size = size
        for at in old:
            self._shown[at] = shown
        if not old:
            self._shown.append(shown)
        return True

    def _clear(self, wait: bool) -> None:
        self._clear_next = wait
        if not wait:
            self._shown.clear()
            self._shown_size = 0


def _bundle(data: Any) -> dict[str, Any]:
    """Return a MIME bundle as our types promise it: text, or plain JSON for JSON types."""
    if not isinstance(data, dict):
        return {}
    return {storable(kind): _content(kind, value) for kind, value in data.items() if isinstance(kind, str)}


def _content(kind: str, value: Any) -> Any:
    is_json: Literal["yes", "no"] = "yes" if kind.endswith("json") else "no"
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, list) and is_json == "no" and all(isinstance(line, str) for line in value):
        return storable("".join(value))  # the protocol allows text as a list of lines
    return json.loads(storable(json.dumps(value, ensure_ascii=False)))

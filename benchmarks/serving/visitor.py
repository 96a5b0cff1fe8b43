"""One person at the server: a session that is followed as the web page follows it, and what each wish took."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any, Self

import httpx

_SECONDS = 180.0
_ENDS = ("answer", "failure")


class WrongAnswerError(Exception):
    """The server refused, or what came back is not what the code gives."""


class Visitor:
    """Makes a session and follows its events, until the ``with`` block ends.

    Args:
        url: of the server.
        token: bears every request.
        model: of the session; None for the server's first.
    """

    def __init__(self, url: str, token: str, model: str | None = None) -> None:
        self._http = httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=_SECONDS)
        self._model = model
        self._events: Iterator[dict[str, Any]] | None = None
        self.session = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.leave()
        self._http.close()

    def begin(self) -> float:
        """Make the session; return the seconds."""
        began = time.monotonic()
        body = {} if self._model is None else {"model": self._model}
        self.session = str(self._post("/api/v1/sessions", body, 201)["id"])
        seconds = time.monotonic() - began
        self._events = self._follow()
        return seconds

    def execute(self, code: str, prints: str) -> float:
        """Run code in the session; return the seconds until its result was here."""
        began = time.monotonic()
        self._post(f"{self._path}/cells", {"code": code}, 202)
        return self._finished(began, prints)

    def turn(self, text: str, prints: str) -> float:
        """Send a message, which a script answers with code and a text; return the seconds until the answer was here."""
        began = time.monotonic()
        self._post(f"{self._path}/messages", {"text": text}, 202)
        self._finished(began, prints, rest=False)
        answer = self._until(*_ENDS)
        seconds = time.monotonic() - began
        if answer.get("outcome") != "answered":
            raise WrongAnswerError(f"the turn ended with {answer}")
        return seconds

    def ask(self, text: str) -> Reply:
        """Send a message to a real model; return when what came."""
        reply = Reply(time.monotonic())
        self._post(f"{self._path}/messages", {"text": text}, 202)
        assert self._events is not None
        for row in self._events:
            reply.take(row, time.monotonic())
            if row["type"] in _ENDS:
                break
        return reply

    def state(self) -> dict[str, Any]:
        """Return what the server says of the session."""
        answer = self._http.get(self._path)
        if answer.status_code != 200:
            raise WrongAnswerError(f"{self._path} answered {answer.status_code}: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found

    def leave(self) -> None:
        """Follow no more; the session stays."""
        if self._events is not None:
            self._events.close()  # type: ignore[attr-defined]  # it is a generator
            self._events = None

    def delete(self) -> None:
        """Delete the session."""
        self.leave()
        answer = self._http.delete(self._path)
        if answer.status_code != 204:
            raise WrongAnswerError(f"the session was not deleted: {answer.status_code} {answer.text[:200]}")

    @property
    def _path(self) -> str:
        return f"/api/v1/sessions/{self.session}"

    def _post(self, path: str, body: dict[str, Any], status: int) -> dict[str, Any]:
        answer = self._http.post(path, json=body)
        if answer.status_code != status:
            raise WrongAnswerError(f"{path} answered {answer.status_code}: {answer.text[:200]}")
        found: dict[str, Any] = answer.json()
        return found

    def _follow(self) -> Iterator[dict[str, Any]]:
        with self._http.stream("GET", f"{self._path}/events") as answer:
            for line in answer.iter_lines():
                if line.startswith("data: "):
                    yield json.loads(line[6:])

    def _finished(self, began: float, prints: str, rest: bool = True) -> float:
        self._until("turn_started")  # before it, where the session was parked, its earlier code runs
        result = self._until("execution_finished", *_ENDS).get("result", {})
        seconds = time.monotonic() - began
        if result.get("status") != "ok" or result.get("stdout") != prints:
            raise WrongAnswerError(f"{prints!r} was to be printed, and it came {result}")
        if rest:
            self._until("answer")
        return seconds

    def _until(self, *kinds: str) -> dict[str, Any]:
        assert self._events is not None
        for row in self._events:
            if row["type"] in kinds:
                return row
        raise WrongAnswerError(f"the events of the session ended before any of {', '.join(kinds)}")


class Reply:
    """When the parts of a real model's turn came, in seconds from the message on."""

    def __init__(self, began: float) -> None:
        self._began = began
        self.first = 0.0
        """Of the first text."""
        self.answered = 0.0
        self.outcome = ""
        self.tokens = 0
        """That the model wrote."""
        self.prompt = 0
        self.cached = 0
        """Of the prompt's tokens, those that were not evaluated again."""
        self.executions = 0

    def take(self, row: dict[str, Any], now: float) -> None:
        """Take note of an event."""
        if row["type"] == "text_delta":
            self.first = self.first or now - self._began
        elif row["type"] == "execution_finished":
            self.executions += 1
        elif row["type"] == "round_finished" and row["usage"] is not None:
            self.prompt += row["usage"]["prompt_tokens"] or 0
            self.cached += row["usage"]["cached_prompt_tokens"] or 0
            self.tokens += row["usage"]["completion_tokens"] or 0
        elif row["type"] in _ENDS:
            self.answered = now - self._began
            self.outcome = str(row.get("outcome") or row["type"])

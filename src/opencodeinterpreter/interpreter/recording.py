"""Writes a turn's events to its session, and reads turns back from them."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opencodeinterpreter.interpreter.events import Answer, Event, Round, TextDelta, plain
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.models.base import Usage
from opencodeinterpreter.sandbox.base import Artifact, Display, ErrorInfo, ExecutionResult, FileChange

if TYPE_CHECKING:
    from opencodeinterpreter.interpreter.sessions import Session

_GATHER_SECONDS = 0.1
"""A line of text that takes longer is saved in parts, so that whoever follows the log sees it grow."""


class Recorder:
    """Saves events to a session as they happen; pieces of text are gathered to lines, for a moment at most.

    Args:
        session: None records nothing.
    """

    def __init__(self, session: Session | None) -> None:
        self._session = session
        self._text = ""
        self._flushed = 0.0
        self._settings: dict[str, Any] | None = None

    def event(self, event: Event) -> Event:
        """Save one event and return it."""
        if self._session is None:
            return event
        if isinstance(event, TextDelta):
            self._text += event.text
            if "\n" in event.text or time.monotonic() - self._flushed > _GATHER_SECONDS:
                self.flush()
            return event
        self.flush()
        self._session.append(event.to_json())
        return event

    def settings(self, settings: dict[str, Any]) -> None:
        """Save the settings of the turns that follow, where they differ from the last ones."""
        if self._session is not None and settings != self._settings:
            self._settings = settings
            self._session.append({"type": "settings", **{key: plain(value) for key, value in settings.items()}})

    def control(self, verb: str, **details: Any) -> None:
        """Save what a person did to the session apart from its turns."""
        if self._session is not None:
            self.flush()
            self._session.append({"type": verb, **details})

    def flush(self) -> None:
        """Save the text that does not make a whole line yet."""
        if self._session is not None and self._text:
            text, self._text, self._flushed = self._text, "", time.monotonic()
            self._session.append({"type": "text_delta", "text": text})


def history_of(events: Iterable[dict[str, Any]]) -> list[Turn]:
    """Rebuild the turns of a session from its saved events; a turn that a crash cut keeps the rounds it had."""
    turns: list[Turn] = []
    code: str | None = None
    result: ExecutionResult | None = None
    partial = ""
    for row in events:
        kind = row.get("type")
        if kind == "turn_started":
            _keep_partial(turns, partial)
            turns.append(Turn(row["task"], tuple(row["files"]), row["message"]))
            code, result, partial = None, None, ""
        elif kind == "text_delta":
            partial += row["text"]
        elif kind == "approval_request" or kind == "code_action_started":
            code = row["code"]
        elif kind == "execution_finished":
            result = result_from_json(row["result"])
        elif kind == "round_finished" and turns:
            usage = Usage(**row["usage"]) if row.get("usage") else None
            turns[-1].rounds.append(Round(row["reply"], code, result, row["feedback"], usage))
            code, result, partial = None, None, ""
        elif kind == "answer" and turns:
            turns[-1].answer = Answer(row["text"], row["outcome"], tuple(turns[-1].rounds))
        elif kind == "rated" and 0 <= row["turn"] < len(turns):
            turns[row["turn"]].rating = row["rating"]
        elif kind == "undo" and turns:
            turns.pop()
            partial = ""
    _keep_partial(turns, partial)
    return turns


def pending_comments(events: Iterable[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the comments, each with its code, that no message has taken to the model yet."""
    pending: list[tuple[str, str]] = []
    for row in events:
        if row.get("type") == "comment":
            pending.append((row["text"], row.get("code", "")))
        elif row.get("type") == "turn_started" and row.get("message"):
            pending.clear()
    return pending


def result_from_json(row: dict[str, Any]) -> ExecutionResult:
    """Rebuild an execution's result from its saved form."""
    artifacts: list[Artifact] = [
        Display(item["data"], item["kind"]) if "data" in item else FileChange(**item) for item in row["artifacts"]
    ]
    log = Path(row["log"]) if row["log"] else None
    error = ErrorInfo(**row["error"]) if row["error"] else None
    return ExecutionResult(**{**row, "artifacts": tuple(artifacts), "error": error, "log": log})


def _keep_partial(turns: list[Turn], partial: str) -> None:
    if turns and turns[-1].answer is None and partial.strip():
        turns[-1].rounds.append(Round(partial, None, None, None))

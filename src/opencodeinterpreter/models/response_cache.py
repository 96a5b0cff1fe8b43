"""Replies that were generated before, on disk, so that nothing is ever generated twice."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.models.base import Generation

_WAIT_SECONDS = 60.0
"""How long another program may hold the file."""


@dataclass(frozen=True)
class Tokens:
    """What a reply cost; a count that the back-end does not report is None."""

    prompt: int | None = None
    cached_prompt: int | None = None
    """of ``prompt``, those that the engine still had"""
    completion: int | None = None


@dataclass(frozen=True)
class Reply:
    """What a model answered."""

    text: str
    finish: str
    """``stop``, ``length``, ``repetition``, or ``context``: the messages left no room for an answer"""
    tokens: Tokens = field(default_factory=Tokens)
    seconds: float = 0.0
    cached: bool = False


def response_key(model: str, messages: Sequence[Message], generation: Generation) -> str:
    """Return the hash of all that decides a reply.

    Args:
        model: what identifies the model: the hash of its file where there is one.
        messages: what is sent.
        generation: how the reply is generated; a seed matters only to one that is drawn.
    """
    decoding = asdict(generation)
    if not generation.temperature:
        # The likeliest token does not depend on them.
        decoding["seed"], decoding["top_p"] = None, 1.0
    row = [model, [[message.role, message.content] for message in messages], decoding]
    text = json.dumps(row, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


class ResponseCache:
    """A file of replies. Threads and programs may share one; what was put in survives a crash.

    Args:
        path: the SQLite file; made if it is not there. None keeps the replies in memory alone.

    Raises:
        ConfigError: if the file cannot be used.
    """

    def __init__(self, path: Path | None) -> None:
        self._lock = threading.Lock()
        self._name = str(path or "the response cache")
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._file = sqlite3.connect(
                path or ":memory:", timeout=_WAIT_SECONDS, isolation_level=None, check_same_thread=False
            )
            # A write-ahead log: a reader never waits, and a crash loses at most what was not yet committed.
            self._file.execute("PRAGMA journal_mode=WAL")
            self._file.execute(
                "CREATE TABLE IF NOT EXISTS replies (key TEXT PRIMARY KEY, reply TEXT NOT NULL, made REAL NOT NULL)"
            )
        except (OSError, sqlite3.Error) as error:
            raise ConfigError(f"the response cache {self._name} cannot be used: {error}") from error

    def __enter__(self) -> ResponseCache:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def get(self, key: str) -> Reply | None:
        """Return the reply that was put under ``key``; None if there is none, or one that cannot be read."""
        row = self._one("SELECT reply FROM replies WHERE key = ?", (key,))
        if row is None:
            return None
        try:
            stored = json.loads(row[0])
            return Reply(stored["text"], stored["finish"], Tokens(**stored["tokens"]), stored["seconds"], cached=True)
        except (ValueError, KeyError, TypeError):
            # Written by another version of this program: generated again, and replaced.
            return None

    def put(self, key: str, reply: Reply) -> None:
        """Keep a reply; it is in the file when this returns."""
        row = {name: value for name, value in asdict(reply).items() if name != "cached"}
        # ASCII, since a reply may hold half of a surrogate pair.
        text = json.dumps(row, separators=(",", ":"))
        try:
            with self._lock:
                self._file.execute("INSERT OR REPLACE INTO replies VALUES (?, ?, ?)", (key, text, time.time()))
        except sqlite3.Error as error:
            raise ConfigError(f"the response cache {self._name} cannot be written: {error}") from error

    def __len__(self) -> int:
        return int(self._one("SELECT COUNT(*) FROM replies")[0])

    def _one(self, query: str, values: tuple[str, ...] = ()) -> Any:
        try:
            with self._lock:
                return self._file.execute(query, values).fetchone()
        except sqlite3.Error as error:
            raise ConfigError(f"the response cache {self._name} cannot be read: {error}") from error

    def close(self) -> None:
        with self._lock:
            self._file.close()

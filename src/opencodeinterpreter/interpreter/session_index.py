"""The index of sessions: what makes lists and search fast. It holds nothing that the sessions' folders do not."""

from __future__ import annotations

import logging
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencodeinterpreter.interpreter.session_log import read_events

logger = logging.getLogger(__name__)

_TITLE_CHARACTERS = 80


@dataclass(frozen=True)
class SessionInfo:
    """A line of the list of sessions."""

    id: str
    title: str
    """The first task, or the name that a person gave."""
    created: float
    updated: float
    """Both in seconds since the epoch."""
    turns: int
    model: str


class SessionIndex:
    """An SQLite file beside the sessions; a missing or broken one is made again from them.

    Args:
        root: the folder that holds the sessions' folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / "index.sqlite"

    def find(self, search: str = "") -> list[SessionInfo]:
        """Return the sessions whose title or tasks hold ``search``, newest first."""
        with self._opened() as index:
            rows = index.execute(
                "SELECT id, title, created, updated, turns, model FROM sessions "
                "WHERE ? = '' OR title LIKE '%' || ? || '%' OR tasks LIKE '%' || ? || '%' "
                "ORDER BY updated DESC, id DESC",
                (search, search, search),
            ).fetchall()
        return [SessionInfo(*row) for row in rows]

    def note(self, identity: str, row: dict[str, Any]) -> None:
        """Take in an event that was saved."""
        with self._opened() as index:
            _note(index, identity, row)

    def rename(self, identity: str, title: str) -> None:
        with self._opened() as index:
            index.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, identity))

    def forget(self, identity: str) -> None:
        with self._opened() as index:
            index.execute("DELETE FROM sessions WHERE id = ?", (identity,))

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        """Open the index for one transaction."""
        try:
            index = self._connect()
        except sqlite3.DatabaseError:
            logger.warning("The index %s is broken and is made again.", self._path)
            for suffix in ("", "-wal", "-shm"):
                self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
            index = self._connect()
        try:
            with index:
                yield index
        finally:
            index.close()

    def _connect(self) -> sqlite3.Connection:
        index = sqlite3.connect(self._path, timeout=10)
        try:
            index.execute("PRAGMA journal_mode = WAL")
            index.execute(
                "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, created REAL, updated REAL, "
                "turns INTEGER, model TEXT, tasks TEXT)"
            )
            known = {row[0] for row in index.execute("SELECT id FROM sessions")}
            with index:
                for events in self._root.glob("*/events.jsonl"):
                    if events.parent.name not in known:
                        for row in read_events(events.parent, outputs=False):
                            _note(index, events.parent.name, row)
        except BaseException:
            index.close()
            raise
        return index


def _note(index: sqlite3.Connection, identity: str, row: dict[str, Any]) -> None:
    moment = row.get("time", time.time())
    index.execute(
        "INSERT OR IGNORE INTO sessions VALUES (?, '', ?, ?, 0, '', '')",
        (identity, moment, moment),
    )
    index.execute("UPDATE sessions SET updated = ? WHERE id = ?", (moment, identity))
    if row.get("type") == "session":
        index.execute(
            "UPDATE sessions SET title = ?, model = ? WHERE id = ?",
            (row.get("title", ""), row.get("model", ""), identity),
        )
    elif row.get("type") == "renamed":
        index.execute("UPDATE sessions SET title = ? WHERE id = ?", (row.get("title", ""), identity))
    elif row.get("type") == "turn_started":
        task = str(row.get("task", ""))
        title = " ".join(task.split())[:_TITLE_CHARACTERS]
        index.execute(
            "UPDATE sessions SET turns = turns + 1, tasks = tasks || char(10) || ?, "
            "title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
            (task[:2000], title, identity),
        )

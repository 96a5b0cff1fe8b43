"""The index of sessions: what makes lists and search fast. It holds nothing that the sessions' folders do not."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencodeinterpreter.interpreter.session_log import read_events

logger = logging.getLogger(__name__)

_TITLE_CHARACTERS = 80
_LOOKING_SECONDS, _NOTING_SECONDS = 10.0, 1.0
"""How long another program that holds the index is waited for; a run must not wait long."""
_SELECT = (
    "SELECT sessions.id, title, created, updated, turns, model, source, turn "
    "FROM sessions LEFT JOIN forks ON forks.id = sessions.id"
)


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
    forked_from: str | None = None
    """The session that this one is a fork of."""
    forked_turn: int | None = None
    """The last turn that it took over from there, 0 being the first."""

    @property
    def forked(self) -> tuple[str, int] | None:
        """Where a fork comes from, session and turn, as ``export`` takes it."""
        return (self.forked_from, self.forked_turn or 0) if self.forked_from is not None else None


class SessionIndex:
    """An SQLite file beside the sessions; a missing or broken one is made again from them. Safe to use from any thread.

    Args:
        root: the folder that holds the sessions' folders.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._path = root / "index.sqlite"
        # Of many threads that write at once SQLite lets some starve; in a queue each has its turn after milliseconds.
        self._turn = threading.Lock()
        self._behind: set[str] = set()
        """Sessions of which an event could not be noted."""
        self._caught_up: set[str] = set()
        """Those of them that were taken in again in this transaction."""

    def find(self, search: str = "") -> list[SessionInfo]:
        """Return the sessions whose title or tasks hold ``search``, newest first."""
        with self._opened(_LOOKING_SECONDS) as index:
            self._take_in_unknown(index)
            rows = index.execute(
                f"{_SELECT} WHERE ? = '' OR title LIKE '%' || ? || '%' OR tasks LIKE '%' || ? || '%' "
                "ORDER BY updated DESC, sessions.id DESC",
                (search, search, search),
            ).fetchall()
        return [SessionInfo(*row) for row in rows]

    def info(self, identity: str) -> SessionInfo | None:
        """Return one session; None if it is not known."""
        with self._opened(_LOOKING_SECONDS) as index:
            row = index.execute(f"{_SELECT} WHERE sessions.id = ?", (identity,)).fetchone()
        return SessionInfo(*row) if row is not None else None

    def note(self, identity: str, row: dict[str, Any]) -> None:
        """Take in an event that was saved: now, or later where another program holds the index."""
        try:
            with self._opened(_NOTING_SECONDS) as index:
                if identity not in self._caught_up:  # with its whole log, this event too
                    _note(index, identity, row)
        except sqlite3.OperationalError as error:
            logger.warning("Session %s could not be noted in the index yet: %s", identity, error)
            self._behind.add(identity)

    def take_in(self, identity: str) -> None:
        """Take in a session that begins with many events: now, or later where another program holds the index."""
        self._behind.add(identity)
        try:
            with self._opened(_NOTING_SECONDS):
                pass  # what is behind is taken in whenever the index is opened
        except sqlite3.OperationalError as error:
            logger.warning("Session %s could not be noted in the index yet: %s", identity, error)

    def rename(self, identity: str, title: str) -> None:
        with self._opened(_LOOKING_SECONDS) as index:
            index.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, identity))

    def forget(self, identity: str) -> None:
        with self._opened(_LOOKING_SECONDS) as index:
            index.execute("DELETE FROM sessions WHERE id = ?", (identity,))
            index.execute("DELETE FROM forks WHERE id = ?", (identity,))

    @contextmanager
    def _opened(self, seconds: float) -> Iterator[sqlite3.Connection]:
        """Open the index for one transaction, waiting so long for other programs that hold it."""
        with self._turn:
            try:
                index = self._connect(seconds)
            except sqlite3.OperationalError:  # it is held by another program, or the disk is full: that mends itself
                raise
            except sqlite3.DatabaseError:
                logger.warning("The index %s is broken and is made again.", self._path)
                for suffix in ("", "-wal", "-shm"):
                    self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
                index = self._connect(seconds)
            try:
                with index:
                    self._catch_up(index)
                    yield index
            finally:
                index.close()

    def _connect(self, seconds: float) -> sqlite3.Connection:
        index = sqlite3.connect(self._path, timeout=seconds)
        try:
            # A loss of power may break it, and it is made again: waiting for the disk at each event would buy nothing.
            index.execute("PRAGMA synchronous = OFF")
            if index.execute("SELECT 1 FROM sqlite_master WHERE name = 'forks'").fetchone() is None:
                index.execute("PRAGMA journal_mode = WAL")
                index.execute(
                    "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, created REAL, updated REAL, "
                    "turns INTEGER, model TEXT, tasks TEXT)"
                )
                # A table of its own: an index of an earlier version gets it beside what it has.
                index.execute("CREATE TABLE IF NOT EXISTS forks (id TEXT PRIMARY KEY, source TEXT, turn INTEGER)")
                with index:
                    self._take_in_unknown(index)
        except BaseException:
            index.close()
            raise
        return index

    def _take_in_unknown(self, index: sqlite3.Connection) -> None:
        """Take in the sessions that have a folder and no row."""
        known = {row[0] for row in index.execute("SELECT id FROM sessions")}
        for events in self._root.glob("*/events.jsonl"):
            if events.parent.name not in known:
                _read_again(index, events.parent)

    def _catch_up(self, index: sqlite3.Connection) -> None:
        """Take in again the sessions that are behind."""
        self._caught_up = set(self._behind)
        for identity in self._caught_up:
            title = index.execute("SELECT title FROM sessions WHERE id = ?", (identity,)).fetchone()
            index.execute("DELETE FROM sessions WHERE id = ?", (identity,))
            if (self._root / identity / "events.jsonl").exists():
                _read_again(index, self._root / identity)
            if title is not None and title[0]:  # a person may have given it
                index.execute("UPDATE sessions SET title = ? WHERE id = ?", (title[0], identity))
            self._behind.discard(identity)


def _read_again(index: sqlite3.Connection, folder: Path) -> None:
    for row in read_events(folder, outputs=False):
        _note(index, folder.name, row)


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
    elif row.get("type") == "forked":
        title = row.get("title", "")
        index.execute("UPDATE sessions SET title = ? WHERE id = ? AND ? <> ''", (title, identity, title))
        values = (identity, row.get("session", ""), row.get("turn", 0))
        index.execute("INSERT OR REPLACE INTO forks VALUES (?, ?, ?)", values)
    elif row.get("type") == "turn_started":
        task = str(row.get("task", ""))
        title = " ".join(task.split())[:_TITLE_CHARACTERS]
        index.execute(
            "UPDATE sessions SET turns = turns + 1, tasks = tasks || char(10) || ?, "
            "title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
            (task[:2000], title, identity),
        )

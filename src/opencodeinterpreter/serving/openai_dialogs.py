"""Finds the session behind a dialog of a caller who keeps no state: by the dialog's hash."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

Said = tuple[str, str]
"""(role, text)"""

_FILE = "dialogs.sqlite"
_SESSIONS = "SELECT session FROM dialogs UNION SELECT session FROM responses UNION SELECT session FROM cut"


@dataclass(frozen=True)
class Standing:
    """Where a response stands."""

    session: str
    turns: int
    """Of the session, this one included."""
    event: int | None = None
    """The number of the last event of its run; None for one of an earlier version."""


def digest(owner: str, user: str, dialog: Sequence[Said]) -> str:
    """Return the hash of a dialog. Two owners, or two users of one owner, never meet in one session."""
    said = [[role, _on_one_line(text)] for role, text in dialog if role in ("user", "assistant")]
    return hashlib.sha256(json.dumps([owner, user, said]).encode()).hexdigest()


class Dialogs:
    """Remembers which session a dialog belongs to, and how many turns it had then.

    Args:
        folder: of the sessions; holds the file, so that they are found after a restart too. What it has of sessions
            that were deleted meanwhile is removed.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        with self._opened() as base:
            base.execute("CREATE TABLE IF NOT EXISTS dialogs (digest TEXT PRIMARY KEY, session TEXT, turns INTEGER)")
            base.execute("CREATE TABLE IF NOT EXISTS responses (id TEXT PRIMARY KEY, session TEXT, turns INTEGER)")
            base.execute("CREATE TABLE IF NOT EXISTS cut (digest TEXT, session TEXT, turns INTEGER, answer TEXT)")
            if "event" not in {row[1] for row in base.execute("PRAGMA table_info(responses)")}:
                base.execute("ALTER TABLE responses ADD COLUMN event INTEGER")
            for (session,) in base.execute(_SESSIONS).fetchall():
                if not (folder / session / "events.jsonl").is_file():
                    _forget(base, session)

    def note(self, keys: Iterable[str], session: str, turns: int) -> None:
        """Remember a dialog. Others that had taken the session as far, or farther, are no longer what it holds.

        Args:
            keys: its hashes, one for each form in which a caller may send it back.
        """
        with self._opened() as base:
            base.execute("DELETE FROM dialogs WHERE session = ? AND turns >= ?", (session, turns))
            base.execute("DELETE FROM cut WHERE session = ? AND turns >= ?", (session, turns))
            base.executemany("INSERT OR REPLACE INTO dialogs VALUES (?, ?, ?)", [(key, session, turns) for key in keys])

    def find(self, key: str) -> tuple[str, int] | None:
        """Return the session and its number of turns, or None."""
        with self._opened() as base:
            found = base.execute("SELECT session, turns FROM dialogs WHERE digest = ?", (key,)).fetchone()
        return (str(found[0]), int(found[1])) if found else None

    def note_cut(self, key: str, session: str, turns: int, answer: str) -> None:
        """Remember a dialog whose last answer its caller did not take to the end.

        Args:
            key: of the dialog before that answer.
            answer: what was sent of it; the caller may have kept less.
        """
        with self._opened() as base:
            base.execute("DELETE FROM cut WHERE session = ? AND turns >= ?", (session, turns))
            base.execute("INSERT INTO cut VALUES (?, ?, ?, ?)", (key, session, turns, _on_one_line(answer)))

    def find_cut(self, key: str, answer: str) -> tuple[str, int] | None:
        """Return the session in which an answer, of which the caller has the beginning, was stopped, or None."""
        kept = _on_one_line(answer)
        with self._opened() as base:
            query = "SELECT session, turns, answer FROM cut WHERE digest = ? ORDER BY rowid DESC"
            found = [row for row in base.execute(query, (key,)) if str(row[2]).startswith(kept)]
        return (str(found[0][0]), int(found[0][1])) if found else None

    def note_response(self, identity: str, response: Standing) -> None:
        """Remember a response by its id."""
        row = (identity, response.session, response.turns, response.event)
        with self._opened() as base:
            base.execute("INSERT OR REPLACE INTO responses (id, session, turns, event) VALUES (?, ?, ?, ?)", row)

    def find_response(self, identity: str) -> Standing | None:
        """Return where a response stands, or None."""
        with self._opened() as base:
            found = base.execute("SELECT session, turns, event FROM responses WHERE id = ?", (identity,)).fetchone()
        return Standing(*found) if found else None

    def have_later(self, response: Standing) -> bool:
        """Tell whether there are responses of later turns of the same session."""
        query = "SELECT 1 FROM responses WHERE session = ? AND turns > ?"
        with self._opened() as base:
            return base.execute(query, (response.session, response.turns)).fetchone() is not None

    def _opened(self) -> AbstractContextManager[sqlite3.Connection]:
        return _opened(self._path)


def forget_dialogs(folder: Path, session: str) -> None:
    """Remove what is kept of the dialogs of a session that was deleted, the texts of answers too.

    Args:
        folder: of the sessions.
    """
    path = folder / _FILE
    if path.is_file():
        with _opened(path) as base:
            _forget(base, session)


def _forget(base: sqlite3.Connection, session: str) -> None:
    for table in ("dialogs", "responses", "cut"):
        base.execute(f"DELETE FROM {table} WHERE session = ?", (session,))  # noqa: S608 - the names are ours


@contextmanager
def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    base = sqlite3.connect(path, timeout=10)
    try:
        base.execute("PRAGMA secure_delete = ON")  # what is deleted is written over
        with base:
            yield base
    finally:
        base.close()


def _on_one_line(text: str) -> str:
    return " ".join(text.split())

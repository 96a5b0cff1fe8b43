"""Finds the session behind a dialog of a caller who keeps no state: by the dialog's hash."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

Said = tuple[str, str]
"""(role, text)"""


def digest(owner: str, user: str, dialog: Sequence[Said]) -> str:
    """Return the hash of a dialog. Two owners, or two users of one owner, never meet in one session."""
    said = [[role, _on_one_line(text)] for role, text in dialog if role in ("user", "assistant")]
    return hashlib.sha256(json.dumps([owner, user, said]).encode()).hexdigest()


class Dialogs:
    """Remembers which session a dialog belongs to, and how many turns it had then.

    Args:
        folder: holds the file, so that sessions are found after a restart too.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "dialogs.sqlite"
        with self._opened() as base:
            base.execute("CREATE TABLE IF NOT EXISTS dialogs (digest TEXT PRIMARY KEY, session TEXT, turns INTEGER)")
            base.execute("CREATE TABLE IF NOT EXISTS responses (id TEXT PRIMARY KEY, session TEXT, turns INTEGER)")
            base.execute("CREATE TABLE IF NOT EXISTS cut (digest TEXT, session TEXT, turns INTEGER, answer TEXT)")

    def note(self, key: str, session: str, turns: int) -> None:
        """Remember a dialog. Others that had taken the session as far, or farther, are no longer what it holds."""
        with self._opened() as base:
            base.execute("DELETE FROM dialogs WHERE session = ? AND turns >= ?", (session, turns))
            base.execute("DELETE FROM cut WHERE session = ? AND turns >= ?", (session, turns))
            base.execute("INSERT OR REPLACE INTO dialogs VALUES (?, ?, ?)", (key, session, turns))

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

    def note_response(self, identity: str, session: str, turns: int) -> None:
        """Remember a response by its id."""
        with self._opened() as base:
            base.execute("INSERT OR REPLACE INTO responses VALUES (?, ?, ?)", (identity, session, turns))

    def find_response(self, identity: str) -> tuple[str, int] | None:
        """Return the session of a response and its number of turns then, or None."""
        with self._opened() as base:
            found = base.execute("SELECT session, turns FROM responses WHERE id = ?", (identity,)).fetchone()
        return (str(found[0]), int(found[1])) if found else None

    @contextmanager
    def _opened(self) -> Iterator[sqlite3.Connection]:
        base = sqlite3.connect(self._path, timeout=10)
        try:
            with base:
                yield base
        finally:
            base.close()


def _on_one_line(text: str) -> str:
    return " ".join(text.split())

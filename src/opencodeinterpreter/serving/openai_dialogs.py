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
    said = [[role, " ".join(text.split())] for role, text in dialog if role in ("user", "assistant")]
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

    def note(self, key: str, session: str, turns: int) -> None:
        """Remember a dialog."""
        with self._opened() as base:
            base.execute("INSERT OR REPLACE INTO dialogs VALUES (?, ?, ?)", (key, session, turns))

    def find(self, key: str) -> tuple[str, int] | None:
        """Return the session and its number of turns, or None."""
        with self._opened() as base:
            found = base.execute("SELECT session, turns FROM dialogs WHERE digest = ?", (key,)).fetchone()
        return (str(found[0]), int(found[1])) if found else None

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

"""Sessions on disk: a folder each, every event saved as it happens.

<root>/index.sqlite            what ``infos`` shows; made again from the folders if it is lost
<root>/<id>/events.jsonl       the session, one event a line, only ever appended to
<root>/<id>/outputs/<hash>.png images and other binary outputs, by content
<root>/<id>/workspace/         the sandbox's workspace
<root>/<id>/lock               held by the program that has the session open
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import json
import logging
import os
import secrets
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from opencodeinterpreter.errors import SessionBusyError, SessionError, UnknownSessionError

logger = logging.getLogger(__name__)

_BINARY = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf"}
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


class Session:
    """One open session. Use it in a ``with`` block, or close it; while it is open no other program can open it."""

    def __init__(self, folder: Path, lock: IO[str], store: SessionStore) -> None:
        self.id = folder.name
        self.folder = folder
        self.workspace = folder / "workspace"
        self._lock = lock
        self._store = store
        self._events = folder / "events.jsonl"
        _drop_torn_line(self._events)
        self._file = self._events.open("a", encoding="utf-8")

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, event: dict[str, Any]) -> None:
        """Save one event; it is on its way to the disk when this returns.

        Raises:
            SessionError: if it cannot be written, as on a full disk.
        """
        row = {"time": round(time.time(), 3), **self._by_reference(event)}
        try:
            self._file.write(json.dumps(row, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise SessionError(f"The session could not be saved to {self.folder}: {error.strerror}.") from error
        if event.get("type") in {"turn_started", "answer", "session"}:
            self._store.note(self.id, row)

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what was saved, in order, outputs included."""
        yield from read_events(self.folder)

    def close(self) -> None:
        """Save and let go of the session; safe to call twice."""
        if not self._file.closed:
            self._file.close()
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._lock.close()

    def _by_reference(self, value: Any) -> Any:
        """Put binary outputs into files of their own: a log full of base64 is of no use to anyone."""
        if isinstance(value, dict):
            kept: dict[str, Any] = {}
            for key, item in value.items():
                if key in _BINARY and isinstance(item, str):
                    kept[key] = {"path": self._store_output(item, _BINARY[key])}
                else:
                    kept[key] = self._by_reference(item)
            return kept
        if isinstance(value, list):
            return [self._by_reference(item) for item in value]
        return value

    def _store_output(self, text: str, suffix: str) -> str:
        try:
            content = base64.b64decode(text)
        except ValueError:
            content = text.encode()
        name = f"{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
        path = self.folder / "outputs" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            partial = path.with_suffix(".part")
            partial.write_bytes(content)
            partial.replace(path)
        return f"outputs/{name}"


class SessionStore:
    """All sessions below one folder.

    Args:
        root: made if it is not there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SessionError(
                f"Sessions cannot be kept in {root}: {error.strerror}; choose another folder."
            ) from error

    def create(self, model: str = "", title: str = "") -> Session:
        """Start a new session."""
        identity = time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2)
        folder = self.root / identity
        try:
            (folder / "workspace").mkdir(parents=True, mode=0o700)
        except OSError as error:
            raise SessionError(f"No session can be made in {self.root}: {error.strerror}.") from error
        session = self._open(folder)
        session.append({"type": "session", "version": 1, "model": model, "title": title})
        return session

    def open(self, identity: str) -> Session:
        """Open a session to go on with it; a unique beginning of its id is enough, and "last" is the newest.

        Raises:
            UnknownSessionError: no such session.
            SessionBusyError: another program has it open.
        """
        return self._open(self.folder(identity))

    def folder(self, identity: str) -> Path:
        """Return the folder of a session, named as for ``open``.

        Raises:
            UnknownSessionError: no such session, or more than one.
        """
        known = sorted(path.parent.name for path in self.root.glob("*/events.jsonl"))
        if identity == "last" and known:
            return self.root / max(known, key=lambda name: (self.root / name / "events.jsonl").stat().st_mtime)
        matches = [name for name in known if name == identity] or [
            name for name in known if identity and name.startswith(identity)
        ]
        if len(matches) == 1:
            return self.root / matches[0]
        if matches:
            raise UnknownSessionError(f"{identity!r} could be {' or '.join(matches[:5])}; give more of the id.")
        raise UnknownSessionError(f"There is no session {identity!r}; `ocint sessions list` shows them.")

    def infos(self, search: str = "") -> list[SessionInfo]:
        """Return the sessions, newest first, whose title or tasks hold ``search``."""
        with closing(self._index()) as index:
            rows = index.execute(
                "SELECT id, title, created, updated, turns, model FROM sessions "
                "WHERE ? = '' OR title LIKE '%' || ? || '%' OR tasks LIKE '%' || ? || '%' "
                "ORDER BY updated DESC, id DESC",
                (search, search, search),
            ).fetchall()
        return [SessionInfo(*row) for row in rows if (self.root / row[0]).is_dir()]

    def rename(self, identity: str, title: str) -> None:
        """Give a session another title."""
        folder = self.folder(identity)
        with closing(self._index()) as index, index:
            index.execute("UPDATE sessions SET title = ? WHERE id = ?", (title, folder.name))

    def delete(self, identity: str) -> None:
        """Delete a session with its files.

        Raises:
            SessionBusyError: a program has it open.
        """
        folder = self.folder(identity)
        self._lock(folder).close()
        shutil.rmtree(folder)
        with closing(self._index()) as index, index:
            index.execute("DELETE FROM sessions WHERE id = ?", (folder.name,))

    def prune(self, older_than_seconds: float) -> list[str]:
        """Delete the sessions not used for so long; open ones stay. Return their ids."""
        deleted = []
        for info in self.infos():
            if time.time() - info.updated > older_than_seconds:
                try:
                    self.delete(info.id)
                except SessionBusyError:
                    continue
                deleted.append(info.id)
        return deleted

    def note(self, identity: str, row: dict[str, Any]) -> None:
        """Bring the index up to date with an event that was saved."""
        with closing(self._index()) as index, index:
            _note(index, identity, row)

    def _open(self, folder: Path) -> Session:
        return Session(folder, self._lock(folder), self)

    def _lock(self, folder: Path) -> IO[str]:
        lock = (folder / "lock").open("w", encoding="utf-8")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            lock.close()
            raise SessionBusyError(
                f"Session {folder.name} is open in another program; close it there or start a new session."
            ) from error
        return lock

    def _index(self) -> sqlite3.Connection:
        path = self.root / "index.sqlite"
        try:
            return self._opened_index(path)
        except sqlite3.DatabaseError:
            # The index holds nothing that the folders do not: a broken one is made again.
            logger.warning("The index %s is broken and is made again.", path)
            for name in (path.name, path.name + "-wal", path.name + "-shm"):
                (self.root / name).unlink(missing_ok=True)
            return self._opened_index(path)

    def _opened_index(self, path: Path) -> sqlite3.Connection:
        index = sqlite3.connect(path, timeout=10)
        try:
            index.execute("PRAGMA journal_mode = WAL")
            index.execute(
                "CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, title TEXT, created REAL, updated REAL, "
                "turns INTEGER, model TEXT, tasks TEXT)"
            )
            known = {row[0] for row in index.execute("SELECT id FROM sessions")}
            with index:
                for events in self.root.glob("*/events.jsonl"):
                    if events.parent.name not in known:
                        for row in read_events(events.parent, outputs=False):
                            _note(index, events.parent.name, row)
        except BaseException:
            index.close()
            raise
        return index


def read_events(folder: Path, outputs: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the events saved in a session's folder; a last line that a crash cut is passed over.

    Args:
        outputs: put images back in where the log refers to them.
    """
    with (folder / "events.jsonl").open(encoding="utf-8", newline="\n") as file:
        for line in file:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                logger.warning("An unreadable line in %s was passed over.", folder / "events.jsonl")
                continue
            yield _with_outputs(row, folder) if outputs else row


def _with_outputs(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        restored: dict[str, Any] = {}
        for key, item in value.items():
            if key in _BINARY and isinstance(item, dict) and isinstance(item.get("path"), str):
                path = folder / "outputs" / Path(item["path"]).name
                restored[key] = base64.b64encode(path.read_bytes()).decode() if path.is_file() else ""
            else:
                restored[key] = _with_outputs(item, folder)
        return restored
    if isinstance(value, list):
        return [_with_outputs(item, folder) for item in value]
    return value


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
    elif row.get("type") == "turn_started":
        task = str(row.get("task", ""))
        title = " ".join(task.split())[:_TITLE_CHARACTERS]
        index.execute(
            "UPDATE sessions SET turns = turns + 1, tasks = tasks || char(10) || ?, "
            "title = CASE title WHEN '' THEN ? ELSE title END WHERE id = ?",
            (task[:2000], title, identity),
        )


def _drop_torn_line(events: Path) -> None:
    """Cut off a last line that a crash left unfinished, so that the next event starts on a line of its own."""
    if not events.exists():
        return
    with events.open("rb+") as file:
        file.seek(0, os.SEEK_END)
        end = file.tell()
        while end > 0:
            start = max(0, end - 4096)
            file.seek(start)
            block = file.read(end - start)
            newline = block.rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)

"""Sessions on disk: a folder each, every event saved as it happens.

<root>/index.sqlite            what ``infos`` shows; made again from the folders if it is lost
<root>/<id>/events.jsonl       the session, one event a line, only ever appended to
<root>/<id>/outputs/<hash>.png images and other binary outputs, by content
<root>/<id>/workspace/         the sandbox's workspace
<root>/<id>/packages/          packages installed for this session
<root>/<id>/lock               held by the program that has the session open
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from opencodeinterpreter.errors import SessionBusyError, SessionError, UnknownSessionError
from opencodeinterpreter.interpreter.forking import fill_fork
from opencodeinterpreter.interpreter.session_index import SessionIndex, SessionInfo
from opencodeinterpreter.interpreter.session_log import by_reference, count_events, drop_torn_line, read_events
from opencodeinterpreter.sandbox.base import Limits


class Session:
    """One open session. Use it in a ``with`` block, or close it; while it is open no other program can open it."""

    def __init__(self, folder: Path, lock: IO[str], index: SessionIndex) -> None:
        self.id = folder.name
        self.folder = folder
        self.workspace = folder / "workspace"
        self.packages = folder / "packages"
        self._lock = lock
        self._index = index
        self._events = folder / "events.jsonl"
        drop_torn_line(self._events)
        self._file = self._events.open("a", encoding="utf-8")
        self.count = count_events(self._events)
        """How many events there are: the number of the last one."""
        self.on_append: Callable[[], None] | None = None
        """Called, in the thread that appends, after each event that was saved."""
        self.busy = False
        """Whether something runs in it; its interpreter says so."""
        self._writing = threading.Lock()
        self._whole = True

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def append(self, event: dict[str, Any]) -> int:
        """Save one event, from any thread, and return its number; it is on its way to the disk when this returns.

        Raises:
            SessionError: if it cannot be written, as on a full disk.
        """
        try:
            row = {"time": round(time.time(), 3), **by_reference(event, self.folder)}
            line = json.dumps(row, ensure_ascii=False) + "\n"
            with self._writing:
                self._file.write(line)
                self._file.flush()
                self.count = self.count + 1 if self._whole else count_events(self._events)
                self._whole = True
                number = self.count
        except OSError as error:
            self._whole = False  # a part of the line may be there, or come later
            raise SessionError(f"The session could not be saved to {self.folder}: {error.strerror}.") from error
        if event.get("type") in {"turn_started", "answer", "session"}:
            self._index.note(self.id, row)
        if self.on_append is not None:
            self.on_append()
        return number

    def events(self) -> Iterator[dict[str, Any]]:
        """Yield what was saved, in order, outputs included."""
        yield from read_events(self.folder)

    def close(self) -> None:
        """Save and let go of the session; safe to call twice."""
        if not self._lock.closed:
            with contextlib.suppress(OSError):  # of a line that `append` has said to be lost
                self._file.close()
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            self._lock.close()


class SessionStore:
    """All sessions below one folder.

    Args:
        root: made if it is not there.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._index = SessionIndex(root)
        try:
            root.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise SessionError(
                f"Sessions cannot be kept in {root}: {error.strerror}; choose another folder."
            ) from error

    def create(self, model: str = "", title: str = "") -> Session:
        """Start a new session.

        Raises:
            SessionError: it cannot be saved, as on a full disk.
        """
        session = self._open(self._new_folder())
        try:
            session.append({"type": "session", "version": 1, "model": model, "title": title})
        except SessionError:
            session.close()
            shutil.rmtree(session.folder, ignore_errors=True)
            raise
        return session

    def fork(
        self,
        source: Session | str,
        turn: int | None = None,
        title: str | None = None,
        limit_mb: int | None = Limits().workspace_mb,
    ) -> Session:
        """Make a session that begins with the dialog, the events and the files of another one, and goes on by itself.

        The files are copied as they are now, whichever turn is named; links among them are left out. Variables are
        gone, as after ``open``, and come back by a replay. The other session stays as it is.

        Args:
            source: an open session, or the id of one that is open nowhere.
            turn: the last turn taken over, 0 being the first; None takes over all.
            title: of the new session; None for that of the other one.
            limit_mb: of the files; None for no limit.

        Raises:
            InputError: there is no such turn, or the files are too large.
            UnknownSessionError: no such session.
            SessionBusyError: something runs in it, or another program has it open.
            SessionError: the copy cannot be saved, as on a full disk.
        """
        if isinstance(source, str):
            with self.open(source) as opened:
                return self.fork(opened, turn, title, limit_mb)
        if source.busy:
            raise SessionBusyError(f"Something runs in session {source.id}; wait for it, or stop it first.")
        if title is None:
            info = self._index.info(source.id)
            title = info.title if info is not None else ""
        folder = self._new_folder()
        try:
            fill_fork(source.folder, folder, turn, title, limit_mb)
            session = self._open(folder)
        except BaseException as error:
            shutil.rmtree(folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise SessionError(f"Session {source.id} cannot be copied: {error.strerror}.") from error
            raise
        self._index.take_in(session.id)
        return session

    def _new_folder(self) -> Path:
        while True:
            folder = self.root / (time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(2))
            try:
                folder.mkdir(parents=True, mode=0o700)
                (folder / "workspace").mkdir(mode=0o700)
                return folder
            except FileExistsError:
                continue  # another session of the same second: of 50 made at once, one in fifty times
            except OSError as error:
                raise SessionError(f"No session can be made in {self.root}: {error.strerror}.") from error

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
        return [info for info in self._index.find(search) if (self.root / info.id).is_dir()]

    def info(self, identity: str) -> SessionInfo | None:
        """Return one session, by its whole id; None if it is not known."""
        return self._index.info(identity)

    def rename(self, identity: str, title: str) -> None:
        """Give a session another title."""
        folder = self.folder(identity)
        self._index.rename(folder.name, title)

    def delete(self, identity: str) -> None:
        """Delete a session with its files.

        Raises:
            SessionBusyError: a program has it open.
        """
        folder = self.folder(identity)
        self._lock(folder).close()
        shutil.rmtree(folder)
        self._index.forget(folder.name)

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

    def _open(self, folder: Path) -> Session:
        return Session(folder, self._lock(folder), self._index)

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

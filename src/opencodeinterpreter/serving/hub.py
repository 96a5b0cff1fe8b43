"""All sessions of a server: who may have one, how many have a kernel, when they are put away."""

from __future__ import annotations

import logging
import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

from opencodeinterpreter.errors import SessionError, UnknownSessionError
from opencodeinterpreter.interpreter import Event, Interpreter, Session, SessionInfo, SessionStore, Toolbox
from opencodeinterpreter.models.base import ChatModel, Generation
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.backends import load_backend
from opencodeinterpreter.sandbox.base import Limits, SandboxBackend
from opencodeinterpreter.sandbox.packages import PackageFolder
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.openai_dialogs import forget_dialogs
from opencodeinterpreter.serving.quotas import Places
from opencodeinterpreter.serving.refusals import ClosingError, OverloadedError
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.room_runs import RoomRuns, State
from opencodeinterpreter.serving.shares import forget_shares
from opencodeinterpreter.serving.shelf import ModelShelf
from opencodeinterpreter.serving.sweeper import Sweeper

logger = logging.getLogger(__name__)

_OWNER = "owner"


class Watcher(Protocol):
    """Is told what happens, to count it."""

    def saw(self, room: RoomRuns, event: Event) -> None: ...

    def ended(self, room: RoomRuns, last: Event | None) -> None: ...


@dataclass(frozen=True)
class HubSettings:
    """How sessions are held."""

    approve: bool = False
    """Ask before each run, where a session does not say otherwise."""
    max_rounds: int = 5
    generation: Generation = field(default_factory=Generation)
    limits: Limits = field(default_factory=Limits)
    network: bool = False
    isolation: str = "bubblewrap"
    max_kernels: int = 16
    """Sessions that have a kernel at the same time; the one not used for longest is parked for another."""
    max_waiting: int = 32
    """Replies that may wait for the model; past that turns are refused."""
    park_seconds: float | None = 900.0
    """After so long without use a session is parked."""
    expire_seconds: float | None = None
    """After so long without use a session is deleted; None keeps it until somebody deletes it."""
    replay: bool = True
    """Run the earlier code again when a parked session comes back."""
    sweep_seconds: float = 5.0
    """How often it is looked for sessions to put away."""


class Hub:
    """Holds the sessions of one server. Use it in a ``with`` block, or close it. Safe to use from any thread.

    Args:
        store: where sessions are kept.
        shelf: the models; closed with the hub.
        make_sandbox: makes a session's sandbox, unstarted.
        make_packages: makes what installs packages for a session; None where nothing is installed.
        make_tools: makes what calls the tools of MCP servers for a session; None where there are none.
        isolation: in which files are read for their previews; None for the one that the settings name.
    """

    def __init__(
        self,
        store: SessionStore,
        shelf: ModelShelf,
        make_sandbox: Callable[[Session], AnySandbox],
        settings: HubSettings | None = None,
        make_packages: Callable[[Session], PackageFolder | None] = lambda _session: None,
        isolation: SandboxBackend | None = None,
        make_tools: Callable[[Session], Toolbox | None] = lambda _session: None,
    ) -> None:
        self.store = store
        self.shelf = shelf
        self.settings = settings or HubSettings()
        self.isolation = isolation or load_backend(self.settings.isolation)
        self.started = time.time()
        self.closing = False
        self.watchers: list[Watcher] = []
        self.places = Places()
        self.gone: list[Callable[[str], None]] = [
            partial(forget_dialogs, store.root),
            partial(forget_shares, store.root),
        ]
        """Told the id of each session that was deleted, to forget what they have of it."""
        self._make_sandbox = make_sandbox
        self._make_packages = make_packages
        self._make_tools = make_tools
        self._rooms: dict[str, Room] = {}
        self._opening: set[str] = set()
        self._lock = threading.RLock()
        self._sweeper = Sweeper(self)
        self._sweeper.start()

    def __enter__(self) -> Hub:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    # Sessions.

    def create(self, owner: str = "", title: str = "", model: str | None = None, approve: bool | None = None) -> Room:
        """Make a session; its kernel starts with its first code.

        Raises:
            UnknownModelError: the model is not offered.
            OverloadedError: the owner has as many sessions as they may, or the server is about to end.
            SessionError: it cannot be saved, as on a full disk; then there is none.
        """
        self._check_running()
        name = self.shelf.check(model) if model else self.shelf.default
        rows = [{"type": "chosen", "model": name, "approve": approve}] if approve is not None else []
        return self._owned(lambda: self.store.create(model=name, title=title), owner, rows)

    def _owned(self, make: Callable[[], Session], owner: str, rows: Sequence[dict[str, Any]] = ()) -> Room:
        """Make a session, add events to it and give it to its owner, unless they have as many as they may."""
        with self.places.one_more_session(owner, lambda: len(self.infos(owner))):
            session = make()
            with self._whole(session), session:
                for row in rows:
                    session.append(row)
                if owner:
                    (session.folder / _OWNER).write_text(owner, encoding="utf-8")
            return self._room(session.id, owner)

    @contextmanager
    def _whole(self, session: Session) -> Iterator[None]:
        """Delete a new session if what is done in the block fails: half made, it would be one that nobody sees.

        Raises:
            SessionError: it cannot be saved.
        """
        try:
            yield
        except BaseException as error:
            with suppress(OSError):
                session.close()
            with suppress(OSError, SessionError, sqlite3.Error):
                self.store.delete(session.id)
            shutil.rmtree(session.folder, ignore_errors=True)
            if isinstance(error, OSError):
                raise SessionError(f"The session could not be saved: {error.strerror}.") from error
            raise

    def room(self, identity: str, owner: str | None = "") -> Room:
        """Return a session by its whole id.

        Args:
            owner: who asks: sees nothing but their own; None sees all.

        Raises:
            UnknownSessionError: there is no such session of theirs.
        """
        folder = self.store.root / identity
        known = identity.replace("-", "").isalnum() and (folder / "events.jsonl").is_file()
        if not known or (owner is not None and self.owner(identity) != owner):
            raise UnknownSessionError("There is no such session.")
        return self._room(identity, self.owner(identity))

    def infos(self, owner: str | None = "", search: str = "") -> list[SessionInfo]:
        """Return the sessions of an owner, newest first, whose title or tasks hold ``search``."""
        return [info for info in self.store.infos(search) if owner is None or self.owner(info.id) == owner]

    def owner(self, identity: str) -> str:
        """Return the name of the key that made a session; empty for the server's own."""
        room = self._rooms.get(identity)
        if room is not None:
            return room.owner
        try:
            return (self.store.root / identity / _OWNER).read_text(encoding="utf-8")
        except OSError:
            return ""

    def rename(self, room: Room, title: str) -> None:
        """Give a session another title."""
        room.note({"type": "renamed", "title": title})
        self.store.rename(room.id, title)

    def fork(self, room: Room, turn: int | None = None, title: str | None = None) -> Room:
        """Make a session that begins with another one up to a turn, and belongs to the same owner.

        Args:
            turn: the last one taken over, 0 being the first; None takes over all.
            title: None for that of the other one.

        Raises:
            InputError: there is no such turn, or the files are too large.
            BusyError: something runs in the other one.
            OverloadedError: its owner has as many sessions as they may, or the server is about to end.
            SessionError: it cannot be saved, as on a full disk; then there is none.
        """
        self._check_running()
        return self._owned(lambda: room.fork(turn, title), room.owner)

    def delete(self, room: Room) -> None:
        """Stop, and delete a session with its files, and with what else is kept of it.

        Raises:
            SessionBusyError: another program has it open.
        """
        room.close()  # without the lock: the room may be waiting for it
        try:
            self.store.delete(room.id)
        except sqlite3.Error as error:  # a full disk: the files are gone, and without them its line is passed over
            logger.warning("Session %s is still in the index: %s", room.id, error)
        self.forget(room)

    def forget(self, room: Room) -> None:
        """Forget a session whose files are gone; who follows it is told."""
        with self._lock:
            self._rooms.pop(room.id, None)
        for tell in self.gone:
            try:
                tell(room.id)
            except (OSError, sqlite3.Error) as error:
                logger.warning("Not all that was kept of session %s is gone: %s", room.id, error)
        room.bell.ring()

    def park(self, room: Room, reason: str = "idle") -> bool:
        """Let a session's kernel go, if nothing runs; return whether that is so. One that fails stops no other."""
        try:
            return room.park(reason)
        except Exception:
            logger.exception("Session %s could not be parked.", room.id)
            return False

    def state(self, identity: str) -> State:
        """Return what a session does."""
        room = self._rooms.get(identity)
        return room.state if room is not None else "parked"

    def rooms(self) -> list[Room]:
        """Return the sessions that were used since the server started."""
        with self._lock:
            return list(self._rooms.values())

    def files(self, room: Room) -> Workspace:
        """Return a session's workspace, whether or not it has a kernel."""
        return Workspace(room.workspace, self.settings.limits.workspace_mb)

    # What rooms ask for.

    def interpreter(self, session: Session, model: ChatModel, approve: bool) -> Interpreter:
        """Make a session's interpreter; its sandbox is made, not started."""
        sandbox = self._make_sandbox(session)
        try:
            return Interpreter(
                model,
                sandbox=sandbox,
                max_rounds=self.settings.max_rounds,
                approve=approve,
                session=session,
                generation=self.settings.generation,
                packages=self._make_packages(session),
                tools=self._make_tools(session),
            )
        except BaseException:
            sandbox.close()
            raise

    def admit(self, room: RoomRuns) -> None:
        """Let a run begin.

        Raises:
            OverloadedError: too many wait for the model, or the server is about to end.
        """
        self.check_queue()
        room.used = time.monotonic()

    def check_queue(self) -> None:
        """Raise OverloadedError if too many wait for the model, or the server is about to end."""
        self._check_running()
        waiting = self.shelf.waiting()
        if waiting >= self.settings.max_waiting:
            raise OverloadedError(f"{waiting} messages wait for the model already; try again in a while.", 15)

    def make_room(self, room: RoomRuns) -> None:
        """Make sure that one more session may have a kernel, by parking the one not used for longest.

        Its place is kept until ``opened``.

        Raises:
            OverloadedError: all are in use.
        """
        with self._lock:
            opened = [each for each in self._rooms.values() if each.open and each is not room]
            places = self.settings.max_kernels - len(opened) - len(self._opening)
            for each in sorted(opened, key=lambda each: each.used):
                if places > 0:
                    break
                if each.state == "idle" and self.park(each, "another session needed the place"):
                    places += 1
            if places > 0:
                self._opening.add(room.id)
                return
        raise OverloadedError(
            f"All {self.settings.max_kernels} sessions that may run at a time are in use; try again in a while.", 10
        )

    def opened(self, room: RoomRuns) -> None:
        """Take note that a room for which place was made is open, or could not be opened."""
        with self._lock:
            self._opening.discard(room.id)

    def saw(self, room: RoomRuns, event: Event) -> None:
        for watcher in self.watchers:
            watcher.saw(room, event)

    def ended(self, room: RoomRuns, last: Event | None) -> None:
        for watcher in self.watchers:
            watcher.ended(room, last)

    # Its end.

    def begin_closing(self) -> None:
        """Take no more runs; whoever listens is told."""
        self.closing = True
        for room in self.rooms():
            room.bell.ring()

    def drain(self, seconds: float) -> None:
        """Let runs end by themselves for so long; stop the others, and say so in their logs."""
        self.begin_closing()
        deadline = time.monotonic() + seconds
        for room in self.rooms():
            room.wait(max(0.0, deadline - time.monotonic()))
        for room in self.rooms():
            room.leave()

    def close(self) -> None:
        """Stop what runs, end all kernels, and free the models; safe to call twice."""
        self.begin_closing()
        self._sweeper.close()
        for room in self.rooms():
            room.leave()
        for room in self.rooms():
            room.close()
        self.shelf.close()

    def _check_running(self) -> None:
        if self.closing:
            raise ClosingError("The server is being shut down; try again in a moment.", 10)

    def _room(self, identity: str, owner: str) -> Room:
        with self._lock:
            if identity not in self._rooms:
                self._rooms[identity] = Room(self, identity, owner)
            return self._rooms[identity]

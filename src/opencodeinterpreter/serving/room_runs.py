"""What a room is built on: a session's kernel and its runs, one at a time, everything in its log.

A room is *parked* while it has neither kernel nor lock, *idle* while it has both and nothing runs, else *running*, or
*waiting* where the run waits for a person. Runs are threads; who follows them reads the log.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from opencodeinterpreter.errors import InputError, OcintError, SessionError
from opencodeinterpreter.interpreter import (
    Answer,
    Event,
    Failure,
    Interpreter,
    OutputDelta,
    Session,
    ToolCalled,
)
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.interpreter.recording import history_of
from opencodeinterpreter.interpreter.session_log import count_events, read_events
from opencodeinterpreter.models.base import ChatModel, Generation
from opencodeinterpreter.serving import room_log
from opencodeinterpreter.serving.fair_queue import SessionModel
from opencodeinterpreter.serving.feed import Bell
from opencodeinterpreter.serving.pending import Asked, Pending
from opencodeinterpreter.serving.refusals import BusyError
from opencodeinterpreter.serving.run_rows import Run
from opencodeinterpreter.serving.shelf import Arrival

if TYPE_CHECKING:
    from opencodeinterpreter.serving.hub import Hub

logger = logging.getLogger(__name__)

State = Literal["parked", "idle", "running", "waiting"]
Begin = Callable[[Interpreter], Iterator[Event]]

_MOMENT, _ENDING = 1.0, 5.0
_CUT = "The server ended while this ran; send the message again to go on."
_LEAVING = "The server is being shut down; what ran was stopped, and everything up to here is kept."
_LATE = "The time allowed for one turn ({seconds:g} s) is over."


class RoomRuns:
    """A session that is opened, in which something runs, and that is put away again; ``Room`` says what can run.

    Args:
        hub: gives kernels and models, and is told what happens.
        identity: of the session.
        owner: the name of the key that made it; empty for the server's own token.
    """

    def __init__(self, hub: Hub, identity: str, owner: str) -> None:
        self.id = identity
        self.owner = owner
        self.folder: Path = hub.store.root / identity
        self.bell = Bell()
        self.used = time.monotonic()
        self.state_lost = False
        """Whether variables of earlier code are gone."""
        self.fault: str | None = None
        """Why the last run could not be saved to its end, as on a full disk; its log cannot say it."""
        self.turn_seconds: float | None = None
        """For one turn of this session; None for as long as it takes."""
        self._hub = hub
        self._lock = threading.RLock()
        self._session: Session | None = None
        self._interpreter: Interpreter | None = None
        self._model: SessionModel | None = None
        self._thread: threading.Thread | None = None
        self._run: Run | None = None
        """What the thread does."""
        self._stop = threading.Event()
        self._pending = Pending()
        self._last: Event | None = None
        self._replay_from = 0
        self._before = 0
        """The number of the last event before the run that is under way."""

    # What is known of it.

    @property
    def log(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def workspace(self) -> Path:
        return self.folder / "workspace"

    @property
    def state(self) -> State:
        if self._thread is not None:
            return "waiting" if self._pending else "running"
        return "idle" if self._interpreter is not None else "parked"

    @property
    def running(self) -> bool:
        """Whether a run goes on, or waits for a person."""
        return self._thread is not None

    @property
    def open(self) -> bool:
        """Whether it has a kernel, or may have one at any moment."""
        return self._interpreter is not None

    @property
    def alive(self) -> bool:
        """Whether a kernel runs."""
        interpreter = self._interpreter
        return interpreter is not None and interpreter.sandbox.alive

    @property
    def position(self) -> int:
        """The place in the queue for the model; 0 if it does not wait there."""
        return self._model.position if self._model is not None else 0

    @property
    def arriving(self) -> Arrival | None:
        """How far the model is that the run waits for; None if it is here."""
        return self._hub.shelf.arriving(self._model.name) if self._model is not None and self.running else None

    @property
    def pending(self) -> dict[str, Any] | None:
        """The request that waits for a person, with the number of its event."""
        return self._pending.to_json()

    @property
    def sequence(self) -> int:
        """The number of the last event."""
        session = self._session
        return session.count if session is not None else count_events(self.log)

    def turns(self) -> Sequence[Turn]:
        """Return the turns so far, from memory or from the log."""
        interpreter = self._interpreter
        return interpreter.turns if interpreter is not None else history_of(read_events(self.folder))

    def settings(self) -> dict[str, Any]:
        """Return the model and whether runs are to be approved, as the log says."""
        found = {"model": self._hub.shelf.default, "approve": self._hub.settings.approve, **room_log.chosen(self.log)}
        if found["model"] not in self._hub.shelf.names:  # of the command line, or no longer offered
            found["model"] = self._hub.shelf.default
        return found

    # Its life.

    def stop(self, run: Run | None = None) -> bool:
        """End what runs, from any thread; return whether anything did.

        Args:
            run: nothing but this one is ended.
        """
        if run is not None and run.end is not None:
            return False
        with self._lock:
            if self._thread is None or run not in (None, self._run):
                return False
            self._stop.set()
            self._end_run()
        return True

    def note(self, row: dict[str, Any]) -> None:
        """Save an event of the server's own, or of a person's, in the log."""
        with self._lock:
            if self._session is not None:
                self._session.append(row)
                return
            with self._hub.store.open(self.id) as session:
                session.append(row)
        self.bell.ring()

    def park(self, reason: str = "idle") -> bool:
        """Let kernel, memory and lock go, if nothing runs; return whether that is so."""
        if not self._lock.acquire(timeout=_MOMENT):  # its files are being copied: others must not wait for that
            return False
        try:
            if self._thread is not None:
                return False
            if self._interpreter is not None:
                try:
                    self.note({"type": "parked", "reason": reason})
                except SessionError as error:  # a full disk: what is held is let go all the same
                    logger.warning("The log of session %s does not tell that it was parked: %s", self.id, error)
            self._close()
        finally:
            self._lock.release()
        self.bell.ring()
        return True

    def leave(self) -> None:
        """Tell the log that the server ends, and stop what runs."""
        with self._lock:
            if self._thread is not None:
                self._try_note({"type": "interrupted", "text": _LEAVING})
                self.stop()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until nothing runs; return whether that is so."""
        return self.bell.wait_for(lambda: self._thread is None, seconds)

    @property
    def last(self) -> Event | None:
        """The ``Answer`` or ``Failure`` of the run that ended last here."""
        return self._last

    @contextmanager
    def _free(self) -> Iterator[None]:
        """Hold the lock while nothing runs, so that of two who begin at once one is refused.

        Raises:
            BusyError: something runs.
        """
        if self._thread is not None:
            self._let_end()
        with self._lock:
            if self._thread is not None:
                raise BusyError("Something runs in this session; wait for it, or stop it first.")
            yield

    def _let_end(self) -> None:
        """Wait for a run whose answer is in the log: who has read it there may go on, though its thread still ends."""
        last = room_log.count_unless_cut(self.log)
        if last is not None and last > self._before:
            self.bell.wait_for(lambda: self._thread is None or self.sequence > last, _ENDING)

    def _opened(self) -> Interpreter:
        """Return the interpreter, opening session and sandbox if they are parked; starts no kernel yet."""
        if self._interpreter is None:
            self._open()
        self.used = time.monotonic()
        assert self._interpreter is not None
        return self._interpreter

    def _open(self) -> None:
        self._hub.make_room(self)
        try:
            session = self._hub.store.open(self.id)
            try:
                session.on_append = self.bell.ring
                chosen = self.settings()
                if room_log.was_cut(self.log):
                    session.append({"type": "interrupted", "text": _CUT})
                self._model = self._hub.shelf.for_session(chosen["model"], self.bell.ring, self._stop)
                self._interpreter = self._hub.interpreter(session, cast(ChatModel, self._model), chosen["approve"])
            except BaseException:
                session.close()
                raise
            self._session = session
        finally:
            self._hub.opened(self)
        self._replay_from = room_log.turns_before_reset(self.log)
        later = self.turns()[self._replay_from :]
        self.state_lost = any(round_.result is not None for turn in later for round_ in turn.rounds)

    def _begin(self, begin: Begin | None, generation: Generation | None = None) -> Run:
        """Start a run in a thread; without ``begin`` it is the replay alone."""
        with self._free():
            run = Run(self, self.sequence)
            self._hub.admit(self)
            interpreter = self._opened()
            interpreter.generation = generation or self._hub.settings.generation
            self._stop.clear()
            self._last = self.fault = None
            self._before = self.sequence
            self._run = run
            self._thread = threading.Thread(
                target=self._work, args=(run, interpreter, begin), name=f"turn-{self.id}", daemon=True
            )
            self._thread.start()
        self.bell.ring()
        return run

    def _work(self, run: Run, interpreter: Interpreter, begin: Begin | None) -> None:
        seconds = self.turn_seconds
        timer = threading.Timer(seconds, self._late, (run, seconds)) if seconds is not None else None
        if timer is not None:
            timer.daemon = True
            timer.start()
        try:
            if self.state_lost and (begin is None or self._hub.settings.replay):
                self._replay(interpreter)
            if begin is not None:
                for event in begin(interpreter):
                    self._saw(event)
        except OcintError as error:
            self._fail("input" if isinstance(error, InputError) else "session", str(error))
        except Exception:
            logger.exception("A turn of session %s ended by a fault of the program.", self.id)
            self._fail("internal", "The program has a fault; the session can be used further.")
        finally:
            if timer is not None:
                timer.cancel()
            with self._lock:
                self._pending.clear()
                run.end = self._last_number()
                self._thread = self._run = None
                self.used = time.monotonic()
            self._hub.ended(self, self._last)
            self.bell.ring()

    def _replay(self, interpreter: Interpreter) -> None:
        self.note({"type": "replay_started"})
        for event in interpreter.replay(self._replay_from):
            self._saw(event)
        self.state_lost = False
        self.note({"type": "replay_finished"})

    def _saw(self, event: Event) -> None:
        if isinstance(event, Asked):
            with self._lock:
                assert self._session is not None
                self._pending.wait_on(self._session.count, event)
        # While a tool is asked for, the code goes on in its other threads.
        elif self._pending and not isinstance(event, OutputDelta | ToolCalled):
            with self._lock:
                self._pending.clear()
        if isinstance(event, Answer | Failure):
            self._last = event
        self._hub.saw(self, event)
        if self._stop.is_set():  # it came before there was anything to stop
            self._end_run()
        if isinstance(event, Asked):
            self.bell.ring()

    def _end_run(self) -> None:
        if self._interpreter is not None:
            self._interpreter.stop()
        if self._model is not None:
            self._model.cancel()

    def _late(self, run: Run, seconds: float) -> None:
        with self._lock:
            if self._run is run:
                self._try_note({"type": "interrupted", "text": _LATE.format(seconds=seconds)})
                self.stop(run)

    def _last_number(self) -> int:
        try:
            return self.sequence
        except OSError:  # deleted, while it ended too slowly to be waited for
            return 0

    def _fail(self, kind: str, message: str) -> None:
        self._last = Failure(kind if kind == "input" else "sandbox", message)  # type: ignore[arg-type]
        self._try_note({"type": "failure", "kind": kind, "message": message})

    def _try_note(self, row: dict[str, Any]) -> None:
        try:
            self.note(row)
        except SessionError as error:  # a full disk: whoever listens is told by the state at least
            logger.warning("Session %s could not be saved: %s", self.id, error)
            self.fault = str(error)

    def _close(self) -> None:
        interpreter, session = self._interpreter, self._session
        self._interpreter = self._session = self._model = None
        try:
            if interpreter is not None:
                interpreter.close()
                interpreter.sandbox.close()
        finally:
            if session is not None:
                self._let_go(session)

    def _let_go(self, session: Session) -> None:
        try:
            session.close()
        except OSError as error:  # a full disk: an event that could not be saved before cannot be now
            logger.warning("The last events of session %s are not in its log: %s", self.id, error.strerror)

    def close(self, seconds: float = 10.0) -> None:
        """Stop what runs and let everything go."""
        self.stop()
        self.wait(seconds)
        with self._lock:
            self._close()

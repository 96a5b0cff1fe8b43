"""Drives one turn: the loop in a thread of its own, its events shown here, Ctrl-C answered at once."""

from __future__ import annotations

import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from opencodeinterpreter.cli.approval import Asked
from opencodeinterpreter.cli.leaving import leave
from opencodeinterpreter.cli.render import Renderer
from opencodeinterpreter.errors import OcintError
from opencodeinterpreter.interpreter import Answer, Event, Failure, Interpreter

_TICK_SECONDS = 0.1
_AGAIN_SECONDS = 2.0
"""Within this time a second Ctrl-C ends the program."""


class Interrupts:
    """Counts Ctrl-C: the first one asks for a stop, a second one soon after ends the program."""

    def __init__(self, asked: Callable[[], None] | None) -> None:
        self._tell = asked
        self._last = float("-inf")
        self._asked = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        now = time.monotonic()
        if now - self._last < _AGAIN_SECONDS:
            leave(130)
        self._last, self._asked = now, True
        if self._tell is not None:
            self._tell()

    def take(self) -> bool:
        """Return whether a stop was asked for since the last call."""
        asked, self._asked = self._asked, False
        return asked


@contextmanager
def counted_interrupts(asked: Callable[[], None] | None = None) -> Iterator[Interrupts]:
    """Count Ctrl-C instead of ending at once, while the block runs; ``asked`` is called at the first one."""
    interrupts = Interrupts(asked)
    before = signal.signal(signal.SIGINT, interrupts)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def show_turn(
    interpreter: Interpreter,
    begin: Callable[[], Iterator[Event]],
    renderer: Renderer,
    ask: Callable[[Asked], None],
) -> Event | None:
    """Run a turn and show it; return its last event, an ``Answer`` or a ``Failure``.

    Args:
        begin: starts the turn, such as ``lambda: interpreter.stream(task)``.
        ask: decides a request.

    Raises:
        OcintError: the turn could not begin.
        SystemExit: a second Ctrl-C.
    """
    events: queue.Queue[Event | BaseException | None] = queue.Queue()

    def drive() -> None:
        try:
            for event in begin():
                events.put(event)
            events.put(None)
        except BaseException as error:  # handed over to the thread that shows it, whatever it is
            events.put(error)

    thread = threading.Thread(target=drive, name="turn", daemon=True)
    last: Event | None = None
    # At once, in the signal's own handler: this thread holds no lock that stop() needs.
    with counted_interrupts(interpreter.stop) as interrupts:
        thread.start()
        try:
            while True:
                if interrupts.take():
                    renderer.tell("Stopping; Ctrl-C again ends the program.")
                    interpreter.stop()
                try:
                    item = events.get(timeout=_TICK_SECONDS)
                except queue.Empty:
                    renderer.tick()
                    continue
                if item is None:
                    break
                if isinstance(item, BaseException):
                    raise item
                renderer.show(item)
                if isinstance(item, Asked):
                    ask(item)
                if isinstance(item, Answer | Failure):
                    last = item
        except BaseException:
            interpreter.stop()
            raise
    thread.join()
    return last


def exit_code(last: Event | None) -> int:
    """Return the program's exit code for how a turn ended."""
    if isinstance(last, Failure):
        return {"input": 2, "model": 3, "sandbox": 4}[last.kind]
    if not isinstance(last, Answer):
        raise OcintError("The turn ended without an answer.")
    if last.outcome == "stopped":
        return 130
    results = [round_.result for round_ in last.rounds if round_.result is not None]
    failed = bool(results) and not results[-1].ok
    return 0 if last.outcome == "answered" and not failed else 1

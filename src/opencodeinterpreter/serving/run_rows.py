"""One run of a session: where it stands in the log, and its events up to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING, Any

from opencodeinterpreter.serving.feed import Tail

if TYPE_CHECKING:
    from opencodeinterpreter.serving.room_runs import RoomRuns

_LOOK_SECONDS = 5.0


class Run:
    """A run that has begun; others of the same session come before it and after it.

    Args:
        room: in which it runs.
        before: the number of the last event before it was asked for.
    """

    def __init__(self, room: RoomRuns, before: int) -> None:
        self.room = room
        self.before = before
        self.end: int | None = None
        """The number of the last event when it had ended; None while it goes on."""

    def stop(self) -> bool:
        """End it, from any thread, and nothing else that runs; return whether it went on."""
        return self.room.stop(self)


async def run_rows(run: Run) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
    """Yield the events of a run, however late they are read, each with its number.

    Whoever leaves the iteration early ends the run: nobody else waits for it.
    """
    tail = Tail(run.room.log, run.before)
    wake = run.room.bell.subscribe()
    try:
        while True:
            wake.clear()
            ended = run.end is not None  # asked before the log is read: then all of the run is in it
            rows = await asyncio.to_thread(tail.read)
            for number, row in rows:
                if run.end is not None and number > run.end:
                    return
                yield number, row
            if rows:
                continue
            if ended:
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), _LOOK_SECONDS)
    finally:
        run.room.bell.unsubscribe(wake)
        run.stop()

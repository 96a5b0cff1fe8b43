"""A run's events as rows of the log, up to its end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import Any

from opencodeinterpreter.serving.feed import Tail
from opencodeinterpreter.serving.room import Room

_LOOK_SECONDS = 5.0


async def run_rows(room: Room, after: int) -> AsyncGenerator[tuple[int, dict[str, Any]], None]:
    """Yield the events of the run that goes on, those past number ``after``, each with its number.

    Whoever leaves the iteration early ends the run: nobody else waits for it.
    """
    tail = Tail(room.log, after)
    wake = room.bell.subscribe()
    over = False
    try:
        while True:
            wake.clear()
            running = room.state in ("running", "waiting")
            rows = await asyncio.to_thread(tail.read)
            for number, row in rows:
                yield number, row
            if rows:
                continue
            if not running:
                over = True
                return
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(wake.wait(), _LOOK_SECONDS)
    finally:
        room.bell.unsubscribe(wake)
        if not over:
            room.stop()

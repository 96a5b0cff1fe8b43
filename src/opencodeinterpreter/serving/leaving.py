"""What ends when the client that asked for it leaves."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import Request


@asynccontextmanager
async def ended_with(request: Request, end: Callable[[], object]) -> AsyncIterator[None]:
    """Call ``end`` as soon as the client of ``request`` has gone, also while there is nothing to send."""

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        end()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

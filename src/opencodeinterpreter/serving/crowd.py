"""Counts the requests that are being answered, and refuses more than there is room for, with the time to come again."""

from __future__ import annotations

import re
from collections import Counter

from starlette.types import ASGIApp, Receive, Scope, Send

from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.guard import refuse

_FOLLOWED = re.compile(r"/api/v1/sessions/[^/]+/events|/mcp")
"""Where a GET stays open as long as its client likes."""
_RETRY_SECONDS = 5


class Crowd:
    """ASGI middleware behind the guard, which says whose a request is. For one event loop.

    Args:
        app: what has the room.
        most: requests at a time; for health there is always room.
    """

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most
        self._here = 0
        self._following: Counter[str] = Counter()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/healthz":
            await self._app(scope, receive, send)
            return
        key: Key | None = scope["state"]["key"]
        follows = key is not None and scope["method"] == "GET" and _FOLLOWED.fullmatch(scope["path"]) is not None
        name = key.name if key is not None else ""
        refusal = self._refusal(key, follows)
        if refusal:
            await refuse(send, 429, "overloaded", refusal, retry_after=_RETRY_SECONDS)
            return
        self._here += 1
        self._following[name] += follows
        try:
            await self._app(scope, receive, send)
        finally:
            self._here -= 1
            self._following[name] -= follows

    def _refusal(self, key: Key | None, follows: bool) -> str:
        if self._here >= self._most:
            return f"The server answers {self._most} requests already; try again in a moment."
        if key is not None and follows and key.listeners is not None and self._following[key.name] >= key.listeners:
            return f"This key may have {key.listeners} event streams open at a time; close one first."
        return ""

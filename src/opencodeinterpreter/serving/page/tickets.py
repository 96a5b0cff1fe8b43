"""Hands the token to the browser that we start.

The address that a browser is started with can be read in the list of processes by every user of the machine, often
for as long as the browser runs. So it holds, in place of the token, a ticket: good for one use and a short while.
"""

from __future__ import annotations

import hmac
import json
import secrets
import threading
import time

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

_LONGEST_BODY = 1000


class Tickets:
    """Makes tickets and takes them back.

    Args:
        token: what a ticket is good for.
        seconds: how long.
    """

    def __init__(self, token: str, seconds: float = 120.0) -> None:
        self._token = token
        self._seconds = seconds
        self._lock = threading.Lock()
        self._open: dict[str, float] = {}

    def issue(self) -> str:
        """Return a new ticket."""
        ticket = secrets.token_urlsafe(24)
        with self._lock:
            self._open[ticket] = time.monotonic() + self._seconds
        return ticket

    def redeem(self, ticket: str) -> str | None:
        """Return the token for a ticket, once; None for one that is unknown, used or too old."""
        with self._lock:
            for known, until in list(self._open.items()):
                if until < time.monotonic():
                    del self._open[known]
                elif hmac.compare_digest(known.encode(), ticket.encode("utf-8", "replace")):
                    del self._open[known]
                    return self._token
        return None

    async def exchange(self, request: Request) -> Response:
        """Answer ``POST /ticket``."""
        ticket = None
        # Only scripts of our own page can send JSON here; a form of another page cannot.
        if request.headers.get("content-type", "").split(";")[0] == "application/json":
            body = await request.body()
            try:
                ticket = json.loads(body).get("ticket") if len(body) <= _LONGEST_BODY else None
            except (ValueError, AttributeError):
                ticket = None
        token = self.redeem(ticket) if isinstance(ticket, str) else None
        if token is None:
            error = {"message": "The ticket is used or too old; open the link of the terminal.", "type": "no_ticket"}
            return JSONResponse({"error": error}, status_code=403)
        return JSONResponse({"token": token})

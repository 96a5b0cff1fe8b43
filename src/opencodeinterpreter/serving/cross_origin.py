"""What a browser is told of the pages of other hosts whose scripts are let in (CORS).

A browser asks for leave before such a script's request, without a key, and keeps an answer from the script unless it
names the script's page. Only pages that are named get leave, and only for what a script sends by itself: there are no
cookies here, and no leave to send any.
"""

from __future__ import annotations

from collections.abc import Sequence

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Send

_METHODS = "GET, HEAD, POST, PATCH, DELETE"
_HEADERS = "Authorization, *"
"""The "*" is for what clients add of their own; it does not stand for Authorization."""
_SECONDS = 600
"""For which a browser may keep the leave."""


def asks_for_leave(method: str, headers: Headers, origins: Sequence[str]) -> bool:
    """Tell whether a browser asks on behalf of a page that is let in."""
    asks = method == "OPTIONS" and "access-control-request-method" in headers
    return asks and headers.get("origin") in origins


async def give_leave(send: Send) -> None:
    """Answer a browser that asks for leave; whom it is for, ``mark`` says."""
    headers = [
        (b"access-control-allow-methods", _METHODS.encode()),
        (b"access-control-allow-headers", _HEADERS.encode()),
        (b"access-control-max-age", str(_SECONDS).encode()),
    ]
    await send({"type": "http.response.start", "status": 204, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def mark(answer: MutableHeaders, origin: str | None, origins: Sequence[str]) -> None:
    """Say in an answer which page may read it."""
    if not origins:
        return
    answer.add_vary_header("Origin")
    if origin is not None and origin in origins:
        answer["Access-Control-Allow-Origin"] = origin
        answer["Access-Control-Expose-Headers"] = "*"

"""Stands before every request: who asks, from which page, for which host, and how much they send.

A program that runs code is a target on loopback too: any page in a browser can send requests there. Hence a key for
everything that is not said to be public; only hosts that are ours (against DNS names that are pointed at us); and no
request that another page's script sends.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import re
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from opencodeinterpreter.serving import cross_origin
from opencodeinterpreter.serving.access import Key, Keys
from opencodeinterpreter.serving.addresses import host_name, origin_of
from opencodeinterpreter.serving.links import Links

logger = logging.getLogger(__name__)

_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that are counted and logged by name: a client can make up any other."""
_LINKED = re.compile(r"^/api/v1/sessions/([0-9a-zA-Z-]+)/((?:files|outputs)/.+)$")


@dataclass(frozen=True)
class GuardSettings:
    """What is let through."""

    hosts: Sequence[str] = ()
    """Names under which the server is reached, beside addresses and "localhost"."""
    origins: Sequence[str] = ()
    """Pages, as ``https://name:port``, whose scripts may send requests beside our own."""
    public_url: str = ""
    """The address under which others reach the server, such as ``https://code.example.org``, where that is not the one
    it is asked at: its name is one of ours, and links for other programs begin with it."""
    public: Sequence[str] = ("/healthz",)
    """Paths that need no key; one that ends in "/" stands for all below it, but "/" for itself alone."""
    body_bytes: int = 32 << 20
    """Of one request without files."""
    upload_bytes: int = 1 << 30
    """Of one request with files."""
    requests: int = 900
    """Answered at a time; an open event stream is one."""


class TooMuchError(HTTPException):
    """More was sent than is taken."""

    def __init__(self) -> None:
        super().__init__(413, "The request is larger than is taken here.")


class Guard:
    """ASGI middleware.

    Args:
        app: what is guarded.
        keys: who may come in; the key that was shown is left in the request's state.
        links: may open single files without a key.
        seen: told each request's route, method, status and seconds.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys,
        links: Links,
        settings: GuardSettings,
        seen: Callable[[str, str, int, float], None] = lambda *_: None,
    ) -> None:
        self._app = app
        self._keys = keys
        self._links = links
        self._settings = settings
        self._seen = seen
        self._origins = set(settings.origins)
        self._hosts = {"localhost", *(name.lower() for name in settings.hosts)}
        if settings.public_url:
            origin = origin_of(settings.public_url)
            self._origins.add(origin)
            self._hosts.add(host_name(origin.partition("://")[2]) or "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self._app(scope, receive, send)
            return  # there are no websockets here
        started, status = time.monotonic(), 500
        began = False
        headers = Headers(scope=scope)
        origins = self._settings.origins

        async def sending(message: Message) -> None:
            nonlocal status, began
            if message["type"] == "http.response.start":
                status, began = message["status"], True
                answer = MutableHeaders(scope=message)
                _harden(answer)
                cross_origin.mark(answer, headers.get("origin"), origins)
            await send(message)

        try:
            refusal = self._refusal(scope, headers)
            if refusal is not None:
                await refuse(sending, *refusal)
            elif cross_origin.asks_for_leave(scope["method"], headers, origins):
                await cross_origin.give_leave(sending)
            else:
                key = scope["state"]["key"]
                await self._app(scope, self._capped(receive, self._cap(scope, key)), sending)
        except TooMuchError:
            if began:
                raise
            await refuse(sending, 413, "too_large", "The request is larger than is taken here.")
        finally:
            route = getattr(scope.get("route"), "path", "")
            method = scope["method"] if scope["method"] in _METHODS else "other"
            seconds = time.monotonic() - started
            self._seen(route, method, status, seconds)
            logger.info(
                "request",
                extra={
                    "fields": {
                        "method": method,
                        "route": route,
                        "status": status,
                        "seconds": round(seconds, 4),
                        "key": getattr(scope.get("state", {}).get("key"), "name", None),
                    }
                },
            )

    def _refusal(self, scope: Scope, headers: Headers) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if not self._ours(host):
            return 421, "wrong_host", "This server does not go by that name; --allow-host NAME lets it."
        origin = headers.get("origin")
        if origin is not None and not self._same(origin, host):
            return 403, "wrong_origin", "Requests of other pages are not taken; --allow-origin lets a page in."
        key = self._key(headers)
        scope.setdefault("state", {})["key"] = key
        if cross_origin.asks_for_leave(scope["method"], headers, self._settings.origins):
            return None
        if key is None and not self._public(scope["path"]) and not self._linked(scope):
            return 401, "no_key", "A key is needed: Authorization: Bearer KEY."
        length = headers.get("content-length", "0")
        if length.isdecimal() and (len(length) > 15 or int(length) > self._cap(scope, key)):
            return 413, "too_large", f"The request is larger than the {self._cap(scope, key):,} bytes taken here."
        return None

    def _ours(self, host: str) -> bool:
        name = host_name(host)
        if name is None:
            return False
        if name in self._hosts:
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True  # nobody can point an address somewhere else

    def _same(self, origin: str, host: str) -> bool:
        return origin in self._origins or origin in (f"http://{host}", f"https://{host}")

    def _key(self, headers: Headers) -> Key | None:
        scheme, _, presented = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer" and presented:
            return self._keys.find(presented.strip())
        presented = headers.get("x-api-key", "")
        return self._keys.find(presented) if presented else None

    def _public(self, path: str) -> bool:
        public = self._settings.public
        return path in public or any(each.endswith("/") and path.startswith(each) for each in public if each != "/")

    def _linked(self, scope: Scope) -> bool:
        found = _LINKED.match(scope["path"])
        if found is None or scope["method"] not in ("GET", "HEAD"):
            return False
        signature = re.search(rb"(?:^|&)sig=([^&]*)", scope.get("query_string", b""))
        if signature is None:
            return False
        return self._links.holds(found[1], found[2], unquote(signature[1].decode("ascii", "replace")))

    def _cap(self, scope: Scope, key: Key | None) -> int:
        files = scope["method"] == "POST" and scope["path"].endswith("/files")
        cap = self._settings.upload_bytes if files else self._settings.body_bytes
        return min(cap, int(key.body_mb * 2**20)) if key is not None and key.body_mb is not None else cap

    @staticmethod
    def _capped(receive: Receive, cap: int) -> Receive:
        taken = 0

        async def receiving() -> Message:
            nonlocal taken
            message = await receive()
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > cap:
                    raise TooMuchError
            return message

        return receiving


def _harden(headers: MutableHeaders) -> None:
    """Keep a browser from making more of an answer than it is."""
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("Referrer-Policy", "no-referrer")
    headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
    headers.setdefault("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
    headers.setdefault("Cache-Control", "no-store")


async def refuse(send: Send, status: int, kind: str, message: str, retry_after: int | None = None) -> None:
    """Answer with a refusal.

    Args:
        retry_after: seconds after which there may be room; the connection is then closed, to make some.
    """
    body = json.dumps({"error": {"message": message, "type": kind}}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if retry_after is not None:
        headers += [(b"retry-after", str(retry_after).encode()), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""Calls from code in the jail to this program: a unix socket in the kernel's folder, and nothing beyond it.

One connection is one call: a request and a reply, each four bytes of length (big-endian) and as many of JSON. Whoever
connects is hostile: requests have a size and a time, connections a number and a rate, and what is in a request is for
the handler to judge.
"""

from __future__ import annotations

import contextlib
import json
import logging
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

CallHandler = Callable[[dict[str, Any], Callable[[], bool]], dict[str, Any]]
"""Answers a request; the second argument tells whether the caller has gone. Called in a thread of its own."""

SOCKET = "k-c"
MODULE = "call_tools.py"
REQUEST_BYTES = 1 << 20
REPLY_BYTES = 8 << 20
_HEAD = struct.Struct(">I")
_REQUEST_SECONDS = 10.0
"""From the connection to the end of the request."""
_REPLY_SECONDS = 30.0
"""In which the caller is to read its reply."""
_AT_A_TIME = 8
_BACKLOG = 16
_A_SECOND = 200
"""Connections; more wait."""
_TICK_SECONDS = 0.2
_LOG = logging.getLogger(__name__)


class CallChannel:
    """Listens in a kernel's folder until it is closed.

    Args:
        folder: of the kernel; nothing inside may have run yet, so that nothing stands in the socket's place.
        handler: answers the calls.
    """

    def __init__(self, folder: Path, handler: CallHandler) -> None:
        self._handler = handler
        self._closed = threading.Event()
        self._free = threading.Semaphore(_AT_A_TIME)
        (folder / MODULE).write_bytes(files("opencodeinterpreter.sandbox").joinpath("inside", MODULE).read_bytes())
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            self._listener.bind(str(folder / SOCKET))
            (folder / SOCKET).chmod(0o600)
            self._listener.listen(_BACKLOG)
            self._listener.settimeout(_TICK_SECONDS)
        except BaseException:
            self._listener.close()
            raise
        self._thread = threading.Thread(target=self._accept, name="call-channel", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Take no more calls; those under way see that their caller has gone. Safe to call twice."""
        self._closed.set()
        self._thread.join()
        self._listener.close()

    def _accept(self) -> None:
        second, count = 0, 0
        while not self._closed.is_set():
            if not self._free.acquire(timeout=_TICK_SECONDS):
                continue
            try:
                connection, _ = self._listener.accept()
            except OSError:  # nobody came, or whoever did has left again
                self._free.release()
                continue
            second, count = (second, count + 1) if int(time.monotonic()) == second else (int(time.monotonic()), 1)
            if count > _A_SECOND:
                self._closed.wait(1.0)
            threading.Thread(target=self._serve, args=(connection,), name="call", daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection:
                request = _received(connection)
                reply = refusal("This is not a request.")
                if request is not None:
                    reply = self._answered(request, connection)
                connection.settimeout(_REPLY_SECONDS)
                connection.sendall(_framed(reply))
        except OSError:
            _LOG.debug("A call from inside was broken off.")
        finally:
            self._free.release()

    def _answered(self, request: dict[str, Any], connection: socket.socket) -> dict[str, Any]:
        try:
            return self._handler(request, lambda: self._closed.is_set() or _has_gone(connection))
        except Exception:  # a fault of ours must leave neither the code nor this thread waiting
            _LOG.exception("A call from inside could not be answered.")
            return refusal("The program outside has a fault and could not answer.")


def refusal(reason: str) -> dict[str, Any]:
    """Return the reply to a call that is not made, or has failed."""
    return {"ok": False, "error": reason}


def _received(connection: socket.socket) -> dict[str, Any] | None:
    """Read a request; None for anything else.

    Raises:
        OSError: the caller is too slow, or has gone.
    """
    deadline = time.monotonic() + _REQUEST_SECONDS
    head = _read(connection, _HEAD.size, deadline)
    size = _HEAD.unpack(head)[0]
    if size > REQUEST_BYTES:
        return None
    try:
        request = json.loads(_read(connection, size, deadline))
    except (ValueError, RecursionError):
        return None
    return request if isinstance(request, dict) else None


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    data = bytearray()
    while len(data) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        piece = connection.recv(min(size - len(data), 1 << 16))
        if not piece:
            raise ConnectionResetError
        data += piece
    return bytes(data)


def _framed(reply: dict[str, Any]) -> bytes:
    body = json.dumps(reply).encode()
    if len(body) > REPLY_BYTES:
        body = json.dumps(refusal(f"The result of {len(body):,} bytes is too large; ask for less of it.")).encode()
    return _HEAD.pack(len(body)) + body


def _has_gone(connection: socket.socket) -> bool:
    """Return whether the caller has hung up; one that sends on, which nobody asked for, counts as gone, too."""
    with contextlib.suppress(OSError, ValueError):
        looked = select.poll()
        looked.register(connection, select.POLLIN | getattr(select, "POLLRDHUP", 0))
        return bool(looked.poll(0))
    return True

"""The Jupyter protocol over unix sockets, from the host's side."""

from __future__ import annotations

import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import zmq

_PORTS = {"shell_port": 1, "iopub_port": 2, "stdin_port": 3, "control_port": 4, "hb_port": 5}
_LARGEST_MESSAGE = 32 << 20
"""Bytes; a kernel that sends more is cut off before it fills the host's memory."""
_WAITING_MESSAGES = 1000
_MESSAGES_A_PASS = 200
_lock = threading.Lock()
_context: tuple[int, Any] | None = None


@dataclass(frozen=True)
class Message:
    """A message from the kernel; code inside may have forged it, so nothing is taken for granted."""

    channel: str
    kind: str
    parent: str
    """Id of the request that it belongs to."""
    content: dict[str, Any]
    size: int
    """Bytes on the wire."""


class Wire:
    """The host's end of the kernel's sockets.

    Args:
        folder: host path of the folder that holds the sockets.
        inside: what the kernel calls that folder.
    """

    def __init__(self, folder: Path, inside: str) -> None:
        from jupyter_client.session import Session

        self._folder = folder
        key = secrets.token_hex(16)
        self._session = Session(key=key.encode())
        self.connection_file = folder / "connection.json"
        info = {"transport": "ipc", "ip": f"{inside}/k", "key": key, "signature_scheme": "hmac-sha256", **_PORTS}
        self.connection_file.write_text(json.dumps(info), encoding="utf-8")
        self._sockets: dict[str, zmq.Socket[bytes]] = {}
        self._poller: zmq.Poller | None = None

    def listening(self) -> bool:
        """Return whether the kernel has opened its sockets."""
        return all(self._path(name).exists() for name in ("shell", "iopub", "control"))

    def connect(self) -> None:
        import zmq

        context = _shared_context()
        kinds = {"shell": zmq.DEALER, "iopub": zmq.SUB, "control": zmq.DEALER}
        self._poller = zmq.Poller()
        for name, kind in kinds.items():
            socket = context.socket(kind)
            socket.linger = 0
            socket.rcvhwm = _WAITING_MESSAGES
            socket.maxmsgsize = _LARGEST_MESSAGE
            socket.reconnect_ivl = 5  # milliseconds; the default of 100 is felt at every start
            if name == "iopub":
                socket.subscribe(b"")
            socket.connect(f"ipc://{self._path(name)}")
            self._sockets[name] = socket
            self._poller.register(socket, zmq.POLLIN)

    def request(self, kind: str, content: dict[str, Any], channel: str = "shell") -> str:
        """Send a request and return its id."""
        message = self._session.msg(kind, content)
        self._session.send(self._sockets[channel], message)
        return str(message["header"]["msg_id"])

    def wait(self, milliseconds: int, filenos: Iterable[int] = ()) -> None:
        """Return as soon as a message or something on ``filenos`` can be read, or the time is over."""
        import zmq

        assert self._poller is not None
        extra = list(filenos)
        for fileno in extra:
            self._poller.register(fileno, zmq.POLLIN)
        try:
            self._poller.poll(milliseconds)
        finally:
            for fileno in extra:
                self._poller.unregister(fileno)

    def messages(self) -> Iterator[Message]:
        """Yield what has come, replies first, without waiting."""
        import zmq

        for channel, socket in self._sockets.items():
            for _ in range(_MESSAGES_A_PASS):
                try:
                    frames = socket.recv_multipart(zmq.NOBLOCK)
                except zmq.Again:
                    break
                message = self._parse(channel, frames)
                if message is not None:
                    yield message

    def close(self) -> None:
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()

    def _parse(self, channel: str, frames: list[bytes]) -> Message | None:
        try:
            _, frames = self._session.feed_identities(frames)
            message = self._session.deserialize(frames)
            content, parent = message["content"], message["parent_header"]
            size = sum(map(len, frames))
            return Message(channel, str(message["msg_type"]), str(parent.get("msg_id", "")), dict(content), size)
        except Exception:  # whatever code inside can put on the wire; without a parent it could not be used anyway
            return None

    def _path(self, channel: str) -> Path:
        return self._folder / f"k-{_PORTS[channel + '_port']}"


def _shared_context() -> Any:
    """Return this process's own ZeroMQ context: one background thread for all kernels."""
    global _context
    import zmq

    with _lock:
        if _context is None or _context[0] != os.getpid():
            context = zmq.Context()
            context.max_sockets = 16_384
            _context = (os.getpid(), context)
        return _context[1]

"""The Jupyter protocol over unix sockets, from the host's side."""

from __future__ import annotations

import hmac
import json
import os
import secrets
import stat
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
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
_DELIMITER = b"<IDS|MSG>"
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
        self._targets: list[int] = []

    def listening(self) -> bool:
        """Return whether the kernel has opened its sockets."""
        return all(_is_socket(self._path(name)) for name in ("shell", "iopub", "control"))

    def connect(self) -> None:
        """Connect to the kernel, if that has not been done."""
        import zmq

        if self._sockets:
            return
        context = _shared_context()
        for name, kind in {"shell": zmq.DEALER, "iopub": zmq.SUB}.items():
            socket = context.socket(kind)
            socket.linger = 0
            socket.rcvhwm = _WAITING_MESSAGES
            socket.maxmsgsize = _LARGEST_MESSAGE
            if name == "iopub":
                socket.subscribe(b"")
            socket.reconnect_ivl = 5  # milliseconds; the default of 100 is felt at every start
            socket.connect(self._address(name))
            self._sockets[name] = socket

    def request(
        self,
        kind: str,
        content: dict[str, Any],
        before: Callable[[str], None] = lambda _id: None,
    ) -> str:
        """Send a request and return its id, which ``before`` gets to know before it is sent."""
        message = self._session.msg(kind, content)
        before(str(message["header"]["msg_id"]))
        self._session.send(self._sockets["shell"], message)
        return str(message["header"]["msg_id"])

    def send_apart(self, kind: str) -> None:
        """Send a request without content on the control channel; from any thread, and without hearing of a reply."""
        import zmq

        with _shared_context().socket(zmq.DEALER) as socket:
            socket.linger = 1000  # milliseconds
            socket.connect(f"ipc://{self._path('control')}")
            self._session.send(socket, self._session.msg(kind, {}))

    def wait(self, milliseconds: int, filenos: Iterable[int] = ()) -> bool:
        """Return as soon as a message or something on ``filenos`` can be read, or the time is over.

        Returns:
            Whether one of ``filenos`` can be read.
        """
        import zmq

        waited: list[Any] = [*self._sockets.values(), *filenos]
        ready = zmq.zmq_poll([(each, zmq.POLLIN) for each in waited], milliseconds)
        return any(isinstance(each, int) for each, _ in ready)

    def messages(self) -> Iterator[Message]:
        """Yield what has come, replies first, without waiting."""
        import zmq

        for channel, socket in self._sockets.items():
            for _ in range(_MESSAGES_A_PASS):
                if not int(socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN:
                    break
                message = self._parse(channel, socket.recv_multipart(zmq.NOBLOCK))
                if message is not None:
                    yield message

    def close(self) -> None:
        for socket in self._sockets.values():
            socket.close()
        self._sockets.clear()
        while self._targets:
            os.close(self._targets.pop())

    def _parse(self, channel: str, frames: list[bytes]) -> Message | None:
        """Read a message; None for what code inside may put on the wire beside messages."""
        try:
            start = frames.index(_DELIMITER) + 1
            signature, header, parent, metadata, content = frames[start : start + 5]
            if not hmac.compare_digest(self._session.sign([header, parent, metadata, content]), signature):
                return None
            kind, request, body = json.loads(header)["msg_type"], json.loads(parent).get("msg_id"), json.loads(content)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        if not isinstance(kind, str) or not isinstance(body, dict):
            return None
        return Message(channel, kind, str(request or ""), body, sum(map(len, frames)))

    def _address(self, channel: str) -> str:
        """Return where to connect to.

        It is the socket itself, at every reconnection too: code inside may put a link to another socket of the host in
        its place. Elsewhere than on Linux code runs in containers only, where it does not see this folder.
        """
        if sys.platform != "linux":
            return f"ipc://{self._path(channel)}"
        descriptor = os.open(self._path(channel), os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
        self._targets.append(descriptor)
        return f"ipc:///proc/self/fd/{descriptor}"

    def _path(self, channel: str) -> Path:
        return self._folder / f"k-{_PORTS[channel + '_port']}"


def _is_socket(path: Path) -> bool:
    try:
        return stat.S_ISSOCK(path.lstat().st_mode)
    except OSError:
        return False


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

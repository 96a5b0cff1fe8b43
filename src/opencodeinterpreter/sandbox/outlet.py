"""Takes in what runs write to stdout and stderr: a unix socket to which each run connects anew.

A connection names its run first; bytes of any other run than the present one are read, so that nobody has to wait,
and dropped. What was written before a process died can still be read afterwards.
"""

from __future__ import annotations

import codecs
import json
import socket
from collections.abc import Callable
from pathlib import Path

TextSink = Callable[[str, str], None]
"""Called with ("stdout" | "stderr", text)."""

_CHUNK = 1 << 16
_CHUNKS_A_PASS = 16
_HEADER_BYTES = 4096
_MOST_CONNECTIONS = 256


class _Connection:
    def __init__(self, connection: socket.socket) -> None:
        self.socket = connection
        self.run: str | None = None
        self.stream = "stdout"
        self._header = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> tuple[bool, str]:
        """Return (still open, text); raises BlockingIOError if there is nothing."""
        data = self.socket.recv(_CHUNK)
        if self.run is None and data:
            self._header += data
            line, newline, data = self._header.partition(b"\n")
            if not newline:
                return len(self._header) < _HEADER_BYTES, ""
            if not self._name(line):
                return False, ""
        elif not data:
            return False, self._decoder.decode(b"", True)
        return True, self._decoder.decode(data)

    def _name(self, line: bytes) -> bool:
        try:
            header = json.loads(line)
            self.run, self.stream = str(header["run"]), header["stream"]
        except (ValueError, TypeError, KeyError, RecursionError):
            return False  # not our start script: code has found the socket
        return self.stream in ("stdout", "stderr")


class Outlet:
    """The reading end of a kernel's text output; used by one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
        self._listener.bind(str(path))
        path.chmod(0o777)  # the code may run as another user; the folder around it is private
        self._listener.listen(16)
        self._connections: list[_Connection] = []
        self._run = ""

    def begin(self, run: str) -> None:
        """From now on ``run`` is the present one."""
        self._run = run

    def filenos(self) -> list[int]:
        """Return what becomes readable when there is something to ``pump``."""
        return [self._listener.fileno(), *(connection.socket.fileno() for connection in self._connections)]

    def pump(self, sink: TextSink) -> bool:
        """Read what is there, but not more than about a megabyte; return whether there may be more."""
        self._accept()
        more = False
        for connection in list(self._connections):
            more |= self._read(connection, sink)
        return more

    def close(self) -> None:
        self._listener.close()
        for connection in self._connections:
            connection.socket.close()
        self._connections.clear()

    def _accept(self) -> None:
        while True:
            try:
                accepted, _ = self._listener.accept()
            except BlockingIOError:
                return
            accepted.setblocking(False)
            if len(self._connections) >= _MOST_CONNECTIONS:
                self._drop(self._connections[0])
            self._connections.append(_Connection(accepted))

    def _read(self, connection: _Connection, sink: TextSink) -> bool:
        for _ in range(_CHUNKS_A_PASS):
            try:
                is_open, text = connection.read()
            except BlockingIOError:
                return False
            except OSError:
                is_open, text = False, ""
            if text and connection.run == self._run:
                sink(connection.stream, text)
            if not is_open:
                self._drop(connection)
                return False
        return True

    def _drop(self, connection: _Connection) -> None:
        connection.socket.close()
        self._connections.remove(connection)

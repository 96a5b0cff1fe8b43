"""The way out of the jail: a named pipe of which this program holds the reading end, and frames in it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import select
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple, cast

PIPE = "values"
_HEADER = struct.Struct("<16scIQI")
"""As in ``inside/solution_main.py``: nonce, kind, number of the call, nanoseconds of CPU, bytes that follow."""
_PIPE_BYTES = 1 << 20
_CHUNK = 1 << 20
_SLACK_BYTES = 4096
"""For a frame that is no value."""

Kind = Literal["s", "l", "f", "v", "e", "b"]
"""Started, loaded, failed to load, value, exception, busy with a large value."""


class Frame(NamedTuple):
    """One report from inside; every field is the word of untrusted code."""

    kind: Kind
    number: int
    cpu_seconds: float
    payload: bytes


class ForgedError(Exception):
    """What came through the pipe was not written by the program that ought to write there."""


class Channel:
    """The reading end; made before the jail starts, used by one thread.

    Args:
        folder: where the pipe is made; visible inside.
        most_bytes: of one value.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.nonce = secrets.token_bytes(16)
        self._most_bytes = most_bytes + _SLACK_BYTES
        self._buffer = bytearray()
        self.received = 0
        """Bytes so far."""
        path = folder / PIPE
        os.mkfifo(path, 0o600)
        self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        # Inside it is another user who writes; the folder around it is private.
        path.chmod(0o622)
        with contextlib.suppress(OSError):  # a user may have only so much
            fcntl.fcntl(self._descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._poll = select.poll()
        self._poll.register(self._descriptor, select.POLLIN)

    def wait(self, seconds: float) -> None:
        """Return when there may be something to read, or after ``seconds``."""
        self._poll.poll(seconds * 1000)

    def frames(self) -> Iterator[Frame]:
        """Yield what has arrived.

        Raises:
            ForgedError: at bytes that are no frame of this run.
        """
        while data := self._read():
            self.received += len(data)
            self._buffer += data
            yield from self._whole()
            if len(data) < _CHUNK:
                return

    def close(self) -> None:
        os.close(self._descriptor)

    def _read(self) -> bytes:
        try:
            return os.read(self._descriptor, _CHUNK)
        except BlockingIOError:
            return b""

    def _whole(self) -> Iterator[Frame]:
        start = 0
        try:
            while len(self._buffer) - start >= _HEADER.size:
                nonce, kind, number, spent, length = _HEADER.unpack_from(self._buffer, start)
                if nonce != self.nonce or kind not in b"slfveb" or length > self._most_bytes:
                    raise ForgedError
                end = start + _HEADER.size + length
                if len(self._buffer) < end:
                    return
                payload = bytes(self._buffer[start + _HEADER.size : end])
                start = end
                yield Frame(cast("Kind", kind.decode()), number, spent / 1e9, payload)
        finally:
            del self._buffer[:start]

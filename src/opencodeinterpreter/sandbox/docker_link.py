"""The host's end of what a container's relay carries: the kernel's sockets and pipes, as if they were on the host."""

from __future__ import annotations

import collections
import contextlib
import json
import os
import selectors
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

from opencodeinterpreter.sandbox.inside.frames import HEAD, SOCKETS

_CHUNK = 1 << 16
_MOST_WAITING = 1 << 20
"""Bytes in one direction; with more, nothing further is read from the other end."""
_LARGEST_FRAME = 1 << 20
_LOG_BYTES = 4096
_LOOK_SECONDS = 0.5
"""After the system has killed the kernel for want of memory, for which it passes for alive: time for the watcher."""
_FLUSH_SECONDS = 0.5
"""For what was on its way when the container ended."""
_STREAMS = (".stdout", ".stderr")
_ENDS = (ConnectionError, BrokenPipeError)


class Link:
    """Passes bytes between a container and the sockets and pipes in a folder of the host, in a thread of its own.

    What comes from the container may be forged: it reaches nothing but the sockets and pipes of this one kernel.

    Args:
        process: the command line that runs the container, with pipes for its stdin and stdout.
        folder: where the host expects the kernel's sockets, and makes the pipes for its output.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin, self._stdout = process.stdin, process.stdout
        self._folder = folder
        self._lock = threading.Lock()
        self._select = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._unsent = bytearray()
        self._read = bytearray()
        self._pending: collections.deque[tuple[bytes, int, bytes]] = collections.deque()
        self._waiting = 0
        self._channels = 0
        self._listeners: list[socket.socket] = []
        self._sockets: dict[int, socket.socket] = {}
        self._pipes: dict[int, int] = {}
        self._named: dict[str, int] = {}
        self._blocked: int | None = None
        self._closing = self._over = False
        self._log = b""
        self._exit: int | None = None
        self._exit_seen = 0.0
        self.confinement: str | None = None
        """What the first process says of how it is confined; None until it has."""
        self.greeted = threading.Event()
        """Set with ``confinement``, or when there will be none."""
        self.usage = 0, 0.0
        """(bytes of memory, seconds of CPU) of everything inside."""
        self.memory_kills = 0
        """Processes inside that the system has ended for want of memory."""
        for stream in (self._stdin, self._stdout, self._wake, self._woken):
            os.set_blocking(stream.fileno(), False)
        self._thread = threading.Thread(target=self._work, name="container-link", daemon=True)
        self._thread.start()

    def send(self, kind: bytes, body: bytes = b"", channel: int = 0) -> None:
        """Send a frame, see ``inside/frames.py``; nothing happens once the container is gone."""
        self.send_raw(HEAD.pack(kind, channel, len(body)) + body)

    def send_raw(self, data: bytes) -> None:
        """Send bytes as they are, before the first frame."""
        with self._lock:
            self._unsent += data
        self._nudge()

    def poll(self) -> int | None:
        """Return the kernel's exit status when all that it said has been passed on, or None while it runs."""
        if self._exit is not None and self.memory_kills and time.monotonic() - self._exit_seen < _LOOK_SECONDS:
            return None
        return self._exit

    def log(self) -> str:
        return self._log.decode(errors="replace")

    @property
    def over(self) -> bool:
        """Whether the container's output has ended."""
        return self._over

    def let_go(self) -> None:
        """End the container's input, upon which it ends."""
        self._closing = True
        self._nudge()

    def close(self) -> None:
        """Put everything away; the command line must have ended."""
        self.let_go()
        self._thread.join(_FLUSH_SECONDS)
        # What is left has no reader any more: it would be waited for without end.
        self._over = True
        self._nudge()
        self._thread.join()
        for each in (self._stdin, self._stdout, self._wake, self._woken):
            with contextlib.suppress(OSError):
                each.close()

    def _nudge(self) -> None:
        with contextlib.suppress(OSError):  # full, so it will wake, or closed
            self._wake.send(b"x")

    # The loop

    def _work(self) -> None:
        self._select.register(self._woken, selectors.EVENT_READ, self._clear_wake)
        self._select.register(self._stdout, selectors.EVENT_READ, self._take_in)
        try:
            while not self._over:
                for key, _ in self._select.select(1.0):
                    key.data()
                self._write()
                self._pass_on()
        finally:
            self._over = True
            if self._exit is None:
                self._exit, self._exit_seen = -9, time.monotonic()
            self._release()
            self.greeted.set()

    def _clear_wake(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(_CHUNK)

    def _write(self) -> None:
        """Write what waits for the container, and end its input when that is wished."""
        if self._stdin.closed:
            return
        failed = False
        with self._lock:
            try:
                while self._unsent and not self._closing:
                    del self._unsent[: os.write(self._stdin.fileno(), self._unsent[:_CHUNK])]
            except BlockingIOError:
                pass
            except _ENDS:
                failed = True
            waits = bool(self._unsent)
        known = self._stdin.fileno() in self._select.get_map()
        if known and (self._closing or failed or not waits):
            self._select.unregister(self._stdin)
        elif waits and not known and not (self._closing or failed):
            self._select.register(self._stdin, selectors.EVENT_WRITE, self._write)
        if self._closing or failed:
            self._stdin.close()

    def _take_in(self) -> None:
        try:
            data = os.read(self._stdout.fileno(), _CHUNK)
        except BlockingIOError:
            return
        self._read += data
        while len(self._read) >= HEAD.size:
            kind, channel, size = HEAD.unpack_from(self._read)
            if size > _LARGEST_FRAME:
                data = b""  # not our relay's any more
                break
            if len(self._read) < HEAD.size + size:
                break
            body = bytes(self._read[HEAD.size : HEAD.size + size])
            del self._read[: HEAD.size + size]
            self._take(kind, channel, body)
        if not data:
            self._pass_on(last=True)
            self._over = True

    def _take(self, kind: bytes, channel: int, body: bytes) -> None:
        if kind == b"H":
            self.confinement = body.decode(errors="replace")
            self.greeted.set()
        elif kind == b"L":
            self._log = (self._log + body)[-_LOG_BYTES:]
        elif kind == b"U":
            with contextlib.suppress(ValueError, TypeError, KeyError):
                told = json.loads(body)
                self.usage = int(told["memory"]), float(told["cpu"])
                self.memory_kills = int(told["kills"])
        elif kind == b"R" and not self._listeners:
            self._listen()
        else:
            self._pending.append((kind, channel, body))
            self._waiting += len(body)

    # To the host's sockets and pipes, in the order in which the code wrote

    def _pass_on(self, last: bool = False) -> None:
        while self._pending and self._blocked is None:
            kind, channel, body = self._pending.popleft()
            self._waiting -= len(body)
            if kind == b"D":
                if rest := self._deliver(channel, body):
                    self._pending.appendleft((kind, channel, rest))
                    self._waiting += len(rest)
                    break
            elif kind == b"C":
                self._drop(channel)
            elif kind == b"X":
                with contextlib.suppress(ValueError):
                    self._exit_seen = time.monotonic()
                    self._exit = int(body)
                for each in [*self._pipes, *self._sockets]:
                    self._drop(each)
                self.let_go()
        known = not self._over and self._stdout.fileno() in self._select.get_map()
        if known and self._waiting > _MOST_WAITING and not last:
            self._select.unregister(self._stdout)
        elif not known and not self._over and self._waiting <= _MOST_WAITING:
            self._select.register(self._stdout, selectors.EVENT_READ, self._take_in)

    def _deliver(self, channel: int, body: bytes) -> bytes:
        """Return what could not be written yet; then the channel is waited for."""
        try:
            if channel in self._sockets:
                sent = self._sockets[channel].send(body)
            elif channel in self._pipes:
                sent = os.write(self._pipes[channel], body)
            else:
                return b""
        except BlockingIOError:
            sent = 0
        except OSError:
            self._drop(channel)
            self.send(b"C", channel=channel)
            return b""
        if sent < len(body):
            self._wait_for(channel)
        return body[sent:]

    def _wait_for(self, channel: int) -> None:
        def ready() -> None:
            self._blocked = None
            self._select.unregister(target)
            if channel in self._sockets:
                self._select.register(target, selectors.EVENT_READ, self._serving(channel))

        target = self._sockets[channel].fileno() if channel in self._sockets else self._pipes[channel]
        if channel in self._sockets:
            self._select.unregister(target)
        self._select.register(target, selectors.EVENT_WRITE, ready)
        self._blocked = channel

    def _drop(self, channel: int) -> None:
        if self._blocked == channel:
            self._blocked = None
        if found := self._sockets.pop(channel, None):
            self._forget(found.fileno())
            found.close()
        elif (descriptor := self._pipes.pop(channel, None)) is not None:
            self._forget(descriptor)
            os.close(descriptor)

    def _forget(self, descriptor: int) -> None:
        if descriptor in self._select.get_map():
            self._select.unregister(descriptor)

    # From the host's sockets

    def _listen(self) -> None:
        for name in SOCKETS:
            listener = socket.socket(socket.AF_UNIX)
            listener.setblocking(False)
            listener.bind(str(self._folder / name))
            listener.listen()
            self._listeners.append(listener)
            self._select.register(listener, selectors.EVENT_READ, self._accepting(listener, name))

    def _accepting(self, listener: socket.socket, name: str) -> Callable[[], None]:
        def accept() -> None:
            try:
                made, _ = listener.accept()
            except OSError:
                return
            made.setblocking(False)
            self._channels += 1
            self._sockets[self._channels] = made
            self.send(b"O", name.encode(), self._channels)
            self._select.register(made, selectors.EVENT_READ, self._serving(self._channels))

        return accept

    def _serving(self, channel: int) -> Callable[[], None]:
        def serve() -> None:
            if channel not in self._sockets:
                return
            try:
                data = self._sockets[channel].recv(_CHUNK)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._drop(channel)
                self.send(b"C", channel=channel)
                return
            # A request finds its pipes made.
            self._carry_pipes()
            self.send(b"D", data, channel)

        return serve

    def _carry_pipes(self) -> None:
        """Have the pipes made inside that the host has made for a run."""
        names = {name for name in os.listdir(self._folder) if name.endswith(_STREAMS)}  # noqa: PTH208
        self._named = {name: channel for name, channel in self._named.items() if name in names}
        for name in sorted(names - self._named.keys()):
            try:
                descriptor = os.open(self._folder / name, os.O_WRONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
            except OSError:  # its reader has gone already
                continue
            self._channels += 1
            self._named[name] = self._channels
            self._pipes[self._channels] = descriptor
            self.send(b"P", name.encode(), self._channels)

    def _release(self) -> None:
        for channel in [*self._sockets, *self._pipes]:
            self._drop(channel)
        for listener in self._listeners:
            listener.close()
        self._select.close()

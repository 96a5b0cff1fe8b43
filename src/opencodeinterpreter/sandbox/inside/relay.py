"""The first process of a container: starts the kernel, and carries its sockets and pipes over stdin and stdout.

Unix sockets and named pipes do not pass through a folder that a virtual machine shares with its host, as Docker does
on macOS; a container's stdin and stdout pass everywhere. What this reads and writes are frames, see ``frames.py``.

It is sent to the container at its start, with what it imports; nothing here may come from outside the standard
library. As pid 1 it cannot be killed or stopped from inside, and what the code's own processes leave, it collects.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# ruff: noqa: PTH103, PTH108, PTH118, PTH120, PTH123, PTH208

from __future__ import annotations

import base64
import collections
import contextlib
import errno
import json
import os
import selectors
import shutil
import signal
import socket
import stat
import subprocess
import sys
import time

import confinement  # type: ignore[import-not-found]
from frames import HEAD, SOCKETS  # type: ignore[import-not-found]

_CHUNK = 1 << 16
_MOST_WAITING = 1 << 20
"""Bytes; with more on the way out, nothing further is read from the code."""
_DRAINED = 1 << 19
"""Bytes of one pipe that go before a message; more than a pipe holds."""
_TICK_SECONDS = 0.1
_LOG_BYTES = 4096
_FONTS = "/opt/opencodeinterpreter/matplotlib"
"""Where the image keeps what Matplotlib knows of its fonts."""
_SCRATCH = ("/tmp", "/dev/shm")  # noqa: S108 - the container's own


class Relay:
    """One kernel and the streams between it and the host."""

    def __init__(self, folder: str, measure) -> None:
        self._folder = folder
        self._measure = measure
        self._select = selectors.DefaultSelector()
        self._read = bytearray()
        self._out: collections.deque[bytes] = collections.deque()
        self._waiting = 0
        self._held = False
        self._sockets: dict[int, tuple[socket.socket, bytearray]] = {}  # with what is still to be sent
        self._pipes: dict[int, tuple[int, str]] = {}  # descriptor and path
        self._kernel: subprocess.Popen[bytes] | None = None
        self._log = -1
        self._ready = False
        self._exit: int | None = None

    def run(self) -> None:
        """Work until stdin ends: who leaves first may take along what is still on its way through the engine."""
        for descriptor in (0, 1):
            os.set_blocking(descriptor, False)
        self._select.register(0, selectors.EVENT_READ, self._take_frames)
        self._send(b"H", 0, confinement.describe().encode())
        due = 0.0
        while True:
            for key, _ in self._select.select(0.005 if self._kernel and not self._ready else _TICK_SECONDS):
                key.data()
            if self._kernel is not None and self._exit is None:
                if time.monotonic() >= due:
                    self._send(b"U", 0, json.dumps(self._usage()).encode())
                    due = time.monotonic() + _TICK_SECONDS
                if not self._ready:
                    self._look_for_sockets()
                self._reap()
            self._hold(self._waiting > _MOST_WAITING)

    # Frames in

    def _take_frames(self) -> None:
        try:
            data = os.read(0, _CHUNK)
        except BlockingIOError:
            return
        if not data:
            os._exit(0)  # the host has let go: with pid 1 everything inside ends
        self._read += data
        while len(self._read) >= HEAD.size:
            kind, channel, size = HEAD.unpack_from(self._read)
            if len(self._read) < HEAD.size + size:
                break
            body = bytes(self._read[HEAD.size : HEAD.size + size])
            del self._read[: HEAD.size + size]
            self._take(kind, channel, body)

    def _take(self, kind: bytes, channel: int, body: bytes) -> None:
        if kind == b"S":
            self._start(json.loads(body))
        elif kind == b"O":
            self._connect(channel, body.decode())
        elif kind == b"P":
            self._make_pipe(channel, body.decode())
        elif kind == b"D" and channel in self._sockets:
            self._sockets[channel][1].extend(body)
            self._flush(channel)
        elif kind == b"C":
            self._close(channel)
        elif kind == b"I" and self._kernel is not None and self._exit is None:
            os.kill(self._kernel.pid, signal.SIGINT)

    def _start(self, given) -> None:
        os.umask(0o077)
        for name, content in given["files"].items():
            path = os.path.join(self._folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(base64.b64decode(content))
        home = given["env"].get("HOME", self._folder)
        os.makedirs(home, exist_ok=True)
        with contextlib.suppress(OSError):  # an image of another make has none
            shutil.copytree(_FONTS, os.path.join(home, "matplotlib"), copy_function=shutil.copyfile)
        os.umask(0o022)
        argv, env, program = given["argv"], given["env"], base64.b64decode(given["filter"])
        if argv[0] == "python3":  # the one that runs this, wherever the image has it
            argv[0] = sys.executable
            env["PATH"] = os.path.dirname(sys.executable) + ":" + env.get("PATH", "/usr/bin:/bin")
        self._log, write = os.pipe()
        os.set_blocking(self._log, False)
        try:
            self._kernel = subprocess.Popen(
                argv, env=env, cwd=given["cwd"], stdin=subprocess.DEVNULL, stdout=write, stderr=write,
                start_new_session=True, preexec_fn=lambda: confinement.confine(given["address_space"], program),
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as error:
            os.write(write, f"{argv[0]} cannot be started: {error}".encode())
            self._exit = 127
            self._send(b"X", 0, b"127")
        os.close(write)
        self._select.register(self._log, selectors.EVENT_READ, self._take_log)

    # The kernel's sockets

    def _look_for_sockets(self) -> None:
        if all(_is_socket(os.path.join(self._folder, name)) for name in SOCKETS):
            self._ready = True
            self._send(b"R", 0)

    def _connect(self, channel: int, name: str) -> None:
        made = socket.socket(socket.AF_UNIX)
        made.setblocking(False)
        for _ in range(100):
            try:
                made.connect(os.path.join(self._folder, name))
                break
            except (ConnectionRefusedError, BlockingIOError):
                time.sleep(0.002)  # it is there and does not listen yet, or has its hands full
            except OSError:
                break
        self._sockets[channel] = (made, bytearray())
        if not self._held:
            self._watch(channel)

    def _watch(self, channel: int) -> None:
        made, unsent = self._sockets[channel]
        events = 0 if self._held else selectors.EVENT_READ
        events |= selectors.EVENT_WRITE if unsent else 0
        known = made.fileno() in self._select.get_map()
        if known and events:
            self._select.modify(made, events, lambda: self._serve(channel))
        elif known:
            self._select.unregister(made)
        elif events:
            self._select.register(made, events, lambda: self._serve(channel))

    def _serve(self, channel: int) -> None:
        if channel not in self._sockets:
            return
        if not self._held:
            try:
                data = self._sockets[channel][0].recv(_CHUNK)
            except BlockingIOError:
                data = None
            except OSError:
                data = b""
            if data is not None:
                # What was written before a message comes another way, and must go before it.
                for pipe in list(self._pipes):
                    self._drain(pipe)
                if not data:
                    self._close(channel)
                    self._send(b"C", channel)
                    return
                self._send(b"D", channel, data)
        self._flush(channel)

    def _flush(self, channel: int) -> None:
        made, unsent = self._sockets[channel]
        with contextlib.suppress(OSError):  # a broken one is told when it is read
            while unsent:
                del unsent[: made.send(unsent)]
        self._watch(channel)

    def _close(self, channel: int) -> None:
        if channel in self._sockets:
            made, _ = self._sockets.pop(channel)
            if made.fileno() in self._select.get_map():
                self._select.unregister(made)
            made.close()
        elif channel in self._pipes:
            descriptor, path = self._pipes.pop(channel)
            if descriptor in self._select.get_map():
                self._select.unregister(descriptor)
            os.close(descriptor)
            with contextlib.suppress(OSError):
                os.unlink(path)

    # The pipes of its output

    def _make_pipe(self, channel: int, name: str) -> None:
        path = os.path.join(self._folder, name)
        try:
            os.mkfifo(path, 0o600)
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:  # code left by an earlier run plays with the folder
            self._send(b"C", channel)
            return
        self._pipes[channel] = descriptor, path
        if not self._held:
            self._select.register(descriptor, selectors.EVENT_READ, lambda: self._pump(channel))

    def _pump(self, channel: int) -> None:
        """Pass on one piece; the end is an end only here, for a pipe that nobody has opened yet is not told of."""
        if channel not in self._pipes or self._held:
            return
        try:
            data = os.read(self._pipes[channel][0], _CHUNK)
        except BlockingIOError:
            return
        if data:
            self._send(b"D", channel, data)
        else:
            self._close(channel)
            self._send(b"C", channel)

    def _drain(self, channel: int) -> None:
        """Pass on what is there."""
        left = _DRAINED
        while left > 0:
            try:
                data = os.read(self._pipes[channel][0], _CHUNK)
            except BlockingIOError:
                return
            if not data:
                return
            left -= len(data)
            self._send(b"D", channel, data)

    # Out

    def _send(self, kind: bytes, channel: int, body: bytes = b"") -> None:
        self._out.append(HEAD.pack(kind, channel, len(body)) + body)
        self._waiting += HEAD.size + len(body)
        self._write()

    def _write(self) -> None:
        while self._out:
            try:
                written = os.write(1, self._out[0])
            except BlockingIOError:
                break
            except OSError as error:
                if error.errno == errno.EPIPE:
                    os._exit(0)  # the host has let go
                raise
            self._waiting -= written
            if written == len(self._out[0]):
                self._out.popleft()
            else:
                self._out[0] = self._out[0][written:]
        known = 1 in self._select.get_map()
        if self._out and not known:
            self._select.register(1, selectors.EVENT_WRITE, self._write)
        elif known and not self._out:
            self._select.unregister(1)

    def _hold(self, hold: bool) -> None:
        """Leave unread what the code puts out, or read it again."""
        if hold == self._held:
            return
        self._held = hold
        for channel in self._sockets:
            self._watch(channel)
        for channel, (descriptor, _) in self._pipes.items():
            if hold:
                self._select.unregister(descriptor)
            else:
                self._select.register(descriptor, selectors.EVENT_READ, lambda at=channel: self._pump(at))

    # The kernel's process

    def _take_log(self) -> None:
        try:
            data = os.read(self._log, _LOG_BYTES)
        except BlockingIOError:
            return
        if data:
            self._send(b"L", 0, data)
        elif self._log in self._select.get_map():
            self._select.unregister(self._log)

    def _usage(self) -> dict[str, float]:
        pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
        own, shared = self._measure.memory([pid for pid in pids if pid != 1])
        stored = 0
        for path in (*_SCRATCH, self._folder):
            with contextlib.suppress(OSError):
                told = os.statvfs(path)
                stored += (told.f_blocks - told.f_bfree) * told.f_frsize
        cpu = self._measure.cpu(pids) - time.process_time()
        return {"memory": own + max(shared, stored), "cpu": cpu, "kills": confinement.memory_kills()}

    def _reap(self) -> None:
        """Collect what has ended; after the kernel, send what is left in the pipes."""
        while self._exit is None:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            if self._kernel is not None and pid == self._kernel.pid:
                self._take_log()
                for channel in list(self._pipes):
                    self._drain(channel)
                self._send(b"U", 0, json.dumps(self._usage()).encode())
                self._exit = os.waitstatus_to_exitcode(status)
                self._send(b"X", 0, str(self._exit).encode())


def _is_socket(path: str) -> bool:
    try:
        return stat.S_ISSOCK(os.lstat(path).st_mode)
    except OSError:
        return False


def main(folder: str, measure) -> None:
    """Work for the kernel that the host asks for.

    Args:
        folder: for its sockets, pipes and start files.
        measure: the module ``processes``.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # which from inside does nothing to pid 1
    confinement.hide()
    Relay(folder, measure).run()

"""Gives each run of a kernel pipes of its own for what it writes to stdout and stderr.

Imported by the start script beside it; here, too, nothing may come from outside the standard library.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs
# ruff: noqa: PTH118

from __future__ import annotations

import contextlib
import contextvars
import io
import os
import threading
import time

_PARTIAL_SECONDS = 0.05
_PARTIAL_CHARACTERS = 4096


class Run:
    """Where the output of one run goes, for as long as any thread of it lives."""

    def __init__(self, pipes: str, name: str) -> None:
        self._lock = threading.RLock()
        self._fds = {stream: _open(os.path.join(pipes, f"{name}.{stream}")) for stream in ("stdout", "stderr")}
        self._pending: dict[str, list[str]] = {stream: [] for stream in self._fds}
        self._written = dict.fromkeys(self._fds, 0.0)

    def attach(self) -> None:
        """Give the file descriptors 1 and 2, which libraries and children write to, to this run."""
        os.dup2(self._fds["stdout"], 1)
        os.dup2(self._fds["stderr"], 2)

    def write(self, stream: str, text: str) -> None:
        """Pass whole lines on at once, and parts of lines at most a little later."""
        with self._lock:
            self._pending[stream].append(text)
            if (
                "\n" in text
                or len(text) > _PARTIAL_CHARACTERS
                or time.monotonic() - self._written[stream] > _PARTIAL_SECONDS
            ):
                self.flush(stream)

    def flush(self, stream: str) -> None:
        with self._lock:
            pieces, self._pending[stream] = self._pending[stream], []
            if pieces:
                self._written[stream] = time.monotonic()
                self.put(stream, "".join(pieces).encode("utf-8", "backslashreplace"))

    def put(self, stream: str, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fds[stream], rest) :]

    def after_fork(self) -> None:
        """A lock that another thread held is never released in the child."""
        self._lock = threading.RLock()

    def __del__(self) -> None:
        for fd in self._fds.values():
            with contextlib.suppress(OSError):  # the code has closed it itself
                os.close(fd)


_RUN: contextvars.ContextVar[Run] = contextvars.ContextVar("run")
"""Of the thread or task at hand; ``_latest`` stands in where a library started the thread."""
_latest: Run | None = None


def _open(pipe: str) -> int:
    try:
        return os.open(pipe, os.O_WRONLY | os.O_CLOEXEC)
    except OSError:  # nobody reads
        return os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)


def _current() -> Run:
    run = _RUN.get(None) or _latest
    assert run is not None
    return run


class Stream(io.TextIOBase):
    """``sys.stdout`` or ``sys.stderr``: text for the run that writes it."""

    encoding = "utf-8"
    errors = "backslashreplace"
    mode = "w"

    def __init__(self, name: str) -> None:
        self.name = f"<{name}>"
        self._stream = name
        self.buffer = io.BufferedWriter(_Bytes(self), 1)

    def write(self, text: str) -> int:
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        _current().write(self._stream, text)
        return len(text)

    def writelines(self, lines) -> None:
        for line in lines:
            self.write(line)

    def flush(self) -> None:
        _current().flush(self._stream)

    def fileno(self) -> int:
        return {"stdout": 1, "stderr": 2}[self._stream]

    def isatty(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def reconfigure(self, **_) -> None:
        """Programs set the encoding; here it is always UTF-8."""

    def close(self) -> None:
        """Code that closes its stdout would have no output for the rest of the session."""


class _Bytes(io.RawIOBase):
    """``sys.stdout.buffer``."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream

    def writable(self) -> bool:
        return True

    def write(self, data) -> int:
        self._stream.flush()
        _current().put(self._stream._stream, bytes(data))
        return len(data)


def keep_runs_apart() -> None:
    """Let threads know the run that started them, and forked children hold no half-written line twice."""
    start = threading.Thread.start

    def start_in_context(self) -> None:
        context, run = contextvars.copy_context(), self.run

        def run_in_context() -> None:
            try:
                context.run(run)
            finally:
                del self.run  # which would keep the thread, and with it its run, alive

        self.run = run_in_context
        start(self)

    threading.Thread.start = start_in_context  # type: ignore[method-assign]

    def before() -> None:
        for stream in ("stdout", "stderr"):
            if _latest is not None:
                _current().flush(stream)

    def in_child() -> None:
        if _latest is not None:
            _current().after_fork()

    os.register_at_fork(before=before, after_in_child=in_child)


def begin(pipes: str, name: str) -> tuple[Run, contextvars.Token[Run]]:
    """From now on what is written belongs to a new run; ``pipes`` is the folder where its pipes wait."""
    global _latest
    # Set as a whole before it is used: an earlier run's threads may be writing.
    _latest = run = Run(pipes, name)
    return run, _RUN.set(run)


def end(run: Run, token: contextvars.Token[Run]) -> None:
    """The run is over, but for what it left in the background."""
    run.flush("stdout")
    run.flush("stderr")
    _RUN.reset(token)

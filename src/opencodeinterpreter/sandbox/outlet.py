"""Takes in what runs write to stdout and stderr: named pipes, a new pair for each run.

What comes through the pipes of any other run than the present one is read, so that nobody has to wait, and dropped.
What was written before a process died can still be read afterwards.
"""

from __future__ import annotations

import codecs
import contextlib
import fcntl
import os
import select
import stat
from collections.abc import Callable
from pathlib import Path

TextSink = Callable[[str, str], None]
"""Called with ("stdout" | "stderr", text)."""

_CHUNK = 1 << 16
_CHUNKS_A_PASS = 16
_PIPE_BYTES = 1 << 18
"""What code may be ahead of us; with less, each of many short lines would make it wait."""
_MOST_LATE_PIPES = 64


class _Pipe:
    def __init__(self, folder: Path, run: str, stream: str) -> None:
        self.stream = stream
        self.ended = False
        self._path = folder / f"{run}.{stream}"
        os.mkfifo(self._path, 0o600)
        self.descriptor = os.open(self._path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC)
        if not stat.S_ISFIFO(os.fstat(self.descriptor).st_mode):
            os.close(self.descriptor)  # code left by an earlier run plays with the folder
            raise FileExistsError(f"{self._path.name} is not the pipe that was made")
        # By the descriptor, for a path may have become a link to a file of the host's by now. The code may run as
        # another user; the folder around it is private.
        os.fchmod(self.descriptor, 0o622)
        with contextlib.suppress(OSError, AttributeError):  # only Linux can, and a user may have only so much
            fcntl.fcntl(self.descriptor, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def read(self) -> str | None:
        """Return text, or None if there is nothing now; sets ``ended`` where no writer is left."""
        try:
            data = os.read(self.descriptor, _CHUNK)
        except BlockingIOError:
            return None
        if not data and not self._left():
            return None
        self.ended = not data
        return self._decoder.decode(data, not data) or None

    def _left(self) -> bool:
        """Return whether there has been a writer, and is none now: a pipe that is yet to be opened looks the same."""
        looked = select.poll()
        looked.register(self.descriptor, select.POLLIN)
        happened = looked.poll(0)
        return bool(happened) and happened[0][1] & (select.POLLIN | select.POLLHUP) == select.POLLHUP

    def unlink(self) -> None:
        self._path.unlink(missing_ok=True)

    def close(self) -> None:
        os.close(self.descriptor)


class Outlet:
    """The reading ends of a kernel's text output; used by one thread at a time.

    Args:
        folder: where the pipes are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._present: list[_Pipe] = []
        self._late: list[_Pipe] = []

    def begin(self, run: str) -> None:
        """Make the pipes of ``run``, which is the present one from now on."""
        self._late += self._present
        self._present = []
        for stream in ("stdout", "stderr"):
            self._present.append(_Pipe(self._folder, run, stream))
        self._drop(self._late[:-_MOST_LATE_PIPES])

    def finish(self) -> None:
        """The present run is over, and whoever is to have opened its pipes has done so."""
        for pipe in self._present:
            pipe.unlink()

    @property
    def abandoned(self) -> bool:
        """Whether nobody holds the pipes of the present run any longer, as its kernel does until the next."""
        return bool(self._present) and all(pipe.ended for pipe in self._present)

    def filenos(self) -> list[int]:
        """Return what becomes readable when there is something to ``pump``."""
        return [pipe.descriptor for pipe in (*self._present, *self._late) if not pipe.ended]

    def pump(self, sink: TextSink) -> bool:
        """Read what is there, but not more than about a megabyte of each; return whether there may be more."""
        more = [_pass_on(pipe, sink) for pipe in self._present]
        for pipe in self._late:
            _pass_on(pipe, _nowhere)
        self._drop([pipe for pipe in self._late if pipe.ended])
        return any(more)

    def close(self) -> None:
        self._drop(self._late)
        for pipe in self._present:
            pipe.close()
        self._present.clear()

    def _drop(self, pipes: list[_Pipe]) -> None:
        for pipe in list(pipes):
            pipe.close()
            self._late.remove(pipe)


def _pass_on(pipe: _Pipe, sink: TextSink) -> bool:
    for _ in range(_CHUNKS_A_PASS):
        text = pipe.read()
        if text is None:
            return False
        sink(pipe.stream, text)
    return True


def _nowhere(_stream: str, _text: str) -> None:
    pass

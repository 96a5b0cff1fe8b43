"""A process started in a jail, seen from the host."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence, Set
from pathlib import Path

from opencodeinterpreter.errors import SandboxError
from opencodeinterpreter.sandbox.handles import has_ended, open_handle, send_signal
from opencodeinterpreter.sandbox.jail import SCRATCH
from opencodeinterpreter.sandbox.processes import cpu, descendants, memory

_log = logging.getLogger(__name__)
_END_SECONDS = 10.0
_START_PAUSE_SECONDS = 0.003
"""Between two looks for the program: it takes some 15 ms to come up, and each look costs this one a third of one."""
_TAIL_BYTES = 64 * 1024


class Tail:
    """Reads a pipe to its end, so that no writer ever waits, and keeps the last of it."""

    def __init__(self, descriptor: int) -> None:
        self._kept: deque[bytes] = deque()
        self._size = 0
        self._descriptor = descriptor
        self._thread = threading.Thread(target=self._read, name="jail-output", daemon=True)
        self._thread.start()

    def text(self) -> str:
        return b"".join(self._kept.copy()).decode(errors="replace")

    def wait(self, seconds: float) -> None:
        """Return when every writer is gone, or after ``seconds``."""
        self._thread.join(seconds)

    def _read(self) -> None:
        with os.fdopen(self._descriptor, "rb", buffering=0) as pipe:
            while piece := pipe.read(_TAIL_BYTES):
                self._kept.append(piece)
                self._size += len(piece)
                while self._size - len(self._kept[0]) >= _TAIL_BYTES:
                    self._size -= len(self._kept.popleft())


class JailedProcess:
    """The main process of a jail and all that it starts, below the jail's pid 1.

    Args:
        bubblewrap: the process that built the jail.
        init: host pid of the jail's pid 1; every process inside descends from it and ends with it.
        status: the read end of bubblewrap's reports, which must stay open for bubblewrap to end in peace.
        output: what the jail's processes write to the stdout and stderr they were started with.
        preludes: command lines that the main process has before it is the program asked for.
        on_end: called once, when nothing of the jail is left.
    """

    def __init__(
        self,
        bubblewrap: subprocess.Popen[bytes],
        init: int,
        status: int,
        output: Tail,
        preludes: Set[bytes],
        on_end: Callable[[], None],
    ) -> None:
        self._bubblewrap = bubblewrap
        self._init = init
        # Signals and waits go through this: a pid could belong to another process by then.
        self._init_handle: int | None = open_handle(init)
        self._main: int | None = None
        self._main_handle: int | None = None
        self._status: int | None = status
        self._output = output
        self._preludes = {b"", *preludes}
        self._on_end = on_end
        self._lock = threading.RLock()

    def output(self) -> str:
        """Return the end of what was written to the stdout and stderr of the start: why a start failed."""
        return self._output.text()

    def started(self) -> bool:
        """Return True as soon as the main process runs a program of its own."""
        main = self._find_main()
        # At first it is a copy of pid 1, which started it.
        return main is not None and _command(main) not in self._preludes | {_command(self._init)}

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs; -N or 128 + N if signal N ended it."""
        return self._bubblewrap.poll()

    def pids(self) -> Sequence[int]:
        """Return the host pids of every living process inside, the main one first."""
        return [pid for pid in self._tree()[1:] if _state(pid) not in {"Z", "X", ""}]

    def usage(self) -> tuple[int, float]:
        """Return (bytes of memory, seconds of CPU) over every process inside, the ended ones' CPU too.

        Files in the jail's file systems in memory count as memory, whether a process has them mapped or not.
        """
        tree = self._tree()
        # Pid 1 shares nothing with what it started, so that a single process beside it need not be asked for shares.
        (first, first_shared), (others, others_shared) = memory(tree[:1]), memory(tree[1:])
        shared = max(first_shared + others_shared, _scratch_bytes(self._init) if tree else 0)
        return first + others + shared, cpu(tree)

    def interrupt(self) -> None:
        """Send SIGINT to the main process inside, and to it alone; nothing if it is gone."""
        with self._lock:
            self._find_main()
            if self._main_handle is not None:
                send_signal(self._main_handle, signal.SIGINT)

    def kill(self) -> None:
        """End everything inside at once and wait until it is gone; safe to call twice.

        Raises:
            SandboxError: if something inside outlives its kill, which only a fault of the kernel's can bring.
        """
        with self._lock:
            if self._init_handle is None:
                return
            # The jail's pid 1 first: bubblewrap then reaps it, and it is no orphan for a pid 1 that reaps nothing.
            send_signal(self._init_handle, signal.SIGKILL)
            # The kernel reports its end only after that of all others in its pid namespace.
            gone = has_ended(self._init_handle, _END_SECONDS)
            if not gone:
                self._bubblewrap.kill()
            self._reap()
            if not gone:
                raise SandboxError(f"The sandbox's processes (host pid {self._init}) could not be ended.")
            self._release()

    def _reap(self) -> None:
        try:
            self._bubblewrap.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self._bubblewrap.kill()
            self._bubblewrap.wait()
        # Where this program is the reaper of orphans, the jail's pid 1 has become its child.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self._init, os.WNOHANG)

    def _release(self) -> None:
        for descriptor in (self._init_handle, self._main_handle, self._status):
            if descriptor is not None:
                os.close(descriptor)
        self._init_handle = self._main_handle = self._status = None
        self._output.wait(_END_SECONDS)
        self._on_end()

    def _tree(self) -> list[int]:
        """Return the jail's pid 1, the main process and the others, while pid 1 is surely still the jail's."""
        with self._lock:
            if self._init_handle is None or has_ended(self._init_handle):
                return []
            found = descendants(self._init)
            if has_ended(self._init_handle):
                return []
            main = self._find_main()
        return sorted(found, key=lambda pid: (pid != self._init, pid != main))

    def _find_main(self) -> int | None:
        """Return the host pid of the first process after pid 1, remembered from its first sight."""
        with self._lock:
            if self._main is None and self._init_handle is not None:
                for pid in descendants(self._init)[1:]:
                    if _inside_pid(pid) == 2:  # 1 waits for it
                        with contextlib.suppress(ProcessLookupError):
                            self._main_handle = open_handle(pid)
                            self._main = pid
            return self._main


def wait_started(process: JailedProcess, seconds: float) -> bool:
    """Wait until the main process runs or all is over; return False if neither came in time."""
    deadline = time.monotonic() + seconds
    while not process.started() and process.poll() is None:
        if time.monotonic() > deadline:
            return False
        time.sleep(_START_PAUSE_SECONDS)
    return True


def _scratch_bytes(pid: int) -> int:
    """Return what is stored in the file systems in memory that ``pid`` sees."""
    used = 0
    for path in SCRATCH:
        with contextlib.suppress(OSError):  # the process is gone, or has not come so far
            status = os.statvfs(f"/proc/{pid}/root{path}")
            used += (status.f_blocks - status.f_bfree) * status.f_frsize
    return used


def _status(pid: int, name: str) -> str:
    """Return a line of ``/proc/PID/status`` after its name, empty if the process is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:")), "")


def _command(pid: int) -> bytes:
    """Return the command line, empty if the process is gone or is no program yet."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def _state(pid: int) -> str:
    return _status(pid, "State")[:1]


def _inside_pid(pid: int) -> int:
    numbers = _status(pid, "NSpid").split()
    return int(numbers[-1]) if numbers else 0

"""Ends runs that pass a limit: one thread a kernel, which looks at the clock, the processes and the workspace."""

from __future__ import annotations

import logging
import math
import os
import resource
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opencodeinterpreter.sandbox.base import IsolatedProcess, Limits, Reason

_GRACE_SECONDS = 1.5
"""From the interrupt to the kill: a shell asks its child first, and a busy machine is slow to let either answer."""
_ASK_AGAIN_SECONDS = 0.5
_SAMPLE_SECONDS = 0.1
_IDLE_SAMPLE_SECONDS = 1.0
_IDLE_AFTER_SECONDS = 2.0
_STARTING_SECONDS = 60.0
"""For which a kernel that nobody waits for is taken to start, and not to be idle."""
_UNCOUNTED_BYTES = 16 << 20
"""Of a process's memory, stack and the like, that its limit on data leaves out."""
_DISK_SLACK_BYTES = 4 << 20
_WORK_SECONDS = 0.02
"""Of CPU; with less, nothing is at work inside."""
_LEAST_BYTES = 32 << 20
_MOST_FILES = 100_000
"""In the workspace: many empty files fill a disk as well."""
_LOG = logging.getLogger(__name__)

DiskUsage = Callable[[], tuple[int, int]]
"""Returns (bytes, files)."""


@dataclass
class Watch:
    """One run, as far as limits see it."""

    wall_seconds: float | None = None
    started: float = field(default_factory=time.monotonic)
    reason: Reason | None = None
    """Why it is being ended; set once."""
    ended_at: float | None = None
    cpu_before: float = 0.0
    disk_before: tuple[int, int] = (0, 0)
    """(bytes, files) in the workspace when it began."""
    waited: float = 0.0
    """Seconds that the run waited for a person, which are not its own."""
    waiting_since: float | None = None

    def end(self, reason: Reason) -> None:
        """Ask for the run to be ended; the first reason counts."""
        if self.reason is None:
            self.reason = reason

    def left(self) -> float:
        """Return the seconds of wall time that are left, infinity where there is no limit."""
        if self.wall_seconds is None:
            return math.inf
        now = time.monotonic()
        waiting = self.waiting_since
        waited = self.waited + (now - waiting if waiting is not None else 0.0)
        return self.started + self.wall_seconds + waited - now


class Watcher:
    """Watches one kernel from its start to its end.

    Args:
        process: the kernel.
        limits: what it may use.
        disk: tells what is stored in the folders that the code can write to.
        interrupt: asks the kernel to give up the present run.
        between: called now and then while nothing runs.
    """

    def __init__(
        self,
        process: IsolatedProcess,
        limits: Limits,
        disk: DiskUsage,
        interrupt: Callable[[], None],
        between: Callable[[], None],
    ) -> None:
        self._process = process
        self._limits = limits
        self._disk = disk
        self._interrupt = interrupt
        self._between = between
        self._condition = threading.Condition()
        self._watch: Watch | None = None
        self._closed = self._held = False
        self._busy_at = time.monotonic() + _STARTING_SECONDS
        self._disk_due = self._cpu_seen = 0.0
        self._disk_before: tuple[int, int] | None = None
        self._interrupts = 0
        self._thread = threading.Thread(target=self._work, name="sandbox-watcher", daemon=True)
        self._thread.start()

    def hold(self) -> None:
        """A run is about to begin: the kernel is not idle, even if it takes its time to start."""
        self._held = True

    def begin(self, watch: Watch) -> None:
        """A run begins; its time counts from now."""
        if self._limits.cpu_seconds is not None:
            watch.cpu_before = self._process.usage()[1]
        watch.started = time.monotonic()
        with self._condition:
            asleep = self._is_idle()
            self._watch, self._interrupts, self._disk_before = watch, 0, watch.disk_before
            if asleep:
                self._condition.notify()

    def finish(self) -> None:
        """The run is over, or the kernel has come up: from now on it is idle."""
        with self._condition:
            self._watch, self._held, self._disk_before = None, False, None
            self._busy_at = time.monotonic()

    def starved(self) -> bool:
        """Return whether the kernel has so little memory left that the next run could hardly begin."""
        pids = self._process.pids()
        if not pids or not (refused := _refused_at(pids[:1])):
            return False
        return refused - _UNCOUNTED_BYTES - _data_bytes(pids[0]) < _LEAST_BYTES

    def wake(self) -> None:
        """Look now: a run is to be ended."""
        with self._condition:
            self._condition.notify()

    def close(self) -> None:
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()

    def _is_idle(self) -> bool:
        return self._watch is None and not self._held and time.monotonic() - self._busy_at > _IDLE_AFTER_SECONDS

    def _work(self) -> None:
        while True:
            with self._condition:
                if (pause := self._pause()) is None:
                    return
                self._condition.wait(pause)
                watch = self._watch
            try:
                self._look(watch)
            except Exception:  # the limits hold on after a failed look
                _LOG.exception("the sandbox's watcher failed once")

    def _pause(self) -> float | None:
        """Return the seconds until the next look, or None if there is to be none."""
        watch = self._watch
        if self._closed:
            return None
        if self._is_idle():
            return _IDLE_SAMPLE_SECONDS
        if watch is None or watch.wall_seconds is None or watch.reason is not None:
            return _SAMPLE_SECONDS
        return max(0.0, min(_SAMPLE_SECONDS, watch.left()))

    def _look(self, watch: Watch | None) -> None:
        if self._closed or self._process.poll() is not None:
            return
        reason = self._exceeded(watch)
        if watch is None:
            self._between()
            if reason is not None or self._idle_for_too_long():
                self._end_idle()
            return
        if reason is not None:
            watch.end(reason)
        if watch.reason is not None:
            # There is no time to ask for the first two: both grow faster than code gives up.
            self._end(watch, at_once=reason in ("memory", "processes"))

    def _idle_for_too_long(self) -> bool:
        longest = self._limits.idle_seconds
        return longest is not None and not self._held and time.monotonic() - self._busy_at > longest

    def _end_idle(self) -> None:
        """Kill between two runs, unless one has just begun."""
        with self._condition:
            if self._watch is None:
                self._process.kill()

    def _end(self, watch: Watch, at_once: bool) -> None:
        now = time.monotonic()
        if watch.ended_at is None:
            watch.ended_at = now
        with self._condition:
            if self._watch is not watch:  # it has ended by itself; the next run must not pay for it
                return
            if at_once or now - watch.ended_at >= _GRACE_SECONDS:
                self._process.kill()
            elif self._interrupts == 0 or (self._interrupts == 1 and now - watch.ended_at >= _ASK_AGAIN_SECONDS):
                # Asked twice, since an interrupt that comes while the kernel reads the request is lost.
                self._interrupts += 1
                self._interrupt()

    def _exceeded(self, watch: Watch | None) -> Reason | None:
        limits, now = self._limits, time.monotonic()
        memory, cpu = self._process.usage()
        pids = self._process.pids()
        worked, self._cpu_seen = cpu - self._cpu_seen > _WORK_SECONDS, cpu
        if limits.memory_mb is not None and memory > max(limits.memory_mb << 20, _refused_at(pids)):
            return "memory"
        if limits.processes is not None and _tasks(pids) > limits.processes:
            return "processes"
        if watch is not None and watch.left() <= 0:
            return "wall time"
        if watch is not None and limits.cpu_seconds is not None and cpu - watch.cpu_before > limits.cpu_seconds:
            return "cpu time"
        # Who only waits does not write either: an idle session's workspace is left alone.
        return self._exceeded_disk(now) if watch is not None or worked else None

    def _exceeded_disk(self, now: float) -> Reason | None:
        if self._limits.workspace_mb is None or now < self._disk_due:
            return None
        used, files = self._disk()
        # A large workspace takes long to count: let that cost a tenth of the time at most.
        self._disk_due = time.monotonic() + max(_SAMPLE_SECONDS, 10 * (time.monotonic() - now))
        # Code that makes room in a workspace that is too full already must be able to.
        if self._disk_before is None:
            self._disk_before = used, files
        bytes_before, files_before = self._disk_before
        if used > max(self._limits.workspace_mb << 20, bytes_before + _DISK_SLACK_BYTES) or files > max(
            _MOST_FILES, files_before
        ):
            return "disk"
        return None


def _refused_at(pids: Sequence[int]) -> int:
    """Return the bytes at which a lone process is refused more memory, as an error that leaves its state alone."""
    if len(pids) != 1:
        return 0
    try:
        refused = resource.prlimit(pids[0], resource.RLIMIT_DATA)[0]
    except OSError:  # it has just ended
        return 0
    return 0 if refused == resource.RLIM_INFINITY else refused + _UNCOUNTED_BYTES


def _data_bytes(pid: int) -> int:
    """Return what counts towards the limit at which a process is refused more memory."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:  # it has just ended
        return 0
    return 1024 * sum(int(line.split()[1]) for line in lines if line.startswith("VmData:"))


def _tasks(pids: Iterable[int]) -> int:
    """Return how many processes and threads there are."""
    count = 0
    for pid in pids:
        try:
            count += len(os.listdir(f"/proc/{pid}/task"))  # noqa: PTH208 - twice as fast, and asked often
        except OSError:  # it has just ended
            continue
    return count

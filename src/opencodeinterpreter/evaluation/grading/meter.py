"""What a running jail uses, seen from outside, where the program cannot change the figures."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.sandbox.base import IsolatedProcess

_CPU_FACTOR, _CPU_SLACK = 1.25, 0.25
"""The figures from outside are coarse and hold the work around a call, too; the exact ones come with the answers."""
_WHOLE_FACTOR = 2.0
_STALLED_SECONDS = 180.0
"""For which a process that wants to run is surely given a moment of CPU, on any machine however busy."""
_MOST_FILES = 2000
_MB = 1 << 20


@dataclass(frozen=True)
class Stop:
    """Why a run is to be ended."""

    ending: Literal["time", "asleep", "memory", "disk"]
    cpu_seconds: float
    """Since the last progress."""


class Meter:
    """Compares what a jail uses with the limits, between one sign of progress and the next.

    Args:
        process: the jail.
        folders: on the host's disk, where the program can write.
        limits: of the run.
        cpu_seconds: that the whole run may take.
    """

    def __init__(
        self, process: IsolatedProcess, folders: Sequence[Path], limits: GradingLimits, cpu_seconds: float
    ) -> None:
        self._most_cpu = cpu_seconds * _WHOLE_FACTOR
        self._process = process
        self._folders = folders
        self._limits = limits
        self._since: float | None = None
        self._cpu_at_progress = self._cpu_seen = 0.0
        self._asleep = 0.0
        self._looked = self._worked = time.monotonic()

    def progress(self) -> None:
        """An answer came: what is used from the next look on is for the next one."""
        self._since = None

    def look(self, cpu_allowance: float) -> Stop | None:
        """Return why the run is to be ended, if it is."""
        memory, cpu = self._process.usage()
        pids = self._process.pids()
        now = time.monotonic()
        if self._since is None:
            self._since, self._cpu_at_progress, self._asleep = now, cpu, 0.0
        elif cpu <= self._cpu_seen and not any(_runs(pid) for pid in pids):
            self._asleep += now - self._looked
        if cpu > self._cpu_seen:
            self._worked = now
        self._looked, self._cpu_seen = now, max(cpu, self._cpu_seen)
        used = self._cpu_seen - self._cpu_at_progress
        if memory > self._limits.memory_mb * _MB:
            return Stop("memory", used)
        if used > cpu_allowance * _CPU_FACTOR + _CPU_SLACK or cpu > self._most_cpu:
            return Stop("time", used)
        if self._asleep > self._limits.asleep_seconds or now - max(self._since, self._worked) > _STALLED_SECONDS:
            return Stop("asleep", used)
        if now - self._since > self._limits.stalled_seconds:
            return Stop("asleep", used)
        if self._written() > self._limits.disk_mb * _MB:
            return Stop("disk", used)
        return None

    def _written(self) -> int:
        """Return the bytes on disk; more than any limit where there are more files than a solution needs."""
        total = 0
        for count, entry in enumerate(entry for folder in self._folders for entry in _entries(folder)):
            if count > _MOST_FILES:
                return self._limits.disk_mb * _MB + 1
            try:
                total += entry.stat(follow_symlinks=False).st_blocks * 512
            except OSError:  # gone since it was listed
                continue
        return total


def _entries(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield all below a folder, without following links."""
    waiting = [str(folder)]
    while waiting:
        try:
            entries = list(os.scandir(waiting.pop()))
        except OSError:  # removed, closed to us, or nested deeper than a path can be long
            continue
        for entry in entries:
            yield entry
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)


def _runs(pid: int) -> bool:
    """Return whether some thread of a process runs, or would if a processor were free."""
    try:
        threads = os.listdir(f"/proc/{pid}/task")  # noqa: PTH208 - asked often
        states = [Path(f"/proc/{pid}/task/{thread}/stat").read_text(errors="replace") for thread in threads]
    except OSError:  # it has just ended
        return True
    return any(state.rpartition(")")[2].split()[0] in ("R", "D") for state in states)

"""Limits that the kernel holds for each process inside; sums over processes are the watcher's."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import sys
from pathlib import Path

from opencodeinterpreter.sandbox.base import Limits

_MB = 1024 * 1024
_OOM_SCORE = 800
"""Of 1000: when the machine runs out of memory, sandboxes go before anything of the user's."""
_LIBRARIES_MB = 96
"""Writable memory that an interpreter with NumPy and pandas asks for and never touches."""
_THREAD_MB = 32
"""The same for each thread of a linear algebra library, of which there is one a core: stack, arena, buffer."""
_ADDRESS_SPACE_FACTOR = 4
_ADDRESS_SPACE_MB = 16 * 1024
_PER_NAMESPACE_COUNT = (5, 14)
"""Before this kernel, an ordinary user's processes outside the jail count too."""


def apply(pid: int, limits: Limits, user_namespace: bool) -> None:
    """Set the limits of a process that has not started anything yet; what it starts inherits them.

    Going over the limit on memory raises ``MemoryError`` inside where possible: the session keeps its state,
    which it loses when the watcher has to kill.
    """
    numbers = wanted(limits)
    if limits.processes is not None:
        numbers[resource.RLIMIT_NPROC] = limits.processes + (_others() if user_namespace else 0)
    for kind, value in numbers.items():
        _, hard = resource.prlimit(pid, kind)
        if hard != resource.RLIM_INFINITY:
            value = min(value, hard)
        resource.prlimit(pid, kind, (value, value))
    # Only takes from this jail's share; a kernel that hides the file does no harm.
    with contextlib.suppress(OSError):
        Path(f"/proc/{pid}/oom_score_adj").write_text(str(_OOM_SCORE))


def wanted(limits: Limits) -> dict[int, int]:
    """Return the limits of one process, but for the number of processes, which is counted per user."""
    numbers = {resource.RLIMIT_CORE: 0, resource.RLIMIT_MEMLOCK: 64 * 1024}
    if sys.platform == "linux":
        numbers[resource.RLIMIT_MSGQUEUE] = 0
    if limits.memory_mb is not None:
        cores = os.cpu_count() or 1
        slack = _LIBRARIES_MB + _THREAD_MB * cores
        numbers[resource.RLIMIT_DATA] = _MB * (limits.memory_mb + slack)
        numbers[resource.RLIMIT_AS] = _MB * (limits.memory_mb * _ADDRESS_SPACE_FACTOR + _ADDRESS_SPACE_MB + slack)
    if limits.open_files is not None:
        numbers[resource.RLIMIT_NOFILE] = limits.open_files
    if limits.workspace_mb is not None:
        numbers[resource.RLIMIT_FSIZE] = _MB * limits.workspace_mb
    return numbers


def _others() -> int:
    """Return how many processes count towards an ordinary user's jail that are not of the code inside."""
    version = tuple(int(part) for part in platform.release().split("-")[0].split(".")[:2])
    if version >= _PER_NAMESPACE_COUNT:
        return 1  # pid 1
    mine = os.getuid()
    return 1 + sum(_threads(entry) for entry in Path("/proc").iterdir() if _owner(entry) == mine)


def _owner(entry: Path) -> int | None:
    with contextlib.suppress(OSError):
        return entry.stat().st_uid if entry.name.isdigit() else None
    return None


def _threads(entry: Path) -> int:
    with contextlib.suppress(OSError):
        return len(list((entry / "task").iterdir()))
    return 0

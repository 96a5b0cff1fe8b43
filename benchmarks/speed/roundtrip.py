"""How long ``1+1`` takes in a kernel that is up."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from benchmarks.speed.bare import BareKernel
from benchmarks.speed.measure import Plan, Row, Target, against, interleave
from benchmarks.speed.start import CODE, check
from opencodeinterpreter import Sandbox

_TARGET = Target("at most", 1.0)
_WARMUPS = 10


def rows(plan: Plan) -> list[Row]:
    plan.progress("round trips")
    with Sandbox() as ours, Sandbox(backend="none") as unconfined, BareKernel() as bare:
        figures = interleave(
            {
                "ours": partial(_seconds, ours.run),
                "bare": partial(_seconds, bare.run),
                "open": partial(_seconds, unconfined.run),
            },
            plan.count(300, 10),
            plan.count(_WARMUPS, 2),
        )
    return [
        against(
            "round trip of 1+1", "ms", figures["ours"], "bare jupyter_client", figures["bare"], _TARGET, scale=1000
        ),
        against("round trip of 1+1", "ms", figures["ours"], "ours without isolation", figures["open"], scale=1000),
    ]


def _seconds(run: Callable[[str], object]) -> float:
    began = time.monotonic()
    answer = run(CODE)
    seconds = time.monotonic() - began
    check(answer)
    return seconds

"""What is saved by parking sessions that nobody uses, and what it costs them to come back."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from benchmarks.serving.crowd import at_once
from benchmarks.serving.many import SETTLE_SECONDS, scripted_server, start
from benchmarks.serving.visitor import Visitor

_PARK_SECONDS = 12.0
_LONGEST_SECONDS = 60.0
_CELLS = 5
"""That each session has run before it is parked, and that run again when it comes back."""


@dataclass
class Parking:
    """Times in seconds, memory in MiB."""

    sessions: int
    cells: int = _CELLS
    before: float = 0.0
    """Memory of server and jails, all sessions idle."""
    after: float = 0.0
    """The same, all sessions parked."""
    empty: float = 0.0
    """The same, before the first session."""
    stayed: list[float] = field(default_factory=list)
    """An execution while the session has its kernel, alone."""
    returned: list[float] = field(default_factory=list)
    """The first execution of a session that comes back alone: a new kernel, the replay, and its own code."""
    returned_at_once: list[float] = field(default_factory=list)
    """The same, with all coming back at the same moment."""
    errors: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def parking(sessions: int, progress: Callable[[str], None]) -> Parking:
    """Use sessions, let them be parked, and come back: one after the other, and all at once."""
    found = Parking(sessions)
    progress(f"{sessions} sessions that are parked after {_PARK_SECONDS:g} s")
    with scripted_server(sessions, ("--park-seconds", f"{_PARK_SECONDS:g}")) as (server, visitors):
        found.empty = server.memory().whole
        at_once(visitors, _work, found.errors)
        found.stayed = [_check(visitor, number) for number, visitor in enumerate(visitors)]
        time.sleep(SETTLE_SECONDS)
        found.before = server.memory().whole
        _wait_parked(visitors, found.errors)
        found.after = server.memory().whole
        progress("they come back, one after the other")
        found.returned = [_check(visitor, number) for number, visitor in enumerate(visitors)]
        _wait_parked(visitors, found.errors)
        progress("they come back, all at once")
        found.returned_at_once = at_once(visitors, _check, found.errors)
        at_once(visitors, lambda visitor, _: visitor.delete(), found.errors)
        found.errors += server.faults()
        found.left = server.left()
        found.left += server.end()
    return found


def _work(visitor: Visitor, number: int) -> None:
    start(visitor, number)
    for cell in range(1, _CELLS):
        visitor.execute(f"kept{cell} = me + {cell}\nprint(kept{cell})", f"{number + cell}\n")


def _check(visitor: Visitor, number: int) -> float:
    """Run code that needs all variables of the earlier cells."""
    total = number + sum(number + cell for cell in range(1, _CELLS))
    names = " + ".join(["me", *(f"kept{cell}" for cell in range(1, _CELLS))])
    return visitor.execute(f"print({names})", f"{total}\n")


def _wait_parked(visitors: list[Visitor], errors: list[str]) -> None:
    deadline = time.monotonic() + _LONGEST_SECONDS
    while any(visitor.state()["state"] != "parked" for visitor in visitors):
        if time.monotonic() > deadline:
            errors.append("sessions were not parked")
            return
        time.sleep(0.5)

"""So many sessions at once, whose model is a script, beside so many bare sandboxes in one program."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.serving.crowd import at_once
from benchmarks.serving.server import Server
from benchmarks.serving.visitor import Visitor, WrongAnswerError
from opencodeinterpreter import Sandbox

SETTLE_SECONDS = 3.0
"""After which a session's watcher knows it as idle."""
_SCRIPT_TURNS = 64


@dataclass(frozen=True)
class Load:
    """What each person of a level does."""

    sessions: int
    executions: int
    """One after the other, without a pause."""
    paced: int
    """With a pause before each."""
    pause_seconds: float
    turns: int
    """Messages that the script answers with code and a text."""


@dataclass
class Level:
    """What came of a load. Times in seconds, memory in MiB."""

    load: Load
    bare: list[float] = field(default_factory=list)
    """Of each execution in as many bare sandboxes, without a pause."""
    starts: list[float] = field(default_factory=list)
    """From asking for the session to the result of its first code."""
    executions: list[float] = field(default_factory=list)
    paced: list[float] = field(default_factory=list)
    turns: list[float] = field(default_factory=list)
    executions_a_second: float = 0.0
    cpu_an_execution: float = 0.0
    """Of the server and the jails, without a pause."""
    server_alone: float = 0.0
    """Memory of the server before the first session."""
    server: float = 0.0
    jails: float = 0.0
    closing: float = 0.0
    """From asking for the deletion of all to the end of the last."""
    errors: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)
    """When all sessions were deleted, and when the server had ended."""


def level(load: Load, progress: Callable[[str], None]) -> Level:
    """Measure one load.

    Args:
        progress: is told what is being done.
    """
    found = Level(load)
    progress(f"{load.sessions} bare sandboxes")
    found.bare = _bare(load, found.errors)
    progress(f"a server for {load.sessions} sessions")
    with scripted_server(load.sessions, ("--waiting", "1000")) as (server, visitors):
        found.server_alone = server.memory().server
        _use(load, found, server, visitors, progress)
        progress("the end of all")
        began = time.monotonic()
        at_once(visitors, lambda visitor, _: visitor.delete(), found.errors)
        found.closing = time.monotonic() - began
        found.errors += server.faults()
        found.left = server.left()
        found.left += server.end()
    return found


@contextmanager
def scripted_server(sessions: int, words: Sequence[str] = ()) -> Iterator[tuple[Server, list[Visitor]]]:
    """Give a server whose sessions have a script each, and a visitor for each session, who has not begun yet."""
    with TemporaryDirectory(prefix="scripts-") as folder, ExitStack() as stack:
        names = [_script(Path(folder), number) for number in range(sessions)]
        offers = [word for name in names[1:] for word in ("--offer", name)]
        server = stack.enter_context(Server(names[0], [*offers, "--kernels", str(sessions), *words]))
        yield server, [stack.enter_context(Visitor(server.url, server.token, name)) for name in names]


def start(visitor: Visitor, number: int) -> float:
    """Make a session whose code knows who it is; return the seconds to the result of its first code."""
    return visitor.begin() + visitor.execute(f"me = {number}\nprint('I am', me)", f"I am {number}\n")


def _use(load: Load, found: Level, server: Server, visitors: list[Visitor], progress: Callable[[str], None]) -> None:
    def turns(visitor: Visitor, number: int) -> list[float]:
        return [visitor.turn("Go on.", f"{number} in turn {turn}\n") for turn in range(load.turns)]

    def run(visitor: Visitor, number: int) -> list[float]:
        return [_execution(visitor, number, step) for step in range(load.executions)]

    def run_paced(visitor: Visitor, number: int) -> list[float]:
        chance, seconds = random.Random(number), []
        for step in range(load.paced):
            time.sleep(chance.uniform(0, 2 * load.pause_seconds))
            seconds.append(_execution(visitor, number, step))
        return seconds

    progress(f"{load.sessions} sessions begin")
    found.starts = at_once(visitors, start, found.errors)
    progress(f"{load.sessions} sessions, messages")
    found.turns = list(chain(*at_once(visitors, turns, found.errors)))
    progress(f"{load.sessions} sessions, code without a pause")
    began, before = time.monotonic(), server.cpu_seconds()
    found.executions = list(chain(*at_once(visitors, run, found.errors)))
    count = max(1, len(found.executions))
    found.executions_a_second = count / (time.monotonic() - began)
    found.cpu_an_execution = (server.cpu_seconds() - before) / count
    progress(f"{load.sessions} sessions, code with a pause")
    found.paced = list(chain(*at_once(visitors, run_paced, found.errors)))
    time.sleep(SETTLE_SECONDS)
    memory = server.memory()
    found.server, found.jails = memory.server, memory.jails


def _execution(visitor: Visitor, number: int, step: int) -> float:
    return visitor.execute(f"print(me, {step})", f"{number} {step}\n")


def _bare(load: Load, errors: list[str]) -> list[float]:
    """Return the seconds of each execution in sandboxes of this program, all at once."""

    def run(sandbox: Sandbox, number: int) -> list[float]:
        seconds = []
        for step in range(load.executions):
            began = time.monotonic()
            result = sandbox.run(f"print({number}, {step})")
            seconds.append(time.monotonic() - began)
            if result.stdout != f"{number} {step}\n":
                raise WrongAnswerError(f"a bare sandbox gave {result}")
        return seconds

    with ExitStack() as stack:
        sandboxes = [stack.enter_context(Sandbox()) for _ in range(load.sessions)]
        for sandbox in sandboxes:
            sandbox.run("1")
        return list(chain(*at_once(sandboxes, run, errors)))


def _script(folder: Path, number: int) -> str:
    replies = []
    for turn in range(_SCRIPT_TURNS):
        replies += [f"I look.\n```python\nprint(me, 'in turn', {turn})\n```", "Done."]
    path = folder / f"{number}.json"
    path.write_text(json.dumps(replies))
    return f"scripted:{path}"

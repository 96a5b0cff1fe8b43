"""One run of one program in a jail of its own: start it, read what its calls give, end it when it passes a limit.

After a run nothing of the program is left: its jail, and with it every process, thread, file and file system in
memory that it made, is gone before the result is believed.
"""

from __future__ import annotations

import contextlib
import marshal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.util import MAGIC_NUMBER
from pathlib import Path
from typing import Literal

from opencodeinterpreter.evaluation.grading.channel import PIPE, Channel, ForgedError, Frame
from opencodeinterpreter.evaluation.grading.interpreter import inside_python
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.grading.meter import Meter, Stop
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec, Limits, SandboxBackend

_SCRIPT, _JOB = "/run/solution_main.pyc", "/run/job"
_ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": "/tmp",  # noqa: S108 - the jail's own
    "LANG": "C.UTF-8",
    "LC_ALL": "C.UTF-8",
    # The order of a set of texts would otherwise be another one each time, and with it some verdicts.
    "PYTHONHASHSEED": "0",
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
_GATHER_SECONDS = 0.002
_LOOK_SECONDS = 0.1
_START_SECONDS = 120.0
_KILLED = (-9, 137)

Ending = Literal[
    "complete",  # every call was answered
    "stopped",  # the caller had seen enough
    "load error",  # the program failed before the first call
    "died",  # the process ended itself, or was ended by a fault
    "killed",  # something that is not this program killed it
    "forged",  # something else than values came through the channel
    "time",
    "asleep",
    "memory",
    "disk",
    "output",
]


@dataclass(frozen=True)
class Job:
    """A program and what is to be called; an expression is given as text, positional arguments as bytes."""

    code: str
    entry_point: str | None
    calls: Sequence[bytes | str]
    cpu_limits: Sequence[float]
    """Seconds for each call."""
    cpu_seconds: float
    """For all calls."""


@dataclass(frozen=True)
class End:
    """How a run ended."""

    ending: Ending
    answered: int
    """How many calls have been answered; the next one was in progress."""
    loaded: bool
    """Whether the program came as far as to its first call."""
    text: str = ""
    """What the program's failure was, for "load error" the frame's payload."""
    cpu_seconds: float = 0.0
    """Of what was in progress."""


class HarnessError(Exception):
    """The grader itself, and not the program, failed."""


OnAnswer = Callable[[Frame], bool]
"""Called with each answer in its order; returns False to end the run."""


def run_job(backend: SandboxBackend, job: Job, limits: GradingLimits, on_answer: OnAnswer) -> End:
    """Run a program in a new jail and return when nothing of it is left.

    Raises:
        HarnessError: if the program never began, through no fault of its own.
        SandboxUnavailableError: if there could be no jail.
    """
    folder = runtime.new_folder()
    try:
        workspace, run = folder / "work", folder / "run"
        for path in (workspace, run):
            path.mkdir(mode=0o700)
        with contextlib.closing(Channel(run, limits.value_bytes)) as channel:
            process = backend.launch(_spec(backend, job, limits, channel, workspace, run))
            try:
                meter = Meter(process, (workspace, run), limits, limits.load_cpu_seconds + job.cpu_seconds)
                return _Run(process, channel, job, limits, meter, on_answer).follow()
            finally:
                process.kill()
    finally:
        runtime.remove(folder)


def _spec(
    backend: SandboxBackend, job: Job, limits: GradingLimits, channel: Channel, workspace: Path, run: Path
) -> LaunchSpec:
    python = inside_python()
    content = {
        "nonce": channel.nonce,
        "code": job.code,
        "entry_point": job.entry_point,
        "packages": [python.packages],
        "calls": list(job.calls),
    }
    spec = LaunchSpec(
        argv=(),
        workspace=workspace,
        runtime=run,
        env=_ENVIRONMENT,
        readable=python.shown_to(job.code),
        files={_SCRIPT: _script(), _JOB: marshal.dumps(content, 2), **dict.fromkeys(python.emptied, b"")},
        limits=Limits(
            wall_seconds=None,
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            workspace_mb=limits.disk_mb,
            open_files=256,
        ),
    )
    pipe = f"{backend.inside(spec, run)}/{PIPE}"
    return LaunchSpec(**{**spec.__dict__, "argv": (*python.argv, _SCRIPT, pipe, _JOB)})


@cache
def _script() -> bytes:
    """Return the program that runs solutions, compiled: the interpreter inside is of this one's version.

    Compiling it anew in every jail would take nearly half as long as the jail's Python takes to start.
    """
    source = files("opencodeinterpreter.evaluation.grading").joinpath("inside", "solution_main.py").read_bytes()
    code = compile(source, _SCRIPT, "exec", dont_inherit=True)
    # As the import system has it: what kind of code, then when and from how much text it was made, which nobody asks.
    return MAGIC_NUMBER + bytes(12) + marshal.dumps(code)


class _Run:
    """A started run."""

    def __init__(
        self,
        process: IsolatedProcess,
        channel: Channel,
        job: Job,
        limits: GradingLimits,
        meter: Meter,
        on_answer: OnAnswer,
    ) -> None:
        self._process = process
        self._channel = channel
        self._job = job
        self._limits = limits
        self._meter = meter
        self._on_answer = on_answer
        self._started = self._loaded = self._busy = False
        self._answered = 0
        self._spent = 0.0

    def follow(self) -> End:
        began = time.monotonic()
        due = began + _LOOK_SECONDS
        while True:
            self._channel.wait(_LOOK_SECONDS)
            over = self._process.poll()
            if (end := self._take_in()) is not None:
                return end
            if over is not None:
                return self._ended(over)
            now = time.monotonic()
            if now >= due:
                due = now + _LOOK_SECONDS
                if not self._started and now - began > _START_SECONDS:
                    raise HarnessError("the program's process did not begin in time")
                if self._started and (stop := self._meter.look(self._allowance())) is not None:
                    return self._stopped(stop)
            # Many answers at once cost this program far less than each one when it comes.
            time.sleep(_GATHER_SECONDS)

    def _allowance(self) -> float:
        if self._busy:
            return self._limits.large_value_cpu_seconds
        return self._job.cpu_limits[self._answered] if self._loaded else self._limits.load_cpu_seconds

    def _take_in(self) -> End | None:
        try:
            for frame in self._channel.frames():
                if (end := self._answer(frame)) is not None:
                    return end
        except ForgedError:
            return self._end("forged", "something else than values came through the grader's channel")
        if self._channel.received > self._limits.output_bytes:
            return self._end("output")
        return None

    def _answer(self, frame: Frame) -> End | None:
        """Take in one frame, of which there is exactly one for each step, in order."""
        self._meter.progress()
        if frame.kind == "s" and not self._started:
            self._started = True
        elif frame.kind == "f" and self._started and not self._loaded:
            return self._end("load error", frame.payload.decode("ascii", "replace"), frame.cpu_seconds)
        elif frame.kind == "l" and self._started and not self._loaded:
            self._loaded = True
            if not self._job.calls:
                return self._end("complete")
        elif frame.kind == "b" and self._loaded and not self._busy and frame.number == self._answered:
            self._busy = True
        elif frame.kind in "ve" and self._loaded and frame.number == self._answered:
            if frame.cpu_seconds > self._job.cpu_limits[self._answered]:
                return self._end("time", cpu_seconds=frame.cpu_seconds)
            self._spent += frame.cpu_seconds
            if self._spent > self._job.cpu_seconds:
                return self._end("time", cpu_seconds=frame.cpu_seconds)
            self._answered += 1
            self._busy = False
            if not self._on_answer(frame):
                return self._end("stopped")
            if self._answered == len(self._job.calls):
                return self._end("complete")
        else:
            return self._end("forged", "an answer came out of its turn")
        return None

    def _ended(self, status: int) -> End:
        # What was written before the end may have come after the last look.
        if (end := self._take_in()) is not None:
            return end
        if not self._started:
            last = self._process.output().strip().rpartition("\n")[2]
            raise HarnessError(f"the program's process ended before it began: {last or status}")
        if status in _KILLED:
            return self._end("killed", "its process was killed")
        number = status - 128 if status > 128 else -status
        if status < 0 or 128 < status < 128 + 65:
            return self._end("died", f"its process was ended by signal {number}")
        return self._end("died", f"it ended its own process with status {status}")

    def _stopped(self, stop: Stop) -> End:
        return self._end(stop.ending, cpu_seconds=stop.cpu_seconds)

    def _end(self, ending: Ending, text: str = "", cpu_seconds: float = 0.0) -> End:
        return End(ending, self._answered, self._loaded, text, cpu_seconds)

"""Runs the programs of many rows in sandboxes, from many threads, so that no row ever sees anything of another.

There are two ways. *Cells* run one after the other in a kernel of their own, as in a conversation, and the kernel is
thrown away with its row. A *program* is a process that begins with nothing and ends, with its tests below it or with
standard input and output; since it leaves nothing, and what it does leave is removed, its sandbox is used again.
"""

from __future__ import annotations

import dataclasses
import json
import queue
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opencodeinterpreter.codefeedback.rows import Tests
from opencodeinterpreter.codefeedback.verification.executions import (
    Execution,
    of_cell,
    of_program,
    same_output,
    wrong_output,
)
from opencodeinterpreter.errors import ConfigError, SandboxClosedError, SandboxError
from opencodeinterpreter.sandbox import AnySandbox, ExecutionResult, KernelPool, Limits, Sandbox
from opencodeinterpreter.sandbox.backends import load_backend
from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec, SandboxBackend, Status

_ENVIRONMENT = {
    # The order of a set of texts would otherwise be another one in each run, and with it what is printed.
    "PYTHONHASHSEED": "0",
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMEXPR_NUM_THREADS": "1",
    "NUMEXPR_MAX_THREADS": "1",
}
_PRIVATE_FOLDERS = ("/tmp", "/dev/shm")  # noqa: S108 - the jail's own
_SPARE_SECONDS = 20.0
"""What the sandbox gives a job beyond its programs' own time: to start on a busy machine, and to clean up."""


@dataclass(frozen=True)
class ExecutionSettings:
    """Limits for the code of one row, and how many rows' code runs at once."""

    wall_seconds: float = 10.0
    """of one cell, or of a program for one input"""
    memory_mb: int = 1024
    processes: int = 64
    disk_mb: int = 64
    output_bytes: int = 20_000
    """of each output that are kept, head and tail"""
    at_once: int = 2
    backend: str = "bubblewrap"
    python: str | None = None
    """an interpreter or virtual environment with ipykernel; None for the one that runs this"""
    uses: int = 200
    """programs after which a sandbox is replaced by a new one"""

    def __post_init__(self) -> None:
        if self.wall_seconds <= 0 or min(self.memory_mb, self.processes, self.disk_mb, self.output_bytes) <= 0:
            raise ConfigError("Limits of executions must be more than zero.")
        if self.at_once < 1 or self.uses < 1:
            raise ConfigError("At least one execution at a time, and one use of each sandbox, are needed.")

    def to_json(self) -> dict[str, Any]:
        """Return what decides the results, without what only decides how fast they come."""
        row = dataclasses.asdict(self)
        return {name: value for name, value in row.items() if name not in ("at_once", "uses")}


class Kernel:
    """A fresh kernel for the successive cells of one row."""

    def __init__(self, sandbox: AnySandbox) -> None:
        self._sandbox = sandbox

    def run(self, code: str) -> Execution:
        """Run one cell.

        Raises:
            SandboxError: if the sandbox itself fails.
        """
        return of_cell(self._sandbox.run(code))


class Executor:
    """Runs code of many rows; threads may share one. Use it in a ``with`` block, or close it.

    Nothing is started before the first code comes.

    Raises:
        ConfigError: if there is no such sandbox or interpreter.
    """

    def __init__(self, settings: ExecutionSettings | None = None) -> None:
        self.settings = settings or ExecutionSettings()
        self._backend = _Steady(load_backend(self.settings.backend), own_python=self.settings.python is None)
        self._room = threading.Semaphore(self.settings.at_once)
        self._lock = threading.Lock()
        self._kernels: KernelPool | None = None
        self._in_use: set[AnySandbox] = set()
        self._idle: queue.SimpleQueue[tuple[AnySandbox, int]] = queue.SimpleQueue()
        self._closed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @contextmanager
    def kernel(self) -> Iterator[Kernel]:
        """Lend a kernel that has never run anything, for one row's cells; thrown away after the block.

        Raises:
            SandboxError: if none can be had.
        """
        with self._room:
            with self._lock:
                self._check_open()
                if self._kernels is None:
                    self._kernels = KernelPool((self.settings.at_once + 1) // 2, self._sandbox)
                pool = self._kernels
            with self._used(pool.take()) as sandbox:
                try:
                    yield Kernel(sandbox)
                finally:
                    sandbox.close()

    def cells(self, codes: Sequence[str]) -> tuple[Execution, ...]:
        """Run cells in a fresh kernel, one after the other, also after one that failed.

        Raises:
            SandboxError: if the sandbox itself fails.
        """
        with self.kernel() as kernel:
            return tuple(kernel.run(code) for code in codes)

    def program(self, code: str, tests: Tests | None = None, stdin: str = "") -> Execution:
        """Run a program, with its tests if there are any.

        Args:
            code: the whole program, in Python.
            tests: a program to be run below it, or cases of standard input and expected output; lines are compared
                without the blanks at their ends, and the first case that fails is the one that is told of.
            stdin: what the program can read where there are no cases.

        Raises:
            SandboxError: if the sandbox itself fails.
        """
        cases = tests.cases if tests is not None and not tests.program else ()
        parts = [["solution.py", code]]
        if tests is not None and tests.program:
            parts.append(["tests.py", tests.program])
        inputs = [given for given, _ in cases] or [stdin]
        done = self._job(parts, inputs)
        if isinstance(done, Execution):
            return done if tests is None else dataclasses.replace(done, passed=False)
        executions = [of_program(result, tested=len(parts) > 1) for result in done]
        seconds = sum(each.seconds for each in executions)
        for execution, (given, expected) in zip(executions, cases, strict=False):
            failed = execution.ok and not same_output(execution.stdout, expected)
            if failed or not execution.ok:
                told = wrong_output(given, expected, execution.stdout) if failed else execution.error
                status: Status = "error" if failed else execution.status
                return dataclasses.replace(execution, status=status, error=told, seconds=seconds, passed=False)
        last = executions[-1]
        return dataclasses.replace(last, seconds=seconds, passed=last.ok if tests is not None else None)

    def stop(self) -> None:
        """End all code that is running, from any thread; whoever waits for it gets a ``SandboxClosedError``."""
        with self._lock:
            self._closed = True
            running = list(self._in_use)
        for sandbox in running:
            sandbox.close()

    def close(self) -> None:
        """End everything; safe to call twice."""
        self.stop()
        with self._lock:
            pool, self._kernels = self._kernels, None
        if pool is not None:
            pool.close()
        while not self._idle.empty():
            self._idle.get()[0].close()

    def _job(self, parts: list[list[str]], inputs: list[str]) -> Execution | list[dict[str, Any]]:
        """Return a result for each input up to the first bad one, or how the whole came to its end."""
        settings = self.settings
        with self._room, self._runner() as (sandbox, keep):
            job = {
                "parts": parts,
                "inputs": inputs,
                "main": _inside("program_main.py"),
                "env": _ENVIRONMENT,
                "wall_seconds": settings.wall_seconds,
                "output_bytes": settings.output_bytes,
                "emptied": _PRIVATE_FOLDERS if sandbox.isolation != "none" else (),
            }
            # The kernel reads source, in which not every text can stand as it is.
            code = f"{_inside('run_programs.py')}\nrun(json.loads({json.dumps(json.dumps(job))}))\n"
            result = sandbox.run(code, wall_seconds=settings.wall_seconds * len(inputs) + _SPARE_SECONDS)
            if not result.ok:
                if result.reason is None or result.reason == "stopped":
                    self._check_open()
                    raise SandboxError(f"A program could not be run: {_last_line(result)}.")
                return of_cell(result)
            done = json.loads(result.stdout)
            if done["clean"] and not result.state_lost:
                keep()
            return list(done["results"])

    @contextmanager
    def _runner(self) -> Iterator[tuple[AnySandbox, Any]]:
        """Lend a sandbox for one job; it is used again if ``keep`` is called."""
        try:
            sandbox, uses = self._idle.get_nowait()
        except queue.Empty:
            sandbox, uses = self._sandbox(), 0
        kept: list[bool] = []
        with self._used(sandbox):
            try:
                yield sandbox, lambda: kept.append(True)
            finally:
                if kept and uses + 1 < self.settings.uses and not self._closed:
                    self._idle.put((sandbox, uses + 1))
                else:
                    sandbox.close()
        if self._closed:  # while it was being put back
            self.close()

    @contextmanager
    def _used(self, sandbox: AnySandbox) -> Iterator[AnySandbox]:
        with self._lock:
            closed = self._closed
            if not closed:
                self._in_use.add(sandbox)
        if closed:
            sandbox.close()
            self._check_open()
        try:
            yield sandbox
        finally:
            with self._lock:
                self._in_use.discard(sandbox)

    def _sandbox(self) -> Sandbox:
        settings = self.settings
        limits = Limits(
            wall_seconds=settings.wall_seconds,
            memory_mb=settings.memory_mb,
            processes=settings.processes,
            workspace_mb=settings.disk_mb,
            # A program's outputs come to us in JSON, which may take several bytes for one of theirs.
            output_bytes=max(1_000_000, 16 * settings.output_bytes),
            idle_seconds=None,
        )
        return Sandbox(backend=self._backend, limits=limits, python=settings.python)

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxClosedError("Code can no longer be run: the executions have been ended.")


class _Steady:
    """A kind of isolation in which the same code prints the same: everything inside has our environment."""

    def __init__(self, backend: SandboxBackend, *, own_python: bool) -> None:
        self._backend = backend
        self._own_python = own_python
        self.name = backend.name

    def __getattr__(self, name: str) -> Any:
        return getattr(self._backend, name)  # what some kinds have beyond the contract

    def check(self) -> None:
        self._backend.check()

    def inside(self, spec: LaunchSpec, path: Path) -> str:
        return self._backend.inside(spec, path)

    def launch(self, spec: LaunchSpec) -> IsolatedProcess:
        argv = list(spec.argv)
        if self._own_python and argv[1:2] == ["-I"]:
            # Isolated but for the environment, which is ours alone; no other flag makes a kernel hear the hash seed.
            argv[1] = "-Ps"
        return self._backend.launch(dataclasses.replace(spec, argv=argv, env={**spec.env, **_ENVIRONMENT}))


@cache
def _inside(name: str) -> str:
    return files(__package__).joinpath("inside", name).read_text(encoding="utf-8")


def _last_line(result: ExecutionResult) -> str:
    if result.error is not None:
        return f"{result.error.name}: {result.error.value}"
    return result.reason or result.status

"""The sandbox: an isolated place with a workspace, limits, and a kernel that keeps its state between runs."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

from opencodeinterpreter.errors import ConfigError, KernelStartError, SandboxClosedError, SandboxError
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.backends import load_backend
from opencodeinterpreter.sandbox.base import ExecutionResult, Limits, SandboxBackend
from opencodeinterpreter.sandbox.calls import CallHandler
from opencodeinterpreter.sandbox.environment import KernelCommand, kernelspec_command, python_command
from opencodeinterpreter.sandbox.kernel import Kernel
from opencodeinterpreter.sandbox.outcome import judge
from opencodeinterpreter.sandbox.output import OutputCollector, OutputListener
from opencodeinterpreter.sandbox.watcher import Watch, Watcher
from opencodeinterpreter.sandbox.workspace import FileInfo, Snapshot, Workspace, snapshot


class Sandbox:
    """An isolated place to run code in; use it in a ``with`` block, or close it.

    Code that fails, hangs, or kills its kernel is an ``ExecutionResult``; an exception means that the sandbox itself
    cannot be had. One run at a time: a second thread waits. Processes that a run leaves behind live on, count towards
    the limits, and end with the sandbox.

    Args:
        backend: "bubblewrap", "docker", "none" (no isolation at all), or a backend of your own.
        limits: what the code may use.
        workspace: the folder that the code works in; None makes one that is removed at the end.
        network: whether the code may use the network.
        python: an interpreter or virtual environment with ipykernel; None for the one that runs this.
        kernel: the name of a Jupyter kernelspec, for another language.
        runtime_dir: where the unix sockets lie; None for the system's folder for temporary files.
        packages: a folder of further Python packages that code may import.
        logs: where the whole text of long outputs is kept; None keeps it until the sandbox is closed.

    Raises:
        ConfigError: if there is no such backend, interpreter or kernelspec.
        InputError: if the workspace cannot be used.
    """

    def __init__(
        self,
        backend: str | SandboxBackend = "bubblewrap",
        limits: Limits | None = None,
        workspace: Path | str | None = None,
        network: bool = False,
        python: Path | str | None = None,
        kernel: str | None = None,
        runtime_dir: Path | str | None = None,
        packages: Path | str | None = None,
        logs: Path | str | None = None,
    ) -> None:
        if python is not None and kernel is not None:
            raise ConfigError("Either a Python or a kernelspec can be named, not both.")
        self.limits = limits or Limits()
        self._backend = load_backend(backend)
        # A kind of isolation with interpreters of its own says how they are started.
        command = getattr(self._backend, "command", _command)
        self._command = command(python, kernel, _path(packages))
        self._network = network
        self._runtime_dir = _path(runtime_dir)
        self._workspace = Workspace(_path(workspace), self.limits.workspace_mb)
        self._logs = _path(logs)
        self._own_logs: Path | None = None
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._kernel: Kernel | None = None
        self._watcher: Watcher | None = None
        self._watch: Watch | None = None
        self._calls: CallHandler | None = None
        self._closed = False
        self._lost = False

    @property
    def workspace(self) -> Path:
        """The folder that the code works in, as the host sees it."""
        return self._workspace.path

    @property
    def isolation(self) -> str:
        """What the code runs in, such as "bubblewrap" or "none"."""
        return self._backend.name

    @property
    def language(self) -> str:
        """The kernel's language, in lower case."""
        return self._command.language

    @property
    def alive(self) -> bool:
        """Whether a kernel is running; after one that has ended by itself, the next run starts another."""
        kernel = self._kernel
        return kernel is not None and kernel.alive

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start the kernel, without waiting for it; ``run`` does both by itself.

        Raises:
            SandboxUnavailableError: if the isolation cannot be had here.
            SandboxClosedError: after ``close``.
        """
        with self._lock:
            self._check_open()
            if self._kernel is None:
                self._backend.check()
                self._launch()

    def wait_ready(self) -> None:
        """Start the kernel if need be, and wait until it can run code.

        Raises:
            SandboxError: if it does not come up.
        """
        with self._lock:
            self.start()
            assert self._kernel is not None
            assert self._watcher is not None
            self._wait_ready(self._kernel, lambda: False)
            self._watcher.finish()

    def run(
        self, code: str, on_output: OutputListener | None = None, wall_seconds: float | None = None
    ) -> ExecutionResult:
        """Run code in the kernel and return what it gave.

        Args:
            code: in the kernel's language.
            on_output: called, in this thread, with each piece of output as it comes.
            wall_seconds: a time limit for this run in place of ``limits.wall_seconds``.

        Raises:
            SandboxError: if the sandbox itself fails; whatever the code does is a result.
        """
        with self._lock:
            self._check_open()
            if self._watch is not None:
                raise SandboxError(
                    "Code that is running cannot run code in its own sandbox: the listener is called by it."
                )
            watch = self._watch = Watch(self.limits.wall_seconds if wall_seconds is None else wall_seconds)
            try:
                return self._run(code, on_output, watch)
            finally:
                self._watch = None

    def interrupt(self) -> None:
        """End the code that is running, from any thread; nothing happens if none is."""
        watch, watcher = self._watch, self._watcher
        if watch is not None:
            watch.end("stopped")
            if watcher is not None:
                watcher.wake()

    def restart(self) -> None:
        """Start a new kernel: variables are gone, files stay. Code that is running is ended first."""
        self.interrupt()
        with self._lock:
            self._check_open()
            self._shut_kernel()
            self._lost = False
            self.start()

    def take_calls(self, handler: CallHandler) -> None:
        """Let code call ``handler`` through the module ``tools``; a kernel that runs already is started anew.

        Raises:
            ConfigError: the isolation has no way out for calls, or the kernel is not Python's own.
        """
        if not getattr(self._backend, "takes_calls", True) or not self._command.own_start:
            raise ConfigError(
                "Tools can be used in the bubblewrap sandbox, or without one, and by the ordinary Python kernel only."
            )
        with self._lock:
            if handler == self._calls:
                return
            self._calls = handler
            if self._kernel is not None:
                self.restart()

    @contextlib.contextmanager
    def not_counting(self) -> Iterator[None]:
        """While the block runs, the wall time of the present run stands still: it waits for a person."""
        watch = self._watch
        if watch is None:
            yield
            return
        watch.waiting_since = began = time.monotonic()
        try:
            yield
        finally:
            watch.waited += time.monotonic() - began
            watch.waiting_since = None

    def upload(self, path: Path | str, name: str | None = None) -> FileInfo:
        """Copy a file into the workspace; one of the same name is kept, and the new one gets a number.

        Raises:
            InputError: if it cannot be read, is not a regular file, or does not fit.
        """
        self._check_open()
        return self._workspace.upload(Path(path), name)

    def files(self) -> list[FileInfo]:
        """Return the files in the workspace."""
        self._check_open()
        return self._workspace.files()

    def read(self, name: str, limit: int) -> bytes:
        """Return the first ``limit`` bytes of a file of the workspace; links are not followed.

        Raises:
            InputError: if there is no such regular file inside the workspace.
        """
        self._check_open()
        return self._workspace.read(name, limit)

    def download(self, name: str, to: Path | str) -> Path:
        """Copy a file of the workspace to a folder or file name of the host; return where it is.

        Raises:
            InputError: if there is no such regular file inside the workspace, or it cannot be written there.
        """
        self._check_open()
        return self._workspace.download(name, Path(to))

    def close(self) -> None:
        """End everything that runs inside, and remove what was only ours; safe to call twice, from any thread."""
        self.interrupt()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._shut_kernel()
            self._workspace.close()
            if self._own_logs is not None:
                runtime.remove(self._own_logs)

    def _run(self, code: str, on_output: OutputListener | None, watch: Watch) -> ExecutionResult:
        kernel, watcher = self._usable_kernel()
        watcher.hold()
        output = OutputCollector(self.limits.output_bytes, on_output, self._log_path)
        before = self._workspace.snapshot()
        alive, started = True, time.monotonic()
        if self._wait_ready(kernel, lambda: watch.reason is not None):
            started = time.monotonic()
            alive = self._execute(kernel, watcher, code, output, watch, before)
        duration = time.monotonic() - started
        output.texts.close()
        lost, self._lost = self._lost or not alive, False
        changes = self._workspace.changes(before, self._workspace.snapshot())
        result = judge(output, watch.reason, alive, changes, duration, lost, self._backend.name)
        if alive and result.reason == "memory" and watcher.starved():
            # What fills the memory is still there: not even the code that removes it could run.
            alive, result = False, dataclasses.replace(result, state_lost=True)
        if not alive:
            self._shut_kernel()
            with contextlib.suppress(SandboxError):  # this run has its result; the next one tries, and says, again
                self._launch()
        return result

    def _wait_ready(self, kernel: Kernel, stopped: Callable[[], bool]) -> bool:
        try:
            return kernel.wait_ready(stopped)
        except KernelStartError:
            self._shut_kernel()
            raise

    def _execute(
        self, kernel: Kernel, watcher: Watcher, code: str, output: OutputCollector, watch: Watch, before: Snapshot
    ) -> bool:
        """Run code under the watcher; return False if the kernel died over it."""
        watch.disk_before = (before.disk, before.files)
        watcher.begin(watch)

        def flooded() -> None:
            watch.end("output")
            watcher.wake()

        try:
            execution = kernel.execute(code, output, flooded)
        except OSError:
            return False
        over = False
        try:
            alive = execution.wait()
            over = True
        except BaseException:  # of the listener, or Ctrl-C: the code must not run on unseen
            output.listener = None
            watch.end("stopped")
            watcher.wake()
            over = execution.wait()
            raise
        finally:
            watcher.finish()
            if not over:
                self._shut_kernel()
                self._lost = True
        return alive

    def _usable_kernel(self) -> tuple[Kernel, Watcher]:
        self.start()
        assert self._kernel is not None
        if not self._kernel.alive:  # since the last run: by its own background work, or idle for too long
            self._shut_kernel()
            self._lost = True
            self._launch()
        assert self._kernel is not None
        assert self._watcher is not None
        return self._kernel, self._watcher

    def _launch(self) -> None:
        kernel = Kernel(
            self._backend,
            self._command,
            self._workspace.path,
            self.limits,
            self._network,
            self._runtime_dir,
            self._calls,
        )
        self._kernel = kernel
        disk = partial(_disk, self._workspace.path, kernel.folder)
        self._watcher = Watcher(kernel.process, self.limits, disk, kernel.interrupt, self._drop_late_output)

    def _drop_late_output(self) -> None:
        """Between two runs; a run does it by itself."""
        if self._lock.acquire(blocking=False):
            try:
                if self._kernel is not None:
                    self._kernel.drop_late_output()
            finally:
                self._lock.release()

    def _shut_kernel(self) -> None:
        kernel, watcher = self._kernel, self._watcher
        self._kernel = self._watcher = None
        if watcher is not None:
            watcher.close()
        if kernel is not None:
            kernel.close()

    def _log_path(self) -> Path:
        folder = self._logs
        if folder is None:
            folder = self._own_logs = self._own_logs or runtime.new_folder()
        return folder / f"run-{next(self._numbers)}.log"

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxClosedError("The sandbox has been closed.")


def _command(python: Path | str | None, kernel: str | None, packages: Path | None) -> KernelCommand:
    return kernelspec_command(kernel) if kernel is not None else python_command(python, packages)


def _disk(*folders: Path) -> tuple[int, int]:
    found = [snapshot(folder) for folder in folders]
    return sum(each.disk for each in found), sum(each.files for each in found)


def _path(path: Path | str | None) -> Path | None:
    return None if path is None else Path(path).expanduser()

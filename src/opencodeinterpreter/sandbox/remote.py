"""A sandbox on another machine, with the face of one that is here.

The code runs there, in an ordinary ``Sandbox``; here is a copy of its workspace. What was changed here goes there
before a run, and what the run changed comes back with its result. So between two runs the files are all here: they
outlive the other machine, and the next sandbox, wherever it is, goes on with them.

How the calls travel is the matter of a ``Link``; ``on_ray`` has one.
"""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opencodeinterpreter.errors import InputError, SandboxClosedError, SandboxError
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.base import ExecutionResult, Limits
from opencodeinterpreter.sandbox.carrier import Carrier, bring_log
from opencodeinterpreter.sandbox.link import Link, LinkLostError
from opencodeinterpreter.sandbox.output import OutputListener
from opencodeinterpreter.sandbox.worker import Part
from opencodeinterpreter.sandbox.workspace import FileInfo, Workspace

UP_SECONDS = 60.0
"""For another machine to be found and the worker on it to start."""
_LOST = (
    "The worker that this code ran on is gone, and with it the variables and what this run did to files. The next run "
    "begins on another worker, with the files as they were before this one."
)
_NO_ROOM = "No worker had room for this sandbox within {seconds:.0f} seconds; try again later, or add a machine."


class _Run:
    def __init__(self, number: int) -> None:
        self.number = number
        self.stopped = threading.Event()


class RemoteSandbox:
    """A sandbox whose code runs elsewhere; its use is as of ``Sandbox``, and so are its errors.

    Files are here, in ``workspace``, and as they were when the last run ended. Once its worker is lost, a run that was
    under way ends with ``SandboxError``, and the result of the next one, on another worker, says that state was lost.
    No code is ever run twice.

    Args:
        connect: starts a worker somewhere.
        limits: as the worker has them.
        workspace: the folder for the files; None makes one that is removed at the end.
        logs: where the whole text of long outputs is kept; None keeps it until the sandbox is closed.
        isolation: what the worker runs code in.
        language: of the worker's kernel; None asks the worker.
    """

    def __init__(
        self,
        connect: Callable[[], Link],
        limits: Limits,
        workspace: Path | None = None,
        logs: Path | None = None,
        isolation: str = "bubblewrap",
        language: str | None = "python",
    ) -> None:
        self.limits = limits
        self._isolation = isolation
        self._connect = connect
        self._workspace = Workspace(workspace, limits.workspace_mb)
        self._carrier = Carrier(self._workspace, limits.workspace_mb)
        self._logs = logs
        self._own_logs: Path | None = None
        self._log_numbers = itertools.count(1)
        self._language = language
        self._numbers = itertools.count(1)
        self._lock = threading.RLock()
        self._link: Link | None = None
        self._run: _Run | None = None
        self._closed = self._used = self._lost = False

    @property
    def workspace(self) -> Path:
        """The folder with the files, on this machine."""
        return self._workspace.path

    @property
    def isolation(self) -> str:
        """What the worker runs code in, such as "bubblewrap"."""
        return self._isolation

    @property
    def language(self) -> str:
        if self._language is None:
            with self._lock:
                self._language = str(self._call("language"))
        return self._language

    @property
    def alive(self) -> bool:
        """Whether a kernel is running."""
        link = self._link
        try:
            return link is not None and link.wait_up(0, lambda: True) and bool(link.call("alive"))
        except (LinkLostError, SandboxError):
            return False

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def start(self) -> None:
        """Start a worker and its kernel, without waiting for them; what fails is told by the first run."""
        with self._lock:
            self._check_open()
            if self._link is None:
                self._open_link().send("start")

    def wait_ready(self) -> None:
        """Start the kernel if need be, and wait until it can run code.

        Raises:
            SandboxError: if it does not come up.
        """
        with self._lock:
            self._check_open()
            self._call("wait_ready")

    def run(
        self, code: str, on_output: OutputListener | None = None, wall_seconds: float | None = None
    ) -> ExecutionResult:
        """As ``Sandbox.run``.

        Raises:
            SandboxError: also if the worker is lost, or its files cannot be brought here.
        """
        with self._lock:
            self._check_open()
            if self._run is not None:
                raise SandboxError(
                    "Code that is running cannot run code in its own sandbox: the listener is called by it."
                )
            run = self._run = _Run(next(self._numbers))
            try:
                link = self._ready_link(run.stopped.is_set)
                if link is None:
                    return ExecutionResult("killed", "stopped", isolation=self._isolation)
                return self._finish(link, self._executed(link, run, code, on_output, wall_seconds))
            except LinkLostError as error:
                self._drop_link()
                raise SandboxError(_LOST) from error
            finally:
                self._run = None

    def interrupt(self) -> None:
        """End the code that is running, from any thread; nothing happens if none is."""
        run, link = self._run, self._link
        if run is not None:
            run.stopped.set()
            if link is not None:
                link.send("interrupt", run.number)

    def not_counting(self) -> AbstractContextManager[None]:
        """Nothing that runs there asks a person here: tools cannot be called from there."""
        return nullcontext()

    def restart(self) -> None:
        """Start a new kernel: variables are gone, files stay. Code that is running is ended first."""
        self.interrupt()
        with self._lock:
            self._check_open()
            self._call("restart")
            self._lost = False

    def upload(self, path: Path | str, name: str | None = None) -> FileInfo:
        """As ``Sandbox.upload``; the file goes to the worker with the next run."""
        self._check_open()
        return self._workspace.upload(Path(path), name)

    def files(self) -> list[FileInfo]:
        """Return the files in the workspace."""
        self._check_open()
        return self._workspace.files()

    def read(self, name: str, limit: int) -> bytes:
        """As ``Sandbox.read``."""
        self._check_open()
        return self._workspace.read(name, limit)

    def download(self, name: str, to: Path | str) -> Path:
        """As ``Sandbox.download``."""
        self._check_open()
        return self._workspace.download(name, Path(to))

    def close(self) -> None:
        """End everything that runs there, and remove what was only ours; safe to call twice, from any thread."""
        self.interrupt()
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._close_link()
            self._workspace.close()
            if self._own_logs is not None:
                runtime.remove(self._own_logs)

    # The way to the worker.

    def _open_link(self) -> Link:
        self._carrier.forget()
        self._used = False
        self._link = self._connect()
        return self._link

    def _close_link(self) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()

    def _drop_link(self) -> None:
        """Let go a worker that is gone; what only looks gone must not go on unseen."""
        self._lost = self._lost or self._used
        self._close_link()

    def _call(self, method: str) -> Any:
        link = self._ready_link(lambda: False)
        assert link is not None
        try:
            return link.call(method)
        except LinkLostError as error:
            self._drop_link()
            raise SandboxError(_LOST) from error

    def _ready_link(self, stopped: Callable[[], bool]) -> Link | None:
        """Return the way to a worker that lives, another one if need be; None if ``stopped`` said so first."""
        for last in (False, False, True):
            link = self._link or self._open_link()
            try:
                if not link.wait_up(UP_SECONDS, stopped):
                    if stopped():
                        return None
                    self._close_link()
                    raise SandboxError(_NO_ROOM.format(seconds=UP_SECONDS))
                link.call("start")
            except LinkLostError as error:
                self._drop_link()
                if last:
                    raise SandboxError(f"No worker could be started: {error}") from error
            else:
                return None if stopped() else link
        raise AssertionError

    # One run.

    def _executed(
        self, link: Link, run: _Run, code: str, on_output: OutputListener | None, wall_seconds: float | None
    ) -> Part:
        """Run code; return the part with its result."""
        try:
            self._carrier.bring_there(link)
        except InputError as error:
            raise SandboxError(f"The files could not be brought to the worker: {error}") from error
        self._used = True
        ended = False
        try:
            part: Part = link.call("run", run.number, code, wall_seconds)
            while True:
                ended = part.result is not None
                if on_output is not None:
                    for delta in part.deltas:
                        on_output(delta)
                if ended:
                    return part
                part = link.call("more", run.number)
        except (LinkLostError, SandboxError):
            ended = True
            raise
        finally:
            if not ended:  # the listener has failed, or Ctrl-C: the code must not run on unseen
                self._see_out(link, run)

    def _see_out(self, link: Link, run: _Run) -> None:
        run.stopped.set()
        try:
            link.call("interrupt", run.number)
            while (result := link.call("more", run.number).result) is None:
                pass
            self._lost = self._lost or result.state_lost
        except (LinkLostError, SandboxError):
            self._drop_link()

    def _finish(self, link: Link, part: Part) -> ExecutionResult:
        assert part.result is not None
        result = dataclasses.replace(part.result, state_lost=part.result.state_lost or self._lost)
        try:
            self._carrier.bring_here(link, part.stamps or {})
            if result.log is not None:
                result = dataclasses.replace(result, log=bring_log(link, result.log.name, self._log_path()))
        except (InputError, OSError) as error:
            raise SandboxError(f"What the code made could not be brought here from its worker: {error}") from error
        self._lost = False
        return result

    def _log_path(self) -> Path:
        folder = self._logs
        if folder is None:
            folder = self._own_logs = self._own_logs or runtime.new_folder()
        return folder / f"run-{next(self._log_numbers)}.log"

    def _check_open(self) -> None:
        if self._closed:
            raise SandboxClosedError("The sandbox has been closed.")

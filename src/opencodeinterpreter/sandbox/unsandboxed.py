"""The backend ``none``: no isolation at all. The code can do whatever the user can; only asked for by name."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import uuid
from collections.abc import Sequence
from pathlib import Path

import psutil

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox import rlimits
from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec
from opencodeinterpreter.sandbox.processes import descendants, usage

_MARK = "OCINT_RUN"
"""Environment variable by which the processes of one kernel are found, wherever they have gone."""
_KILL_ROUNDS = 20
_OUTPUT_BYTES = 4096


class UnsandboxedProcess:
    """A process of the user's own, and what it started."""

    def __init__(self, process: subprocess.Popen[bytes], mark: str, output: Path) -> None:
        self._process = process
        self._output = output
        self._mark = f"{_MARK}={mark}".encode()

    def poll(self) -> int | None:
        return self._process.poll()

    def output(self) -> str:
        try:
            return self._output.read_bytes()[-_OUTPUT_BYTES:].decode(errors="replace")
        except OSError:
            return ""

    def pids(self) -> Sequence[int]:
        return descendants(self._process.pid) if self.poll() is None else []

    def interrupt(self) -> None:
        if self.poll() is None:
            self._process.send_signal(signal.SIGINT)

    def kill(self) -> None:
        """Kill the process and everything that it started, as far as that can be found."""
        for _ in range(_KILL_ROUNDS):  # what forks on while we look is found the next time
            pids = {*self.pids(), *self._marked()}
            for pid in pids:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            self._process.wait()
            if not pids:
                break

    def usage(self) -> tuple[int, float]:
        return usage(self.pids())

    def _marked(self) -> list[int]:
        """Return those that carry the mark; a process that has left the tree is found only by it."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and self._mark in _environment(process.pid):
                    found.append(process.pid)
            except (psutil.Error, OSError):  # gone, or another user's
                continue
        return found


class Unsandboxed:
    """Runs code as the user, in the workspace folder."""

    name = "none"

    def check(self) -> None:
        return

    def inside(self, spec: LaunchSpec, path: Path) -> str:
        del spec
        return str(path)

    def launch(self, spec: LaunchSpec) -> IsolatedProcess:
        if spec.files:
            raise SandboxUnavailableError("Without a sandbox there is no place for files that exist inside only.")
        mark = uuid.uuid4().hex
        # With the second, ipykernel ends by itself when this program is killed.
        env = {"TMPDIR": str(spec.runtime), "JPY_PARENT_PID": str(os.getpid()), **spec.env, _MARK: mark}
        output = spec.runtime / "start.log"
        try:
            with output.open("wb") as log:
                process = subprocess.Popen(
                    list(spec.argv),
                    env=env,
                    cwd=spec.workspace,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            raise SandboxUnavailableError(f'"{spec.argv[0]}" cannot be started: {error.strerror}.') from error
        # It has only begun to start. The system would count all of the user's processes: the watcher counts ours.
        with contextlib.suppress(ProcessLookupError):
            rlimits.apply(process.pid, dataclasses.replace(spec.limits, processes=None), user_namespace=False)
        return UnsandboxedProcess(process, mark, output)


def _environment(pid: int) -> list[bytes]:
    return Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")

"""Starting bubblewrap: hand over its arguments, set the limits while it waits, let it go on, see it come up."""

from __future__ import annotations

import json
import os
import select
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from opencodeinterpreter.sandbox import rlimits
from opencodeinterpreter.sandbox.base import Limits
from opencodeinterpreter.sandbox.jail import Descriptors
from opencodeinterpreter.sandbox.jailed import JailedProcess, Tail, wait_started
from opencodeinterpreter.sandbox.starter import start

_START_SECONDS = 20.0


class JailStartError(Exception):
    """Bubblewrap did not build the jail; the message is its own."""


@dataclass(frozen=True)
class Plan:
    """A jail to be started."""

    program: Path
    """Of bubblewrap."""
    options: Sequence[str]
    prelude: Sequence[str]
    """Goes before the command, each program in it executing the next."""
    command: Sequence[str]
    limits: Limits
    user_namespace: bool
    on_end: Callable[[], None]
    """Called when nothing of the jail is left, but not if it was never built."""


class _Pipe:
    """Both ends of a pipe, either of which may be closed early."""

    def __init__(self, stack: ExitStack) -> None:
        self.read, self.write = os.pipe()
        self._open = {self.read, self.write}
        stack.callback(self.close_both)

    def close_both(self) -> None:
        self.close(self.read)
        self.close(self.write)

    def close(self, end: int) -> None:
        if end in self._open:
            os.close(self.release(end))

    def release(self, end: int) -> int:
        """Leave ``end`` to another owner."""
        self._open.remove(end)
        return end


def start_jail(plan: Plan, descriptors: Descriptors) -> JailedProcess:
    """Start the command of a plan in its jail; ``descriptors`` hold the files that its options name.

    Raises:
        JailStartError: if the jail could not be built.
        OSError: if bubblewrap cannot be executed.
    """
    with ExitStack() as stack:
        status, go, output = _Pipe(stack), _Pipe(stack), _Pipe(stack)
        options = ["--json-status-fd", str(status.write), "--block-fd", str(go.read), *plan.options]
        # Through a descriptor: an argument list is public on the host, and short.
        listing = descriptors.add(b"".join(os.fsencode(option) + b"\0" for option in options))
        passed = [*descriptors.opened, status.write, go.read]
        argv = ["bwrap", "--args", listing, "--", *plan.prelude, *plan.command]
        bubblewrap = start(plan.program, argv, passed, output.write)
        for pipe, end in ((status, status.write), (go, go.read), (output, output.write)):
            pipe.close(end)
        tail = Tail(output.release(output.read))
        process: JailedProcess | None = None
        try:
            if (init := _read_init(status.read)) is None:
                raise _failure(bubblewrap, tail)
            process = JailedProcess(
                bubblewrap, init, status.release(status.read), tail, _command_lines(plan), plan.on_end
            )
            rlimits.apply(init, plan.limits, plan.user_namespace)
            os.write(go.write, b"\n")
            in_time = wait_started(process, _START_SECONDS)
            if not in_time or (process.poll() is not None and not _reached_program(status.read)):
                raise _failure(bubblewrap, tail)
        except BaseException:
            _abandon(bubblewrap, process)
            raise
        return process


def _command_lines(plan: Plan) -> set[bytes]:
    """Return how ``/proc/PID/cmdline`` may look before it shows the command itself."""
    whole = [os.fsencode(part) + b"\0" for part in (*plan.prelude, *plan.command)]
    return {b"".join(whole[start:]) for start in range(len(plan.prelude))}


def _read_init(descriptor: int) -> int | None:
    """Return the host pid of the jail's pid 1, or None if bubblewrap ended or kept silent."""
    deadline = time.monotonic() + _START_SECONDS
    text = b""
    while b"\n" not in text and select.select([descriptor], [], [], max(0, deadline - time.monotonic()))[0]:
        piece = os.read(descriptor, 4096)
        if not piece:
            return None
        text += piece
    return int(json.loads(text.splitlines()[0])["child-pid"]) if b"\n" in text else None


def _reached_program(descriptor: int) -> bool:
    """Return whether an ended bubblewrap had come as far as to execute the command."""
    text = b""
    while select.select([descriptor], [], [], 0)[0] and (piece := os.read(descriptor, 4096)):
        text += piece
    return b'"exit-code"' in text


def _failure(bubblewrap: subprocess.Popen[bytes], tail: Tail) -> JailStartError:
    bubblewrap.kill()
    bubblewrap.wait()
    tail.wait(1.0)
    return JailStartError(tail.text().strip() or f"bubblewrap ended with status {bubblewrap.returncode}")


def _abandon(bubblewrap: subprocess.Popen[bytes], process: JailedProcess | None) -> None:
    if process is not None:
        process.kill()
    else:
        bubblewrap.kill()
        bubblewrap.wait()

"""One kernel, from its start to its end: a process in an isolation, and the conversation with it."""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections.abc import Callable
from pathlib import Path

from opencodeinterpreter.errors import KernelStartError
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec, Limits, SandboxBackend
from opencodeinterpreter.sandbox.environment import KernelCommand, start_script
from opencodeinterpreter.sandbox.outlet import Outlet
from opencodeinterpreter.sandbox.output import OutputCollector
from opencodeinterpreter.sandbox.wire import Message, Wire

START_SECONDS = 60.0
_POLL_MILLISECONDS = 50
_STEP_SECONDS = 0.003
_TEXT_SECONDS = 0.002
"""Between two looks at the text: one for each of many short lines would take the time of the code that writes them."""
_PARTNER_SECONDS = 2.0
"""A run ends with a reply and a notice; from the one until we no longer wait for the other."""
_SETTLE_SECONDS = 0.05
"""For what a kernel sent just before it died."""
_ASK_AGAIN_SECONDS = 0.25


class Kernel:
    """A running kernel; used by one thread at a time, but for ``interrupt`` and ``alive``.

    The constructor starts the process and returns at once; ``wait_ready`` waits for it.

    Args:
        backend: the isolation.
        command: what to start.
        workspace: the folder that the code works in.
        limits: for the whole process tree.
        network: whether the network is to be had inside.
        base: folder for the unix sockets; None for the system's folder for temporary files.

    Raises:
        SandboxUnavailableError: if the isolation cannot be had.
    """

    def __init__(
        self,
        backend: SandboxBackend,
        command: KernelCommand,
        workspace: Path,
        limits: Limits,
        network: bool = False,
        base: Path | None = None,
    ) -> None:
        self._command = command
        self.folder = runtime.new_folder(base)
        """Of its sockets and pipes, and what it keeps beside; the code can write there."""
        self._outlet: Outlet | None = None
        self._wire: Wire | None = None
        self._control_lock = threading.Lock()
        self._ready = False
        try:
            spec = LaunchSpec((), workspace, self.folder, command.env, command.readable, {}, network, limits)
            self.process = self._launch(backend, spec)
        except BaseException:
            self._release()
            raise

    def _launch(self, backend: SandboxBackend, spec: LaunchSpec) -> IsolatedProcess:
        inside = backend.inside(spec, self.folder)
        self._wire = Wire(self.folder, inside)
        if self._command.own_start:
            (self.folder / "kernel_main.py").write_bytes(start_script())
            self._outlet = Outlet(self.folder)
        words = {
            "connection_file": f"{inside}/{self._wire.connection_file.name}",
            "start_script": f"{inside}/kernel_main.py",
            "pipes": inside,
            "workspace": backend.inside(spec, spec.workspace),
        }
        argv = tuple(_filled(word, words) for word in self._command.argv)
        spec = dataclasses.replace(spec, argv=argv, env={"HOME": inside, **spec.env})
        return backend.launch(spec)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def wait_ready(self, stopped: Callable[[], bool] = lambda: False) -> bool:
        """Wait until the kernel answers; return False if ``stopped`` said so first.

        Raises:
            KernelStartError: if it does not come up.
        """
        if self._ready:
            return True
        assert self._wire is not None
        deadline = time.monotonic() + START_SECONDS
        while not self._wire.listening():
            self._check_starting(deadline)
            if stopped():
                return False
            time.sleep(_STEP_SECONDS)
        self._wire.connect()
        answered = heard = False
        asked_at = 0.0
        while not (answered and heard):
            self._check_starting(deadline)
            if stopped():
                return False
            # What it says is heard only once our subscription has arrived; ask until it has.
            if (answered and not heard) or time.monotonic() - asked_at > _ASK_AGAIN_SECONDS:
                self._wire.request("kernel_info_request", {})
                asked_at, answered = time.monotonic(), False
            self._wire.wait(_POLL_MILLISECONDS)
            for message in self._wire.messages():
                answered |= message.kind == "kernel_info_reply"
                heard |= message.channel == "iopub"
        self._ready = True
        return True

    def execute(self, code: str, output: OutputCollector, flooded: Callable[[], None]) -> bool:
        """Run code; return False if the kernel died over it, or is no longer fit for use.

        Args:
            code: in the kernel's language.
            output: takes what the code puts out.
            flooded: called when the code puts out more than can be meant.
        """
        assert self._wire is not None
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        outlet = self._outlet
        before = outlet.begin if outlet is not None else lambda _id: None
        try:
            end = _End(self._wire.request("execute_request", content, before=before))
        except OSError:  # code of an earlier run removes or replaces the pipes
            return False
        text_due = 0.0
        while not end.reached():
            pause = text_due - time.monotonic()
            milliseconds = _POLL_MILLISECONDS if pause <= 0 else math.ceil(pause * 1000)
            if self._wire.wait(milliseconds, self._filenos() if pause <= 0 else ()) and not self._pump(output.add_text):
                text_due = time.monotonic() + _TEXT_SECONDS
            for message in self._wire.messages():
                end.take(message, output)
            if output.flooded:
                flooded()
            if not self.alive or end.broken():
                self._settle(end, output)
                return False
        while self._pump(output.add_text) and not output.flooded:
            pass
        if outlet is not None:
            outlet.finish()
        return True

    def drop_late_output(self) -> None:
        """Read away what threads and children of past runs write, so that they need not wait."""
        self._pump(lambda _stream, _text: None)

    def interrupt(self) -> None:
        """Ask the kernel to give up what it is running; from any thread."""
        if not self._command.interrupt_by_message:
            self.process.interrupt()
            return
        assert self._wire is not None
        with self._control_lock:
            self._wire.request("interrupt_request", {}, channel="control")

    def close(self) -> None:
        """End the kernel and everything it started; safe to call twice."""
        self.process.kill()
        self._release()

    def _settle(self, end: _End, output: OutputCollector) -> None:
        """Take in what was sent before the kernel died."""
        assert self._wire is not None
        until = time.monotonic() + _SETTLE_SECONDS
        while (left := until - time.monotonic()) > 0 and not output.flooded:
            if not self._pump(output.add_text):
                self._wire.wait(int(left * 1000) + 1)
            for message in self._wire.messages():
                end.take(message, output)

    def _pump(self, sink: Callable[[str, str], None]) -> bool:
        return self._outlet is not None and self._outlet.pump(sink)

    def _filenos(self) -> list[int]:
        return self._outlet.filenos() if self._outlet is not None else []

    def _check_starting(self, deadline: float) -> None:
        if not self.alive:
            last = self.process.output().strip().rpartition("\n")[2] or f"exit status {self.process.poll()}"
            raise KernelStartError(f"The kernel ended while it started: {last}")
        if time.monotonic() > deadline:
            raise KernelStartError(f"The kernel did not answer within {START_SECONDS:.0f} seconds.")

    def _release(self) -> None:
        if self._wire is not None:
            self._wire.close()
        if self._outlet is not None:
            self._outlet.close()
        runtime.remove(self.folder)


class _End:
    """Tells when a run is over: when its reply is there, and the notice that all its output has been sent."""

    def __init__(self, request: str) -> None:
        self._request = request
        self._replied_at: float | None = None
        self._idle_at: float | None = None

    def take(self, message: Message, output: OutputCollector) -> None:
        if message.parent != self._request:
            return
        if message.channel == "iopub":
            if message.kind == "status" and message.content.get("execution_state") == "idle":
                self._idle_at = self._idle_at or time.monotonic()
            elif message.kind != "status":
                output.add_message(message.kind, message.content, message.size)
        elif message.kind == "execute_reply":
            self._replied_at = time.monotonic()
            if message.content.get("status") == "error" and output.error is None:
                output.error = output.error_of(message.content)

    def reached(self) -> bool:
        if self._replied_at is None:
            return False
        # A kernel of another make may have dropped the notice from a full queue.
        return self._idle_at is not None or time.monotonic() - self._replied_at > _PARTNER_SECONDS

    def broken(self) -> bool:
        """Return whether the kernel is done without a reply: the code has damaged it."""
        return (
            self._replied_at is None
            and self._idle_at is not None
            and (time.monotonic() - self._idle_at > _PARTNER_SECONDS)
        )


def _filled(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = word.replace("{" + name + "}", value)
    return word

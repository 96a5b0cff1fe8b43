"""One kernel, from its start to its end: a process in an isolation, and the conversation with it."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from pathlib import Path

from opencodeinterpreter.errors import KernelStartError
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec, Limits, SandboxBackend
from opencodeinterpreter.sandbox.calls import CallChannel, CallHandler
from opencodeinterpreter.sandbox.environment import START_SCRIPT, KernelCommand, start_files
from opencodeinterpreter.sandbox.execution import Execution
from opencodeinterpreter.sandbox.outlet import Outlet
from opencodeinterpreter.sandbox.output import OutputCollector
from opencodeinterpreter.sandbox.wire import Wire

START_SECONDS = 60.0
_POLL_MILLISECONDS = 50
_STEP_SECONDS = 0.003
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
        calls: answers what code asks of this program through the module ``tools``; None for no such way out.

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
        calls: CallHandler | None = None,
    ) -> None:
        self._command = command
        self.folder = runtime.new_folder(base)
        """Of its sockets and pipes, and what it keeps beside; the code can write there."""
        self._outlet: Outlet | None = None
        self._wire: Wire | None = None
        self._channel: CallChannel | None = None
        self._ready = False
        try:
            if calls is not None and command.own_start:
                self._channel = CallChannel(self.folder, calls)
            spec = LaunchSpec((), workspace, self.folder, command.env, command.readable, {}, network, limits)
            self.process = self._launch(backend, spec)
        except BaseException:
            self._release()
            raise

    def _launch(self, backend: SandboxBackend, spec: LaunchSpec) -> IsolatedProcess:
        inside = backend.inside(spec, self.folder)
        self._wire = Wire(self.folder, inside)
        if self._command.own_start:
            for name, content in start_files().items():
                (self.folder / name).write_bytes(content)
            self._outlet = Outlet(self.folder)
        words = {
            "connection_file": f"{inside}/{self._wire.connection_file.name}",
            "start_script": f"{inside}/{START_SCRIPT}",
            "pipes": inside,
            "workspace": backend.inside(spec, spec.workspace),
        }
        argv = tuple(_filled(word, words) for word in self._command.argv)
        (self.folder / "home").mkdir(mode=0o700)
        if self._command.fonts is not None:
            self._command.fonts.put(self.folder / "home" / "matplotlib")
        spec = dataclasses.replace(spec, argv=argv, env={"HOME": f"{inside}/home", **spec.env})
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
        if self._command.own_start:
            # The first run of all takes many times longer than the next; let that be one that nobody waits for.
            self._wire.request("execute_request", {"code": "pass", "silent": True, "store_history": False})
        return True

    def execute(self, code: str, output: OutputCollector, flooded: Callable[[], None]) -> Execution:
        """Send code to the kernel, which must be ready.

        Args:
            code: in the kernel's language.
            output: takes what the code puts out.
            flooded: called when the code puts out more than can be meant.

        Raises:
            OSError: if an earlier run has spoilt the kernel's folder.
        """
        assert self._wire is not None
        return Execution(self._wire, self._outlet, lambda: self.alive, code, output, flooded)

    def drop_late_output(self) -> None:
        """Read away what threads and children of past runs put out, so that they need not wait."""
        if self._wire is not None and self._ready:
            for _ in self._wire.messages():
                pass
        if self._outlet is not None:
            self._outlet.pump(lambda _stream, _text: None)

    def interrupt(self) -> None:
        """Ask the kernel to give up what it is running; from any thread."""
        if self._command.interrupt_by_message and self._wire is not None:
            self._wire.send_apart("interrupt_request")
        else:
            self.process.interrupt()

    def close(self) -> None:
        """End the kernel and everything it started; safe to call twice."""
        self.process.kill()
        self._release()

    def _check_starting(self, deadline: float) -> None:
        if not self.alive:
            last = self.process.output().strip().rpartition("\n")[2] or f"exit status {self.process.poll()}"
            raise KernelStartError(f"The kernel ended while it started: {last}")
        if time.monotonic() > deadline:
            raise KernelStartError(f"The kernel did not answer within {START_SECONDS:.0f} seconds.")

    def _release(self) -> None:
        if self._channel is not None:
            self._channel.close()
        if self._wire is not None:
            self._wire.close()
        if self._outlet is not None:
            self._outlet.close()
        runtime.remove(self.folder)


def _filled(word: str, words: dict[str, str]) -> str:
    for name, value in words.items():
        word = word.replace("{" + name + "}", value)
    return word

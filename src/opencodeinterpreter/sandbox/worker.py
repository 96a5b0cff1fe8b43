"""The far end of a ``RemoteSandbox``: an ordinary sandbox, and the calls by which it is used from another machine.

Every call is short but ``run`` and ``more``, which wait for something to happen; ``interrupt`` and ``alive`` may come
while they do. What comes and goes are plain values.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from opencodeinterpreter.sandbox.base import ExecutionResult, OutputDelta
from opencodeinterpreter.sandbox.copies import Copy, Parcel
from opencodeinterpreter.sandbox.sandbox import Sandbox
from opencodeinterpreter.sandbox.workspace import Stamp, Workspace

_LOOK_SECONDS = 0.25
_STOPPED_LOOK_SECONDS = 0.02
_GATHER_SECONDS = 0.01
"""From the first piece of output on, for more to go with it: one way for many short lines, and for a short run."""

_Happened = OutputDelta | ExecutionResult | BaseException


@dataclass(frozen=True)
class Part:
    """What has happened in a run since it was last asked for."""

    deltas: tuple[OutputDelta, ...]
    result: ExecutionResult | None = None
    """With which the run has ended."""
    stamps: Mapping[str, Stamp] | None = None
    """With the result, the files that there are then."""


class Worker:
    """A sandbox with a private workspace, made at the first use.

    Args:
        options: of ``Sandbox``, as they are meant on this machine.
    """

    def __init__(self, options: Mapping[str, Any]) -> None:
        self._options = options
        self._lock = threading.RLock()
        self._made: Sandbox | None = None
        self._logs = Workspace()
        self._copies: dict[str, Copy] = {"logs": Copy(self._logs)}
        self._parcels: Iterator[Parcel] = iter(())
        self._happened: queue.SimpleQueue[_Happened] = queue.SimpleQueue()
        self._stopped = 0
        """Runs up to this number are to be ended."""

    def start(self) -> None:
        """Start the kernel, without waiting for it.

        Raises:
            ConfigError, SandboxUnavailableError: what was asked for cannot be had on this machine.
        """
        self._sandbox().start()

    def wait_ready(self) -> None:
        self._sandbox().wait_ready()

    def restart(self) -> None:
        self._sandbox().restart()

    def alive(self) -> bool:
        return self._made is not None and self._made.alive

    def language(self) -> str:
        return self._sandbox().language

    def run(self, number: int, code: str, wall_seconds: float | None) -> Part:
        """Begin run ``number``, and return what there is of it as ``more`` does."""
        happened = self._happened = queue.SimpleQueue()
        thread = threading.Thread(
            target=self._work, args=(code, wall_seconds, happened), name=f"run-{number}", daemon=True
        )
        thread.start()
        return self.more(number)

    def more(self, number: int) -> Part:
        """Wait for something to happen in run ``number``, and return it.

        Raises:
            SandboxError: the sandbox itself has failed, and the run is over.
        """
        deltas: list[OutputDelta] = []
        until: float | None = None
        while True:
            stopped = number <= self._stopped
            if stopped:  # each time: one that came before the code had begun found nothing to end
                self._sandbox().interrupt()
            pause = _STOPPED_LOOK_SECONDS if stopped else _LOOK_SECONDS
            try:
                item = self._happened.get(timeout=pause if until is None else max(0.0, until - time.monotonic()))
            except queue.Empty:
                if until is None:
                    continue
                return Part(tuple(deltas))
            if not isinstance(item, OutputDelta):
                self._happened.put(item)  # for a caller who was not there any more, and asks again
            if isinstance(item, BaseException):
                raise item
            if isinstance(item, ExecutionResult):
                return Part(tuple(deltas), item, self._copies["workspace"].stamps())
            deltas.append(item)
            until = until or time.monotonic() + _GATHER_SECONDS

    def interrupt(self, number: int) -> None:
        """End run ``number``, even if it has not come yet."""
        self._stopped = max(self._stopped, number)

    def unpack(self, parcel: Parcel) -> Mapping[str, Stamp]:
        """Put files into the workspace; as ``Copy.unpack``."""
        return self._copies["workspace"].unpack(parcel)

    def remove(self, folder: str, paths: Sequence[str]) -> None:
        """Remove files of the "workspace" or the "logs"."""
        self._copies[folder].remove(paths)

    def pack(self, folder: str, paths: Sequence[str]) -> Parcel:
        """Return the first parcel with files of the "workspace" or the "logs"; ``next_parcel`` gives the others."""
        self._parcels = self._copies[folder].parcels(paths)
        return self.next_parcel()

    def next_parcel(self) -> Parcel:
        return next(self._parcels)

    def close(self) -> None:
        """End everything, and leave nothing."""
        with self._lock:
            if self._made is not None:
                self._made.close()
            self._logs.close()

    def _sandbox(self) -> Sandbox:
        with self._lock:
            if self._made is None:
                self._made = Sandbox(**self._options, logs=self._logs.path)
                # Of its own: the sandbox removes the folder, and this looks into it.
                self._copies["workspace"] = Copy(Workspace(self._made.workspace))
            return self._made

    def _work(self, code: str, wall_seconds: float | None, happened: queue.SimpleQueue[_Happened]) -> None:
        try:
            happened.put(self._sandbox().run(code, happened.put, wall_seconds))
        except BaseException as error:  # handed over to whoever waits, whatever it is
            happened.put(error)

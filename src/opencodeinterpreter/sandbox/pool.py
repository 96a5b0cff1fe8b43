"""Warm kernels, started before anyone asks for them."""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Self

from opencodeinterpreter.errors import OcintError, SandboxClosedError
from opencodeinterpreter.sandbox.base import AnySandbox
from opencodeinterpreter.sandbox.sandbox import Sandbox

_LOG = logging.getLogger(__name__)
_PAUSE_SECONDS = 0.3


class KernelPool:
    """Keeps sandboxes whose kernels are ready, so that taking one costs milliseconds.

    Each has a workspace of its own, which the taker's session adopts. A session that must work in a folder that is
    there already starts a ``Sandbox`` of its own instead. Use it in a ``with`` block, or close it; what was taken is
    the taker's to close. Safe to use from any thread.

    Args:
        size: how many are kept ready.
        make: makes one, unstarted, with the limits and the workspace that all are to have.
    """

    def __init__(self, size: int = 1, make: Callable[[], AnySandbox] = Sandbox) -> None:
        self._size = size
        self._make = make
        self._ready: deque[AnySandbox] = deque()
        self._condition = threading.Condition()
        self._closed = self._failed = self._taken = False
        self._thread = threading.Thread(target=self._refill, name="kernel-pool", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def take(self) -> AnySandbox:
        """Return a sandbox whose kernel is ready, or, where none is left, one that is starting.

        Raises:
            SandboxError: if none can be started.
            SandboxClosedError: after ``close``.
        """
        while True:
            with self._condition:
                if self._closed:
                    raise SandboxClosedError("The pool of kernels has been closed.")
                taken = self._ready.popleft() if self._ready else None
                self._failed, self._taken = False, True
                self._condition.notify()
            if taken is None:
                return _started(self._make())
            if taken.alive:
                return taken
            taken.close()  # idle for too long

    def wait_full(self, seconds: float) -> bool:
        """Wait until as many are ready as are to be kept; return whether that is so."""
        with self._condition:
            return self._condition.wait_for(lambda: len(self._ready) >= self._size, seconds)

    def close(self) -> None:
        """Close what nobody has taken."""
        with self._condition:
            self._closed = True
            self._condition.notify()
        self._thread.join()
        while self._ready:
            self._ready.popleft().close()

    def _refill(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._closed or (len(self._ready) < self._size and not self._failed))
                # The first run of the one just taken would share the processor with the start of the next.
                if self._condition.wait_for(lambda: self._closed, _PAUSE_SECONDS if self._taken else 0):
                    return
            try:
                fresh = _started(self._make(), wait=True)
            except OcintError as error:
                # Tried again when one is asked for, which then gets to see the error.
                _LOG.warning("no kernel could be kept ready: %s", error)
                self._failed = True
                continue
            with self._condition:
                self._ready.append(fresh)
                self._taken = False
                self._condition.notify_all()


def _started(sandbox: AnySandbox, wait: bool = False) -> AnySandbox:
    try:
        sandbox.wait_ready() if wait else sandbox.start()
    except BaseException:
        sandbox.close()
        raise
    return sandbox

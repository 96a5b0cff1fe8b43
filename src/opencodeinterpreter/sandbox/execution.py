"""One run in a kernel, from the request to the last of its output."""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from opencodeinterpreter.sandbox.outlet import Outlet
from opencodeinterpreter.sandbox.output import OutputCollector
from opencodeinterpreter.sandbox.wire import Message, Wire

_POLL_MILLISECONDS = 50
_TEXT_SECONDS = 0.002
"""Between two looks at the text: one for each of many short lines would take the time of the code that writes them."""
_PARTNER_SECONDS = 1.0
"""A run ends with a reply and a notice; from the one until we no longer wait for the other."""
_SETTLE_SECONDS = 0.05
"""For what a kernel sent just before it died."""


class Execution:
    """Code on its way through the kernel; the constructor sends it off.

    Args:
        wire: the connection to the kernel.
        outlet: the text output of the kernel, where it comes apart.
        alive: tells whether the kernel lives.
        code: in the kernel's language.
        output: takes what the code puts out.
        flooded: called when the code puts out more than can be meant.

    Raises:
        OSError: if an earlier run has spoilt the pipes that the output is to come through.
    """

    def __init__(
        self,
        wire: Wire,
        outlet: Outlet | None,
        alive: Callable[[], bool],
        code: str,
        output: OutputCollector,
        flooded: Callable[[], None],
    ) -> None:
        self._wire = wire
        self._outlet = outlet
        self._alive = alive
        self._output = output
        self._flooded = flooded
        self._text_due = 0.0
        self._replied_at: float | None = None
        self._idle_at: float | None = None
        self._abandoned_at: float | None = None
        content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": False}
        before = outlet.begin if outlet is not None else lambda _id: None
        self._request = wire.request("execute_request", content, before=before)

    def wait(self) -> bool:
        """Wait for the end; return False if the kernel died over it, or is no longer fit for use.

        After an exception of the output's listener it can be called again.
        """
        while not self._over():
            self._take_in(_POLL_MILLISECONDS)
            if self._output.flooded:
                self._flooded()
            if not self._alive() or self._broken():
                self._settle()
                return False
        self._drain()
        if self._outlet is not None:
            self._outlet.finish()
        return True

    def _drain(self) -> None:
        """Pass on all the text that there is."""
        while self._outlet is not None and self._outlet.pump(self._output.add_text) and not self._output.flooded:
            pass

    def _take_in(self, milliseconds: int) -> None:
        """Wait for output and pass it on: messages at once, text after a pause."""
        pause = self._text_due - time.monotonic()
        if self._outlet is None or pause > 0:
            self._wire.wait(milliseconds if self._outlet is None else math.ceil(pause * 1000))
        elif self._wire.wait(milliseconds, self._outlet.filenos()) and not self._outlet.pump(self._output.add_text):
            self._text_due = time.monotonic() + _TEXT_SECONDS
        for message in self._wire.messages():
            self._take(message)

    def _take(self, message: Message) -> None:
        if message.parent != self._request:
            return
        if message.channel == "iopub":
            if message.kind == "status" and message.content.get("execution_state") == "idle":
                self._idle_at = self._idle_at or time.monotonic()
            elif message.kind != "status":
                # What was written before it came another way, and comes first: a line is not torn in two.
                self._drain()
                self._output.add_message(message.kind, message.content, message.size)
        elif message.kind == "execute_reply":
            self._replied_at = time.monotonic()
            self._output.add_reply(message.content)

    def _over(self) -> bool:
        if self._replied_at is None:
            return False
        # A kernel of another make may have dropped the notice from a full queue.
        return self._idle_at is not None or time.monotonic() - self._replied_at > _PARTNER_SECONDS

    def _broken(self) -> bool:
        """Return whether the code has damaged the kernel: it is done without a reply, or has closed its descriptors."""
        if self._outlet is not None and self._outlet.abandoned and self._abandoned_at is None:
            self._abandoned_at = time.monotonic()
        seen = [at for at in (self._idle_at, self._abandoned_at) if at is not None]
        return self._replied_at is None and bool(seen) and time.monotonic() - min(seen) > _PARTNER_SECONDS

    def _settle(self) -> None:
        """Take in what was sent before the kernel died."""
        until = time.monotonic() + _SETTLE_SECONDS
        while (left := until - time.monotonic()) > 0 and not self._output.flooded:
            self._take_in(math.ceil(left * 1000))
        # However late we come to it, what it wrote is still in the pipes.
        self._drain()

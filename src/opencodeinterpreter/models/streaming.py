"""Replies that a thread produces, for engines that call back or block."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from opencodeinterpreter.models.base import FinishReason, ReplyStream, Usage

_END = None


class Sink:
    """What the producing thread writes to; it knows nothing of the stream, so that an unused stream can go."""

    def __init__(self) -> None:
        self.queue: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self.usage = Usage()
        """Kept up to date while the reply is produced: a cancelled reply is reported from it."""
        self.finish_reason: FinishReason = "stop"
        self.error: BaseException | None = None
        self.patience: tuple[float, BaseException] | None = None
        """The moment (monotonic) by which the next text must have come, and what is raised otherwise."""
        self.on_cancel: Callable[[], None] | None = None
        """Wakes a producer that waits for something; may be called more than once."""
        self._cancelled = threading.Event()

    def put(self, text: str) -> None:
        """Hand over the next piece of the reply."""
        if text:
            self.queue.put(text)

    def cancel(self) -> None:
        """Ask the producer to end, and end the iteration at once."""
        self._cancelled.set()
        self.queue.put(_END)
        if self.on_cancel is not None:
            self.on_cancel()

    def wait(self, seconds: float) -> bool:
        """Wait; true as soon as the producer should end."""
        return self._cancelled.wait(seconds) or self.cancelled

    @property
    def cancelled(self) -> bool:
        """Whether the producer should end, because of a ``cancel()`` or because the program itself is ending."""
        return self._cancelled.is_set() or not threading.main_thread().is_alive()


class ThreadedReply:
    """A :class:`ReplyStream` over a function that runs in a thread of its own.

    Args:
        produce: writes the reply to the sink and looks at ``sink.cancelled`` at every step; what it raises
            is raised again where the reply is iterated.
    """

    def __init__(self, produce: Callable[[Sink], None]) -> None:
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self.sink = sink = Sink()
        self._started = time.monotonic()

        def run() -> None:
            try:
                produce(sink)
            except BaseException as error:
                sink.error = error
            finally:
                sink.queue.put(_END)

        self.thread = threading.Thread(target=run, name="reply")
        self.thread.start()

    def __enter__(self) -> ReplyStream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        # The end is settled first: a reply that is over was not cancelled by leaving the block.
        if self.finish_reason is None:
            self.cancel()
            self._end()

    def __del__(self) -> None:
        if self.finish_reason is None:
            self.sink.cancel()

    def __iter__(self) -> Iterator[str]:
        while self.finish_reason is None:
            text = self._next()
            if self.sink.cancelled or text is _END:
                error = self._end()
                if error is not None:
                    raise error
                return
            yield text

    def cancel(self) -> None:
        self.sink.cancel()

    def _next(self) -> str | None:
        while True:
            patience = self.sink.patience
            left = None if patience is None else max(0.0, patience[0] - time.monotonic())
            # A limit may be set while this waits, so no wait is longer than a second.
            try:
                return self.sink.queue.get(timeout=1.0 if left is None else min(left, 1.0))
            except queue.Empty:
                if left == 0.0 and patience is not None and self.sink.patience is patience:
                    error = patience[1]
                    self.sink.cancel()
                    self._end()
                    raise error from None

    def _end(self) -> BaseException | None:
        """Settle how the reply ended; returns what went wrong, once."""
        sink = self.sink
        # Taken out, because an error and what it happened to would keep each other in memory.
        error, sink.error = sink.error, None
        if self.finish_reason is None:
            self.usage = replace(sink.usage, total_seconds=time.monotonic() - self._started)
            self.finish_reason = "cancelled" if sink.cancelled else sink.finish_reason
        return None if sink.cancelled else error

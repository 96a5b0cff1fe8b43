"""Replies that are generated side by side: each step continues all of them by one token."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from opencodeinterpreter.errors import ModelError
from opencodeinterpreter.models.base import Generation
from opencodeinterpreter.models.checkpoint import Checkpoint
from opencodeinterpreter.models.detokenizer import Detokenizer
from opencodeinterpreter.models.passes import passes_of
from opencodeinterpreter.models.stops import StopFilter
from opencodeinterpreter.models.streaming import Sink

_WAIT_SECONDS = 0.2
_LEAST_TEMPERATURE = 1e-6
_LIKELIEST = 1024
"""Tokens that nearly always hold a share of ``top_p`` among them."""


@dataclass(eq=False)
class _Row:
    """A reply on its way."""

    prompt: Sequence[int]
    generation: Generation
    limit: int
    sink: Sink
    detokenizer: Detokenizer
    stops: StopFilter
    generator: Any = None
    token: int = -1
    produced: int = 0
    began: float = 0.0
    first: float = 0.0
    over: threading.Event = field(default_factory=threading.Event)
    error: BaseException | None = None

    def take(self, token: int, ends: Sequence[int]) -> bool:
        """Take the next token; false if it is the last."""
        now = time.monotonic()
        self.token, self.produced = token, self.produced + 1
        self.first = self.first or now
        self.sink.put(self.stops.feed(self.detokenizer.feed(token)))
        self.sink.usage = replace(
            self.sink.usage,
            completion_tokens=self.produced,
            prompt_seconds=self.first - self.began,
            completion_seconds=now - self.first,
        )
        ended = self.stops.stopped or token in ends
        if not ended and self.produced < self.limit and not self.sink.cancelled:
            return True
        self.sink.put(self.stops.feed(self.detokenizer.rest()) + self.stops.rest())
        self.sink.finish_reason = "stop" if ended or self.stops.stopped else "length"
        return False


class Batch:
    """Generates replies with one checkpoint, as many at a time as there are slots; others wait for their turn.

    The work is done in a thread that lives while there is some.

    Args:
        checkpoint: the model and its tokenizer.
        slots: how many at a time; a model that cannot do several does one.
    """

    def __init__(self, checkpoint: Checkpoint, slots: int) -> None:
        self._checkpoint = checkpoint
        self._passes = passes_of(checkpoint.model, slots)
        self._lock = threading.Lock()
        self._waiting: deque[_Row] = deque()
        self._rows: list[_Row] = []
        self._worker: threading.Thread | None = None

    def generate(self, prompt: Sequence[int], generation: Generation, limit: int, sink: Sink) -> None:
        """Generate a reply into ``sink``; returns when it is over.

        Args:
            prompt: tokens.
            generation: how.
            limit: tokens of the reply, at most.
            sink: takes text, usage and why it ended.
        """
        row = _Row(
            prompt, generation, limit, sink, Detokenizer(self._checkpoint.tokenizer), StopFilter(generation.stop)
        )
        with self._lock:
            self._waiting.append(row)
            if self._worker is None:
                self._worker = threading.Thread(target=self._work, name="batch")
                self._worker.start()
        while not row.over.wait(_WAIT_SECONDS):
            # One that is cancelled while it waits for a slot need not wait for it.
            if sink.cancelled:
                with self._lock:
                    if row in self._waiting:
                        self._waiting.remove(row)
                        return
        if row.error is not None:
            raise row.error

    def close(self) -> None:
        """Wait until the thread has ended; every reply must be over or cancelled."""
        with self._lock:
            worker = self._worker
        if worker is not None:
            worker.join()

    def _work(self) -> None:
        import torch

        try:
            with torch.inference_mode():
                while True:
                    self._admit()
                    if self._rows:
                        self._step()
                    elif self._done():
                        return
        except BaseException as error:
            self._fail(error)

    def _done(self) -> bool:
        with self._lock:
            if self._waiting:
                return False
            self._worker = None
            return True

    def _admit(self) -> None:
        """Read the prompts of those who wait, while there are slots."""
        while len(self._rows) < self._passes.slots:
            with self._lock:
                if not self._waiting:
                    return
                row = self._waiting.popleft()
                self._rows.append(row)
            row.began = time.monotonic()
            row.generator = _generator(row.generation, self._checkpoint.model.device)
            slot = len(self._rows) - 1
            logits, known = self._passes.prefill(slot, row.prompt)
            row.sink.usage = replace(row.sink.usage, cached_prompt_tokens=known)
            self._take(slot, logits)

    def _step(self) -> None:
        logits = self._passes.decode([row.token for row in self._rows])
        # From the last, so that one that ends is replaced by one that has had its token.
        for slot in reversed(range(len(self._rows))):
            self._take(slot, logits[slot])

    def _take(self, slot: int, logits: Any) -> None:
        row = self._rows[slot]
        try:
            if row.take(_drawn(logits, row), self._checkpoint.ends):
                return
        except Exception as error:  # of this reply alone: the others go on
            row.error = error
        last = len(self._rows) - 1
        self._passes.end(slot, last)
        self._rows[slot] = self._rows[last]
        self._rows.pop()
        row.over.set()

    def _fail(self, error: BaseException) -> None:
        if type(error).__name__ == "OutOfMemoryError" or isinstance(error, MemoryError):
            error = ModelError("there is not enough memory for so many replies at a time: ask for fewer")
        with self._lock:
            rows = [*self._rows, *self._waiting]
            self._rows.clear()
            self._waiting.clear()
            self._worker = None
            self._passes = passes_of(self._checkpoint.model, self._passes.slots)
        for row in rows:
            row.error = error
            row.over.set()


def _generator(generation: Generation, device: Any) -> Any:
    """Return what a reply draws from: its own, so that it does not depend on the others."""
    import torch

    if not generation.temperature:
        return None
    generator = torch.Generator(device)
    if generation.seed is None:
        generator.seed()
    else:
        generator.manual_seed(generation.seed)
    return generator


def _drawn(logits: Any, row: _Row) -> int:
    """Return the next token: the likeliest, or one that is drawn."""
    import torch

    generation = row.generation
    if not generation.temperature:
        # On the processor torch takes fifteen times as long for this.
        return int(logits.numpy().argmax() if logits.device.type == "cpu" else logits.argmax())
    # Ever smaller temperatures only make the likeliest likelier, until the quotient is no number any more.
    chances = torch.softmax((logits - logits.max()) / max(generation.temperature, _LEAST_TEMPERATURE), dim=-1)
    if generation.top_p >= 1.0:
        return _one_of(chances, row.generator)
    # To sort a whole vocabulary takes longer than a reply's share of the pass.
    ordered, tokens = chances.topk(min(_LIKELIEST, len(chances)))
    if float(ordered.sum()) < generation.top_p:
        ordered, tokens = chances.sort(descending=True)
    # The likeliest tokens that together reach top_p; the one that crosses it is among them.
    ordered[ordered.cumsum(-1) - ordered >= generation.top_p] = 0.0
    return int(tokens[_one_of(ordered, row.generator)])


def _one_of(chances: Any, generator: Any) -> int:
    """Draw an index by chances, [indices], that need not add up to one; those without any chance are never drawn.

    One random number and a search for it: ``torch.multinomial`` draws a number for every index, which over the
    vocabulary of a small model takes longer than the reply's share of the pass.
    """
    import torch

    # In double precision: the last of a hundred thousand sums must still tell small chances apart.
    sums = chances.cumsum(-1, dtype=torch.float64)
    at = torch.rand(1, generator=generator, dtype=torch.float64, device=sums.device) * sums[-1]
    # A product that rounds up to the last sum is found behind it.
    return min(int(torch.searchsorted(sums, at, right=True)), len(sums) - 1)

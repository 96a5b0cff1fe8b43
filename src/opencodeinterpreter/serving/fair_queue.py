"""One model for many sessions: whoever asks first is answered first, and no session waits for ever."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.models.base import ChatModel, FinishReason, Generation, ReplyStream, Usage, sees_images

GREEDY = Generation()


class Slots:
    """So many may be inside at a time; the others wait in the order in which they came.

    A session asks for one reply after the other, so the order of coming is fair: whoever has had a reply goes to the
    end of the queue.

    Args:
        number: how many replies the model's back-end generates side by side.
    """

    def __init__(self, number: int) -> None:
        self.number = number
        self._lock = threading.Lock()
        self._inside = 0
        self._waiting: deque[threading.Event] = deque()

    @property
    def waiting(self) -> int:
        """How many wait now."""
        return len(self._waiting)

    @property
    def inside(self) -> int:
        """How many are being served now."""
        return self._inside

    def enter(self, turn: threading.Event) -> None:
        """Come into the queue; ``turn`` is set, at once or later, when there is a slot."""
        with self._lock:
            if self._inside < self.number and not self._waiting:
                self._inside += 1
                turn.set()
            else:
                self._waiting.append(turn)

    def position(self, turn: threading.Event) -> int:
        """Return how many are to go before ``turn`` and itself; 0 if it waits no more."""
        with self._lock:
            return self._waiting.index(turn) + 1 if turn in self._waiting else 0

    def leave(self, turn: threading.Event) -> None:
        """Give the slot back, or one's place in the queue."""
        with self._lock:
            if turn in self._waiting:
                self._waiting.remove(turn)
                return
            self._inside -= 1
            if self._waiting and self._inside < self.number:
                self._inside += 1
                self._waiting.popleft().set()


class SessionModel:
    """A session's view of a shared model: its replies wait in the queue, and a stop reaches them there too.

    Args:
        name: what the user calls it.
        load: returns the model, fetching and loading it if need be.
        slots: the model's queue.
        changed: told when the place in the queue may have changed.
    """

    def __init__(
        self, name: str, load: Callable[[], ChatModel], slots: Slots, changed: Callable[[], None] = lambda: None
    ) -> None:
        self.name = name
        self._load = load
        self._slots = slots
        self._changed = changed
        self._reply: _QueuedReply | None = None

    @property
    def context_tokens(self) -> int:
        return self._load().context_tokens

    @property
    def sees_images(self) -> bool:
        """Whether it can be shown pictures."""
        return sees_images(self._load())

    @property
    def position(self) -> int:
        """The place in the queue; 0 if it does not wait."""
        reply = self._reply
        return self._slots.position(reply.turn) if reply is not None else 0

    def stream(self, messages: Sequence[Message], generation: Generation = GREEDY) -> ReplyStream:
        model = self._load()
        self._reply = _QueuedReply(lambda: model.stream(messages, generation), self._slots, self._changed)
        return self._reply

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return self._load().count_tokens(messages)

    def cancel(self) -> None:
        """End the reply that is waited for or generated, from any thread."""
        reply = self._reply
        if reply is not None:
            reply.cancel()

    def close(self) -> None:
        """Do nothing: the model belongs to whoever shares it."""


class _QueuedReply:
    def __init__(self, begin: Callable[[], ReplyStream], slots: Slots, changed: Callable[[], None]) -> None:
        self.turn = threading.Event()
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self._begin = begin
        self._slots = slots
        self._changed = changed
        self._reply: ReplyStream | None = None
        self._cancelled = False
        self._left = False
        self._leaving = threading.Lock()
        slots.enter(self.turn)

    def __enter__(self) -> ReplyStream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        try:
            if self._reply is not None:
                self._reply.__exit__(*exc_info)
                self.finish_reason, self.usage = self._reply.finish_reason, self._reply.usage
        finally:
            self._leave()

    def __iter__(self) -> Iterator[str]:
        if self._reply is None:
            if not self.turn.is_set():
                self._changed()
                self.turn.wait()
                self._changed()
            if self._cancelled:
                self.finish_reason, self.usage = "cancelled", Usage()
                return
            self._reply = self._begin()
            self._reply.__enter__()
            if self._is_cancelled():  # since it was looked at
                self._reply.cancel()
        yield from self._reply
        self.finish_reason, self.usage = self._reply.finish_reason, self._reply.usage

    def cancel(self) -> None:
        self._cancelled = True
        if self._reply is not None:
            self._reply.cancel()
        elif not self.turn.is_set():
            self._leave()
            self.turn.set()

    def _is_cancelled(self) -> bool:
        return self._cancelled

    def _leave(self) -> None:
        with self._leaving:
            if self._left:
                return
            self._left = True
        self._slots.leave(self.turn)
        self._changed()

"""Asking a model, so that a reply is never generated twice, never endless, and a passing fault ends nothing."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ContextLengthError, ModelConnectionError, ModelError, RateLimitError
from opencodeinterpreter.models.base import ChatModel, Generation, ReplyStream, Usage
from opencodeinterpreter.models.response_cache import Reply, ResponseCache, Tokens, response_key

_CHECK_EVERY = 256
"""Characters between two looks for repetition."""
_REPEATED_CHARACTERS, _REPEATED_TIMES, _LONGEST_UNIT = 1000, 8, 125


class Stopped(Exception):  # noqa: N818 - not an error
    """The run is being ended; what was half done is done again by the next one."""


class Asker:
    """One model with the replies it has given so far. Threads may share one.

    Args:
        model: whom to ask.
        identity: what identifies the model in the cache: the hash of its file where there is one.
        cache: replies of this and earlier runs.
        pauses: seconds to wait before each further try after a fault of the connection.
    """

    def __init__(
        self, model: ChatModel, identity: str, cache: ResponseCache, pauses: Sequence[float] = (2.0, 10.0, 30.0)
    ) -> None:
        self.model = model
        self._identity, self._cache, self._pauses = identity, cache, tuple(pauses)
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._streams: set[ReplyStream] = set()

    def ask(self, messages: Sequence[Message], generation: Generation) -> Reply:
        """Return the model's reply.

        Raises:
            Stopped: after ``stop()``.
            ModelError: the model failed, and trying again did not help.
        """
        if self._stop.is_set():
            raise Stopped
        key = response_key(self._identity, messages, generation)
        if (known := self._cache.get(key)) is not None:
            return known
        reply = self._generated(messages, generation)
        if not for_want_of_context(reply, generation):
            self._cache.put(key, reply)
        return reply

    def stop(self) -> None:
        """End every reply that is being generated, from any thread; whoever waits for one gets ``Stopped``."""
        self._stop.set()
        with self._lock:
            streams = list(self._streams)
        for stream in streams:
            stream.cancel()

    def _generated(self, messages: Sequence[Message], generation: Generation) -> Reply:
        for pause in (*self._pauses, None):
            try:
                return self._one_reply(messages, generation)
            except ContextLengthError:
                return Reply("", "context")
            except (ModelConnectionError, RateLimitError) as error:
                if pause is None:
                    raise type(error)(f"{error} ({len(self._pauses) + 1} tries)") from error
                if self._stop.wait(pause):
                    raise Stopped from error
        raise AssertionError

    def _one_reply(self, messages: Sequence[Message], generation: Generation) -> Reply:
        began = time.monotonic()
        parts: list[str] = []
        length = looked = 0
        repeated = False
        with self.model.stream(messages, generation) as stream:
            with self._lock:
                self._streams.add(stream)
            try:
                for part in stream:
                    parts.append(part)
                    length += len(part)
                    if length - looked >= _CHECK_EVERY:
                        looked = length
                        if repeated := repeats_itself("".join(parts)):
                            break
            finally:
                with self._lock:
                    self._streams.discard(stream)
            finish = stream.finish_reason
        # Leaving the block settles what a reply cost that was cut.
        usage = stream.usage
        if self._stop.is_set() and finish != "stop" and not repeated:
            # Cancelled, and so not the reply that this model gives.
            raise Stopped
        if finish is None and not repeated:
            raise ModelError(f"the model {self.model.name} ended a reply without saying why")
        return Reply(
            "".join(parts), "repetition" if repeated else str(finish), _tokens(usage), time.monotonic() - began
        )


def for_want_of_context(reply: Reply, generation: Generation) -> bool:
    """Hold for a reply that a longer context would have changed: it is no answer for a run with another one."""
    written = reply.tokens.completion
    return reply.finish == "context" or (
        reply.finish == "length" and written is not None and written < generation.max_tokens
    )


def repeats_itself(text: str) -> bool:
    """Hold for a text whose end is nothing but one piece over and over, as an endless reply has it.

    A long literal of equal numbers is a repetition too: a thousand characters of it are no part of a solution.
    """
    tail = text[-_REPEATED_CHARACTERS:]
    if len(tail) < _REPEATED_CHARACTERS:
        return False
    longest = min(_LONGEST_UNIT, _REPEATED_CHARACTERS // _REPEATED_TIMES)
    # A text has the period p where it equals itself moved by p.
    return any(tail[unit:] == tail[:-unit] for unit in range(1, longest + 1))


def _tokens(usage: Usage | None) -> Tokens:
    if usage is None:
        return Tokens()
    return Tokens(usage.prompt_tokens, usage.cached_prompt_tokens, usage.completion_tokens)

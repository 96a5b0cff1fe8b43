"""A model that says what it was told to say, for tests of whatever stands on a model."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import InputError, ModelError
from opencodeinterpreter.models.base import FinishReason, Generation, ReplyStream, Usage
from opencodeinterpreter.models.estimate import estimate_tokens

ScriptedReply = str | Callable[[Sequence[Message]], str]
GREEDY = Generation()


class ScriptedModel:
    """Gives the replies of a script, one a request, in small pieces as a real model does.

    Args:
        replies: texts, or functions that make a text from the messages.
        name: what it is called.
        delta_characters: how long each piece of a reply is.
        delay_seconds: the pause before each piece.
        context_tokens: what it claims to read.
    """

    def __init__(
        self,
        replies: Sequence[ScriptedReply],
        *,
        name: str = "scripted",
        delta_characters: int = 4,
        delay_seconds: float = 0.0,
        context_tokens: int = 8192,
    ) -> None:
        self.name = name
        self.context_tokens = context_tokens
        self.requests: list[tuple[Message, ...]] = []
        """The messages of every request so far."""
        self.generations: list[Generation] = []
        """How each of them was to be decoded."""
        self.closed = False
        self._replies = list(replies)
        self._delta = max(1, delta_characters)
        self._delay = delay_seconds
        self._lock = threading.Lock()

    @classmethod
    def from_file(cls, path: Path) -> ScriptedModel:
        """Read a JSON file: a list of texts, or an object with ``replies`` and arguments of the class.

        Raises:
            InputError: if it is not one.
        """
        try:
            row = json.loads(path.read_text(encoding="utf-8"))
        except OSError as error:
            raise InputError(f"the script {path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise InputError(f"the script {path} is not JSON: {error}") from error
        options = row if isinstance(row, dict) else {"replies": row}
        replies = options.get("replies")
        known = {"replies", "delta_characters", "delay_seconds", "context_tokens"}
        if not isinstance(replies, list) or not all(isinstance(reply, str) for reply in replies):
            raise InputError(f"the script {path} must be a list of replies, each a text")
        if extra := sorted(set(options) - known):
            raise InputError(f"the script {path} has a setting that is not known: {extra[0]}")
        return cls(name=f"scripted:{path}", **options)

    def stream(self, messages: Sequence[Message], generation: Generation = GREEDY) -> ReplyStream:
        with self._lock:
            number = len(self.requests)
            self.requests.append(tuple(messages))
            self.generations.append(generation)
            if self.closed:
                raise ModelError(f"the model {self.name} has been closed")
            if number >= len(self._replies):
                raise ModelError(
                    f"the script of {self.name} has {len(self._replies)} replies, and one more was asked for"
                )
            reply = self._replies[number]
        text = reply if isinstance(reply, str) else reply(messages)
        finish: FinishReason = "stop"
        for stop in generation.stop:
            text = text.split(stop, 1)[0]
        if len(text) > 4 * generation.max_tokens:
            text, finish = text[: 4 * generation.max_tokens], "length"
        return _ScriptedReply(text, finish, self.count_tokens(messages), self._delta, self._delay)

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return estimate_tokens(messages)

    def close(self) -> None:
        self.closed = True


class _ScriptedReply:
    def __init__(
        self, text: str, finish: FinishReason, prompt_tokens: int, delta_characters: int, delay_seconds: float
    ) -> None:
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self._text, self._finish, self._prompt_tokens = text, finish, prompt_tokens
        self._delta, self._delay = delta_characters, delay_seconds
        self._given = 0
        self._cancelled = threading.Event()
        self._started = time.monotonic()

    def __enter__(self) -> ReplyStream:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.cancel()
        self._settle()

    def __iter__(self) -> Iterator[str]:
        while self._given < len(self._text) and not self._waited():
            piece = self._text[self._given : self._given + self._delta]
            self._given += len(piece)
            yield piece
        self._settle()

    def _settle(self) -> None:
        if self.finish_reason is None:
            cancelled = self._cancelled.is_set() and self._given < len(self._text)
            self.finish_reason = "cancelled" if cancelled else self._finish
            seconds = time.monotonic() - self._started
            self.usage = Usage(
                prompt_tokens=self._prompt_tokens,
                cached_prompt_tokens=0,
                completion_tokens=self._given // 4,
                prompt_seconds=0.0,
                completion_seconds=seconds,
                total_seconds=seconds,
            )

    def _waited(self) -> bool:
        """Wait for the next piece; true if the reply was cancelled meanwhile."""
        return self._cancelled.wait(self._delay) if self._delay else self._cancelled.is_set()

    def cancel(self) -> None:
        self._cancelled.set()

"""The contract that every model back-end keeps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

from opencodeinterpreter.dialog import Message

FinishReason = Literal["stop", "length", "cancelled"]


@dataclass(frozen=True)
class Generation:
    """How a reply is generated. The defaults are the published protocol's: greedy, 1,024 new tokens."""

    max_tokens: int = 1024
    temperature: float = 0.0
    """0 is greedy."""
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    """Texts that end the reply; not part of it."""


@dataclass(frozen=True)
class Usage:
    """What one reply cost. Times are seconds; a count that the back-end does not report is None."""

    prompt_tokens: int | None = None
    cached_prompt_tokens: int | None = None
    """Of ``prompt_tokens``, those that were not evaluated again because the engine still had them."""
    completion_tokens: int | None = None
    prompt_seconds: float | None = None
    completion_seconds: float | None = None
    total_seconds: float | None = None


class ReplyStream(Protocol):
    """One reply as it is generated: iterate over it for its text.

    Use it in a ``with`` block; leaving the block early ends the generation in the engine too, and it is
    allowed to ``cancel()`` from any thread at any time. An iteration that was cancelled ends as if the
    reply had ended there.
    """

    finish_reason: FinishReason | None
    """None until the iteration has ended."""
    usage: Usage | None
    """None until the iteration has ended; always there afterwards, for a cancelled reply too."""

    def __enter__(self) -> ReplyStream: ...

    def __exit__(self, *exc_info: object) -> None: ...

    def __iter__(self) -> Iterator[str]: ...

    def cancel(self) -> None: ...


@runtime_checkable
class ChatModel(Protocol):
    """Turns messages into a streamed reply. Threads may share one; it queues or serves them side by side.

    One that can be shown the pictures of messages says so by an attribute ``sees_images`` that is true; for all others
    messages are text.
    """

    name: str
    """What the user called it."""
    context_tokens: int
    """Prompt and reply together may not be longer than this."""

    def stream(self, messages: Sequence[Message], generation: Generation = ...) -> ReplyStream:
        """Start a reply to ``messages`` (in order; system first if there is one).

        Where the last message is an assistant's, the reply goes on from its end; what was there already is not given
        again. Some endpoints cannot do that, and begin anew.

        Raises (here or while the reply is iterated):
            ContextLengthError: the messages do not fit.
            ModelConnectionError, ModelAuthError, RateLimitError: the endpoint's fault.
            ModelError: anything else that went wrong in the engine.
        """
        ...

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return how many tokens the messages take as a prompt; an estimate where there is no tokenizer."""
        ...

    def close(self) -> None:
        """Free what the model holds; safe to call twice."""
        ...


def sees_images(model: ChatModel) -> bool:
    """Return whether a model can be shown pictures."""
    return bool(getattr(model, "sees_images", False))

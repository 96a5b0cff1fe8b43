"""A model whose replies end where their first code action closes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.interpreter.code_actions import CodeActionReader
from opencodeinterpreter.models.base import ChatModel, FinishReason, Generation, ReplyStream, Usage


class CutModel:
    """Another model, kept from going on after its code: what it would write there is an invented output.

    Args:
        model: writes the replies; it stays the caller's to close.
    """

    def __init__(self, model: ChatModel) -> None:
        self._model = model
        self.name = model.name
        self.context_tokens = model.context_tokens

    def stream(self, messages: Sequence[Message], generation: Generation = Generation()) -> ReplyStream:  # noqa: B008
        return _CutReply(self._model.stream(messages, generation))

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return self._model.count_tokens(messages)

    def close(self) -> None:
        self._model.close()


class _CutReply:
    def __init__(self, stream: ReplyStream) -> None:
        self.finish_reason: FinishReason | None = None
        self.usage: Usage | None = None
        self._stream = stream
        self._cut = False

    def __enter__(self) -> ReplyStream:
        self._stream.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._stream.__exit__(*exc_info)
        self._settle()

    def __iter__(self) -> Iterator[str]:
        reader = CodeActionReader()
        length = 0
        for delta in self._stream:
            action = reader.feed(delta)
            if action is not None:
                self._cut = True
                yield delta[: max(0, action.end - length)]
                break
            length += len(delta)
            yield delta
        self._settle()

    def cancel(self) -> None:
        self._stream.cancel()

    def _settle(self) -> None:
        """Say what the stream says; what it cost is known only once a cut one has been left."""
        self.finish_reason = "stop" if self._cut else self._stream.finish_reason
        self.usage = self._stream.usage

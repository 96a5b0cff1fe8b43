"""Checkpoints by name or path, and GGUF files dequantized, by the ``transformers`` library (an extra)."""

from __future__ import annotations

import gc
import logging
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ContextLengthError, MissingExtraError, ModelError
from opencodeinterpreter.models.base import Generation, ReplyStream
from opencodeinterpreter.models.batching import Batch
from opencodeinterpreter.models.checkpoint import Checkpoint, load_checkpoint
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.streaming import Sink, ThreadedReply

logger = logging.getLogger(__name__)

GREEDY = Generation()
FALLBACK_TEMPLATE = (
    "{% for message in messages %}"
    "{{ {'system': '', 'user': '### Instruction:\n', 'assistant': '### Response:\n'}[message['role']] }}"
    "{{ message['content'] }}\n"
    "{% endfor %}"
    "{% if add_generation_prompt %}{{ '### Response:\n' }}{% endif %}"
)
"""For a checkpoint that brings no chat template, such as a base model."""
_FALLBACK_STOPS = ("\n### Instruction:",)


class TransformersModel:
    """A checkpoint that runs in this process.

    Args:
        source: a name on the hub, a folder, or a GGUF file.
        name: what the user called it.
        context_tokens: prompt and reply together; no more than the model was trained for is used.
        parallel: how many replies are generated side by side; others wait.
        sources: which hub, with which token.

    Raises:
        MissingExtraError: if the extra is not installed.
        UnknownModelError, DownloadError, ModelFileError: if the checkpoint cannot be had or used.
    """

    def __init__(
        self,
        source: str | Path,
        *,
        name: str,
        context_tokens: int = 8192,
        parallel: int = 1,
        sources: Sources | None = None,
    ) -> None:
        try:
            import torch  # noqa: F401
            import transformers  # noqa: F401
        except ImportError as error:
            raise MissingExtraError("the transformers back-end", "transformers") from error
        self.name = name
        self._checkpoint: Checkpoint | None = load_checkpoint(source, name, sources or Sources())
        self.context_tokens = min(context_tokens, self._checkpoint.trained_tokens or context_tokens)
        self.fallback_template = not self._checkpoint.tokenizer.chat_template
        """Whether the checkpoint brings no chat template, so that a plain one is used."""
        if self.fallback_template:
            logger.warning("%s has no chat template; a plain one is used", name)
            self._checkpoint.tokenizer.chat_template = FALLBACK_TEMPLATE
        self._batch: Batch | None = Batch(self._checkpoint, parallel)
        self._lock = threading.Lock()
        self._running: list[tuple[Sink, threading.Thread]] = []

    def stream(self, messages: Sequence[Message], generation: Generation = GREEDY) -> ReplyStream:
        with self._lock:
            checkpoint, batch = self._opened(), self._batch
            assert batch is not None
            if self.fallback_template:
                generation = replace(generation, stop=(*generation.stop, *_FALLBACK_STOPS))
            reply = ThreadedReply(lambda sink: self._produce(checkpoint, batch, messages, generation, sink))
            self._running = [each for each in self._running if each[1].is_alive()]
            self._running.append((reply.sink, reply.thread))
        return reply

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the exact length of the prompt."""
        return len(_tokens(self._opened(), messages))

    def close(self) -> None:
        with self._lock:
            batch, self._checkpoint, self._batch = self._batch, None, None
            running, self._running = self._running, []
        for sink, _ in running:
            sink.cancel()
        for _, thread in running:
            thread.join()
        if batch is not None:
            batch.close()
        gc.collect()

    def _opened(self) -> Checkpoint:
        if self._checkpoint is None:
            raise ModelError(f"the model {self.name} has been closed")
        return self._checkpoint

    def _produce(
        self, checkpoint: Checkpoint, batch: Batch, messages: Sequence[Message], generation: Generation, sink: Sink
    ) -> None:
        tokens = _tokens(checkpoint, messages)
        length = len(tokens)
        if length >= self.context_tokens:
            raise ContextLengthError(
                f"the dialog is {length} tokens long, and the model reads at most {self.context_tokens}"
            )
        sink.usage = replace(sink.usage, prompt_tokens=length, cached_prompt_tokens=0, completion_tokens=0)
        batch.generate(tokens, generation, min(generation.max_tokens, self.context_tokens - length), sink)


def _tokens(checkpoint: Checkpoint, messages: Sequence[Message]) -> list[int]:
    """Return the tokens of the messages by the checkpoint's own template."""
    rows = [{"role": message.role, "content": message.content} for message in messages]
    try:
        return _templated(checkpoint, rows)
    except ModelError:
        # Some templates know no system message; its text then opens the user's first one.
        if len(rows) < 2 or rows[0]["role"] != "system":
            raise
    merged = {"role": "user", "content": f"{rows[0]['content']}\n\n{rows[1]['content']}"}
    return _templated(checkpoint, [merged, *rows[2:]])


def _templated(checkpoint: Checkpoint, rows: list[dict[str, str]]) -> list[int]:
    try:
        goes_on = rows[-1]["role"] == "assistant"
        found = checkpoint.tokenizer.apply_chat_template(
            rows, add_generation_prompt=not goes_on, continue_final_message=goes_on, return_dict=True
        )
    except Exception as error:
        if type(error).__module__.startswith("jinja2"):
            raise ModelError(f"the model's chat template refuses the dialog: {error}") from error
        raise
    return list(found["input_ids"])

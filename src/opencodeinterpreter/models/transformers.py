"""Checkpoints by name or path, and GGUF files dequantized, by the ``transformers`` library (an extra)."""

from __future__ import annotations

import gc
import logging
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ContextLengthError, MissingExtraError, ModelError
from opencodeinterpreter.models.base import Generation, ReplyStream
from opencodeinterpreter.models.checkpoint import Checkpoint, load_checkpoint
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.stops import StopFilter
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
    """A checkpoint that runs in this process; replies are generated one after the other.

    Args:
        source: a name on the hub, a folder, or a GGUF file.
        name: what the user called it.
        context_tokens: prompt and reply together; no more than the model was trained for is used.
        sources: which hub, with which token.

    Raises:
        MissingExtraError: if the extra is not installed.
        UnknownModelError, DownloadError, ModelFileError: if the checkpoint cannot be had or used.
    """

    def __init__(
        self, source: str | Path, *, name: str, context_tokens: int = 8192, sources: Sources | None = None
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
        self._turn = threading.Lock()
        self._lock = threading.Lock()
        self._running: list[tuple[Sink, threading.Thread]] = []

    def stream(self, messages: Sequence[Message], generation: Generation = GREEDY) -> ReplyStream:
        with self._lock:
            checkpoint = self._opened()
            if self.fallback_template:
                generation = replace(generation, stop=(*generation.stop, *_FALLBACK_STOPS))
            reply = ThreadedReply(lambda sink: self._produce(checkpoint, messages, generation, sink))
            self._running = [each for each in self._running if each[1].is_alive()]
            self._running.append((reply.sink, reply.thread))
        return reply

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the exact length of the prompt."""
        return int(_prompt(self._opened(), messages)["input_ids"].shape[1])

    def close(self) -> None:
        with self._lock:
            self._checkpoint = None
            running, self._running = self._running, []
        for sink, _ in running:
            sink.cancel()
        for _, thread in running:
            thread.join()
        gc.collect()

    def _opened(self) -> Checkpoint:
        if self._checkpoint is None:
            raise ModelError(f"the model {self.name} has been closed")
        return self._checkpoint

    def _produce(self, checkpoint: Checkpoint, messages: Sequence[Message], generation: Generation, sink: Sink) -> None:
        prompt = _prompt(checkpoint, messages)
        length = int(prompt["input_ids"].shape[1])
        if length >= self.context_tokens:
            raise ContextLengthError(
                f"the dialog is {length} tokens long, and the model reads at most {self.context_tokens}"
            )
        sink.usage = replace(sink.usage, prompt_tokens=length, cached_prompt_tokens=0, completion_tokens=0)
        while not self._turn.acquire(timeout=0.2):
            if sink.cancelled:
                return
        try:
            if not sink.cancelled:
                _generate(
                    checkpoint, prompt, generation, min(generation.max_tokens, self.context_tokens - length), sink
                )
        finally:
            self._turn.release()


def _prompt(checkpoint: Checkpoint, messages: Sequence[Message]) -> Any:
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


def _templated(checkpoint: Checkpoint, rows: list[dict[str, str]]) -> Any:
    try:
        return checkpoint.tokenizer.apply_chat_template(
            rows, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )
    except Exception as error:
        if type(error).__module__.startswith("jinja2"):
            raise ModelError(f"the model's chat template refuses the dialog: {error}") from error
        raise


class _Detokenizer:
    """Turns tokens into text one by one, holding back characters of which only some bytes are there."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._tokens: list[int] = []
        self._start = self._given = 0

    def feed(self, token: int) -> str:
        self._tokens.append(token)
        return self._new(whole=True)

    def rest(self) -> str:
        return self._new(whole=False)

    def _new(self, *, whole: bool) -> str:
        # Decoded together with the tokens before, because a tokenizer may treat the first one differently.
        before = self._text(self._tokens[self._start : self._given])
        now = self._text(self._tokens[self._start :])
        if len(now) <= len(before) or (whole and now.endswith("\ufffd")):
            return ""
        self._start, self._given = self._given, len(self._tokens)
        return now[len(before) :]

    def _text(self, tokens: list[int]) -> str:
        return str(self._tokenizer.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False))


def _generate(checkpoint: Checkpoint, prompt: Any, generation: Generation, max_tokens: int, sink: Sink) -> None:
    import torch
    import transformers

    started = time.monotonic()
    length = int(prompt["input_ids"].shape[1])
    stops = StopFilter(generation.stop)
    first: list[float] = []

    detokenizer = _Detokenizer(checkpoint.tokenizer)

    class Watch(transformers.StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Any, *_: Any, **__: Any) -> Any:
            now = time.monotonic()
            sink.put(stops.feed(detokenizer.feed(int(input_ids[0, -1]))))
            first.append(now)
            sink.usage = replace(
                sink.usage,
                completion_tokens=int(input_ids.shape[1]) - length,
                prompt_seconds=first[0] - started,
                completion_seconds=now - first[0],
            )
            ended = sink.cancelled or stops.stopped
            return torch.full((input_ids.shape[0],), ended, device=input_ids.device, dtype=torch.bool)

    sampling: dict[str, Any] = {"do_sample": False}
    if generation.temperature > 0:
        sampling = {
            "do_sample": True,
            "temperature": generation.temperature,
            "top_p": generation.top_p,
            "top_k": 0,
        }
    config = transformers.GenerationConfig(
        max_new_tokens=max_tokens, eos_token_id=checkpoint.ends, pad_token_id=checkpoint.ends[0], **sampling
    )
    # The seed is given back, so that a reply changes nothing for others who draw from torch.
    with torch.random.fork_rng(enabled=generation.seed is not None), torch.inference_mode():
        if generation.seed is not None:
            torch.manual_seed(generation.seed)
        tokens = checkpoint.model.generate(
            **prompt.to(checkpoint.model.device),
            generation_config=config,
            stopping_criteria=transformers.StoppingCriteriaList([Watch()]),
        )
    sink.put(stops.feed(detokenizer.rest()) + stops.rest())
    ended = stops.stopped or int(tokens[0, -1]) in checkpoint.ends
    sink.finish_reason = "stop" if ended else "length"

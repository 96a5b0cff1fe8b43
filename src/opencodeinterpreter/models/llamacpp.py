"""The embedded engine: llama.cpp's own server, in this process, by ``xllamacpp``."""

from __future__ import annotations

import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ContextLengthError, ModelError, ModelFileError
from opencodeinterpreter.models import gguf_file
from opencodeinterpreter.models.base import Generation, ReplyStream, Usage
from opencodeinterpreter.models.processors import physical_cores
from opencodeinterpreter.models.streaming import Sink, ThreadedReply

if TYPE_CHECKING:
    import httpx

GREEDY = Generation()
_PROCESSOR_BATCH = 128
"""Prompt tokens evaluated in one step without a GPU. A cancelled prompt ends at the next step; measured, smaller
steps cost speed (4 to 7 % at 64) and larger ones gain none."""
_FOLDER = "ocint-engine-"
_LOOKUP_TOKENS, _PROPOSED_TOKENS = 16, 24
_CACHE_MIB = 1024
"""Memory for the prompts of other sessions, from which the engine goes on when they come back."""


class _Engine:
    """The only place that holds the engine, whose memory is freed when its last reference goes.

    A local variable in a frame that some exception remembers would keep it.
    """

    server: Any = None


class LlamaCppModel:
    """A GGUF file, run in this process.

    Args:
        name: what the user called it.
        path: the file; it is trusted to be whole (see :mod:`gguf_file` for others).
        context_tokens: prompt and reply together; no more than the model was trained for is used.
        threads: None for as many as there are physical cores.
        adapters: LoRA files to apply.
        parallel: how many replies are generated side by side; each has a context of its own.

    Raises:
        ModelFileError: if the engine cannot open the file.
    """

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        context_tokens: int = 8192,
        threads: int | None = None,
        adapters: Sequence[Path] = (),
        parallel: int = 1,
    ) -> None:
        self.name = name
        self.path = path
        self._running: list[tuple[Sink, threading.Thread]] = []
        self._lock = threading.Lock()
        self._closed = False
        self._folder = _socket_folder()
        self._engine = _Engine()
        self._http: httpx.Client | None = None
        try:
            self._engine.server = _open(path, self._folder, context_tokens, threads, adapters, parallel)
            self._http = _client(self._folder)
            self.context_tokens = min(context_tokens, self._slot_tokens())
        except BaseException:
            self.close()
            raise

    def stream(self, messages: Sequence[Message], generation: Generation = GREEDY) -> ReplyStream:
        request = _request(messages, generation)
        with self._lock:
            engine = self._opened()
            reply = ThreadedReply(lambda sink: _produce(engine, request, sink))
            # Not the reply itself: one that nobody holds any more is cancelled.
            self._running = [each for each in self._running if each[1].is_alive()]
            self._running.append((reply.sink, reply.thread))
        return reply

    def count_tokens(self, messages: Sequence[Message]) -> int:
        """Return the exact length of the prompt, by the model's own template and tokenizer."""
        self._opened()
        answer = self._ask("POST", "/chat/completions/input_tokens", {"messages": _rows(messages)})
        return int(answer["input_tokens"])

    def close(self) -> None:
        with self._lock:
            self._closed = True
            running, self._running = self._running, []
        for sink, _ in running:
            sink.cancel()
        for _, thread in running:
            thread.join()
        if self._http is not None:
            self._http.close()
        self._engine.server = None
        shutil.rmtree(self._folder, ignore_errors=True)

    def __enter__(self) -> LlamaCppModel:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def _opened(self) -> _Engine:
        if self._engine.server is None or self._closed:
            raise ModelError(f"the model {self.name} has been closed")
        return self._engine

    def _ask(self, method: str, path: str, body: Any) -> Any:
        assert self._http is not None
        response = self._http.request(method, path, json=body)
        answer = response.json()
        if response.status_code != 200:
            raise _error_of(answer.get("error", {}))
        return answer

    def _slot_tokens(self) -> int:
        slots = self._ask("GET", "/slots", None)
        return int(slots[0]["n_ctx"])


def _open(
    path: Path,
    folder: Path,
    context_tokens: int,
    threads: int | None,
    adapters: Sequence[Path],
    parallel: int,
) -> Any:
    try:
        import xllamacpp
    except ImportError as error:
        raise ModelError("the embedded engine is not installed here: pip install xllamacpp") from error
    params = xllamacpp.CommonParams()
    params.model.path = str(path)
    params.n_ctx = context_tokens * parallel
    params.n_parallel = parallel
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = threads or physical_cores()
    params.cache_ram_mib = _CACHE_MIB
    params.verbosity = -1
    params.ui = False
    # A repaired program is mostly the program before: runs of tokens that follow a stretch already in the dialog are
    # proposed and checked in one step. The reply stays the same; a refinement comes in about half the time.
    params.speculative.types = [xllamacpp.common_speculative_type.COMMON_SPECULATIVE_TYPE_NGRAM_SIMPLE]
    params.speculative.ngram_simple.size_n = _LOOKUP_TOKENS
    params.speculative.ngram_simple.size_m = _PROPOSED_TOKENS
    # What the model writes is what the caller gets: no thoughts are taken out. (The engine's switch for pure content
    # would also drop a reply that is begun in the messages.)
    params.reasoning_format = xllamacpp.common_reasoning_format.COMMON_REASONING_FORMAT_NONE
    # The engine insists on listening; a socket in a folder of our own is open to nobody else.
    params.hostnames = [str(folder / "engine.sock")]
    gpu = xllamacpp.ggml_backend_dev_type.GGML_BACKEND_DEVICE_TYPE_GPU
    if not any(device["type"] == gpu for device in xllamacpp.get_device_info()):
        params.n_batch = params.n_ubatch = _PROCESSOR_BATCH
    if adapters:
        params.lora_adapters = [_adapter(xllamacpp, adapter) for adapter in adapters]
    try:
        return xllamacpp.Server(params)
    except RuntimeError as error:
        reason = gguf_file.why_not(path) or "there is not enough memory, or an adapter does not fit"
        raise ModelFileError(f"{path} cannot be used: {reason}") from error


def _adapter(xllamacpp: Any, path: Path) -> Any:
    gguf_file.check_head(path)
    info = xllamacpp.CommonAdapterLoraInfo()
    info.path, info.scale = str(path), 1.0
    return info


def _socket_folder() -> Path:
    """Make a folder that only this user can enter, with a path short enough for a socket's address."""
    parent = Path(tempfile.gettempdir())
    if len(str(parent)) > 60:
        parent = Path("/tmp")  # noqa: S108 - mkdtemp makes a folder of our own there
    for left in parent.glob(f"{_FOLDER}*"):
        _remove_if_left(left)
    return Path(tempfile.mkdtemp(prefix=f"{_FOLDER}{os.getpid()}-", dir=parent))


def _remove_if_left(folder: Path) -> None:
    """Remove the folder of a program that was killed; one that lives, or another user's, stays."""
    import psutil

    pid = folder.name.removeprefix(_FOLDER).split("-")[0]
    try:
        if pid.isdecimal() and not psutil.pid_exists(int(pid)) and folder.lstat().st_uid == os.getuid():
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # another program was quicker
        return


def _client(folder: Path) -> httpx.Client:
    """Return a client of the engine's own HTTP side."""
    import httpx

    transport = httpx.HTTPTransport(uds=str(folder / "engine.sock"))
    return httpx.Client(transport=transport, base_url="http://engine", timeout=60)


def _rows(messages: Sequence[Message]) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def _request(messages: Sequence[Message], generation: Generation) -> dict[str, Any]:
    request: dict[str, Any] = {
        "messages": _rows(messages),
        "max_tokens": generation.max_tokens,
        "temperature": generation.temperature,
        "top_p": generation.top_p,
        # The engine's own defaults would cut the distribution further than what was asked for.
        "top_k": 0,
        "min_p": 0.0,
        "cache_prompt": True,
        "stream": True,
        # Both make the engine report at every step, so that a cancelled reply has its figures too, and a
        # long prompt can be cancelled while it is evaluated.
        "timings_per_token": True,
        "return_progress": True,
    }
    if generation.stop:
        request["stop"] = list(generation.stop)
    if generation.seed is not None:
        request["seed"] = generation.seed
    return request


def _produce(engine: _Engine, request: dict[str, Any], sink: Sink) -> None:
    """Generate one reply into the sink; returns soon after the sink was cancelled."""
    failures: list[ModelError] = []

    def receive(chunk: Any) -> bool:
        if "error" in chunk:
            failures.append(_error_of(chunk["error"]))
            return True
        for choice in chunk.get("choices", ()):
            sink.put(choice.get("delta", {}).get("content") or "")
            if choice.get("finish_reason") == "length":
                sink.finish_reason = "length"
        if "prompt_progress" in chunk:
            sink.usage = _usage_so_far(chunk["prompt_progress"])
        elif "timings" in chunk:
            sink.usage = _usage(chunk["timings"])
        return sink.cancelled

    if sink.cancelled:
        return
    try:
        engine.server.handle_chat_completions(request, receive)
    except (RuntimeError, ValueError) as error:
        raise ModelError(f"the engine cannot answer: {error}") from error
    if failures:
        raise failures[0]


def _usage(timings: dict[str, Any]) -> Usage:
    cached = int(timings["cache_n"])
    return Usage(
        prompt_tokens=cached + int(timings["prompt_n"]),
        cached_prompt_tokens=cached,
        completion_tokens=int(timings["predicted_n"]),
        prompt_seconds=timings["prompt_ms"] / 1000,
        completion_seconds=timings["predicted_ms"] / 1000,
    )


def _usage_so_far(progress: dict[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=int(progress["total"]),
        cached_prompt_tokens=int(progress["cache"]),
        completion_tokens=0,
        prompt_seconds=progress["time_ms"] / 1000,
    )


def _error_of(error: dict[str, Any]) -> ModelError:
    if error.get("type") == "exceed_context_size_error":
        return ContextLengthError(
            f"the dialog is {error['n_prompt_tokens']} tokens long, and the model reads at most {error['n_ctx']}"
        )
    return ModelError(f"the engine cannot answer: {error.get('message', 'no reason given')}")

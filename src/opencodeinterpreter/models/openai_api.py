"""Any server that speaks the OpenAI chat API, by the ``openai`` SDK."""

from __future__ import annotations

import base64
import contextlib
import functools
import socket
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import ConfigError, ModelAuthError, ModelConnectionError, ModelError, UnknownModelError
from opencodeinterpreter.models.base import Generation, ReplyStream
from opencodeinterpreter.models.catalog import suggestion
from opencodeinterpreter.models.estimate import estimate_tokens
from opencodeinterpreter.models.openai_errors import adapted, may_pass, pause_before, translated
from opencodeinterpreter.models.settings import Endpoint
from opencodeinterpreter.models.source_errors import host_of
from opencodeinterpreter.models.streaming import Sink, ThreadedReply

if TYPE_CHECKING:
    import ssl

    import openai

GREEDY = Generation()
_OPENAI_URL = "https://api.openai.com/v1"
_LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class OpenAIModel:
    """A model behind an endpoint.

    Args:
        model: its name there.
        endpoint: where it is and how long to wait for it.
        context_tokens: how long prompt and reply may be together; the endpoint has the last word.

    Raises:
        ModelAuthError: if there is no key for an endpoint that needs one.
        ConfigError: if the address is not one.
    """

    def __init__(self, model: str, endpoint: Endpoint, *, context_tokens: int = 8192) -> None:
        self.name = f"openai:{model}"
        self.context_tokens = context_tokens
        self._model, self._endpoint = model, endpoint
        self.sees_images = endpoint.vision
        self._url = endpoint.base_url or _OPENAI_URL
        parts = urlsplit(self._url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ConfigError(f"the endpoint's address must begin with http:// or https://, not {self._url[:8]!r}")
        self._host = host_of(self._url)
        self._local = parts.hostname in _LOOPBACK
        if endpoint.base_url is None and endpoint.api_key is None:
            raise ModelAuthError(
                f"openai:{model} needs a key in OPENAI_API_KEY, or the address of your own server in OPENAI_BASE_URL"
            )
        self._trust = _trust()
        self._lock = threading.Lock()
        self._sinks: list[tuple[Sink, threading.Thread]] = []
        self._closed = False
        self._unknown: set[str] = set()

    def stream(self, messages: Sequence[Message], generation: Generation = GREEDY) -> ReplyStream:
        if not self.sees_images:
            messages = [replace(message, pictures=()) if message.pictures else message for message in messages]
        request = _request(self._model, messages, generation)
        with self._lock:
            if self._closed:
                raise ModelError(f"the model {self.name} has been closed")
            reply = ThreadedReply(lambda sink: self._produce(request, sink))
            self._sinks = [each for each in self._sinks if each[1].is_alive()]
            self._sinks.append((reply.sink, reply.thread))
        return reply

    def count_tokens(self, messages: Sequence[Message]) -> int:
        return estimate_tokens(messages)

    def close(self) -> None:
        with self._lock:
            self._closed = True
            sinks, self._sinks = self._sinks, []
        for sink, _ in sinks:
            sink.cancel()

    def _client(self, line: _Line) -> openai.OpenAI:
        """Return a client of its own for one reply, so that cutting its connection cuts nothing else."""
        import openai

        timeout = openai.Timeout(self._endpoint.first_token_seconds, connect=self._endpoint.connect_seconds)
        # The SDK's own class: which HTTP library it stands on differs between its releases.
        http = openai.DefaultHttpxClient(
            # A proxy from the environment cannot reach this machine's own loopback.
            trust_env=not self._local,
            verify=self._trust,
            timeout=timeout,
            follow_redirects=True,
            event_hooks={"request": [line.watch]},
        )
        key = self._endpoint.api_key or "none"
        return openai.OpenAI(api_key=key, base_url=self._url, http_client=http, max_retries=0, timeout=timeout)

    def _produce(self, request: dict[str, Any], sink: Sink) -> None:
        line = _Line()
        sink.on_cancel = line.cut
        with self._client(line) as client:
            try:
                stream = self._connected(client, request, sink)
                if stream is not None:
                    with stream:
                        _Reader(sink, self._endpoint, self._host, request["model"]).read(stream)
            except ModelError:
                if not sink.cancelled:
                    raise
            except Exception as error:
                # A connection that was cut on purpose fails in ways that differ by moment and transport.
                if not sink.cancelled:
                    raise self._meaning(error) from error

    def _connected(self, client: openai.OpenAI, request: dict[str, Any], sink: Sink) -> Any:
        """Send the request until a reply begins; None if it was cancelled."""
        import openai

        request = {key: value for key, value in request.items() if key not in self._unknown}
        tries = 0
        while not sink.cancelled:
            late = ModelConnectionError(
                f"the endpoint {self._host} sent no text within {self._endpoint.first_token_seconds:.0f} s"
            )
            sink.patience = (time.monotonic() + self._endpoint.first_token_seconds, late)
            try:
                return client.chat.completions.create(**request)
            except openai.APIError as error:
                sink.patience = None
                tries += 1
                changed = adapted(request, error)
                if changed is not None:
                    self._unknown |= set(request) - set(changed)
                    request = changed
                    continue
                if not may_pass(error) or tries > self._endpoint.retries:
                    self._explain_unknown(client, error)
                    raise translated(error, self._model, self._host, tries) from error
                if sink.wait(pause_before(error, tries - 1)):
                    return None
        return None

    def _explain_unknown(self, client: openai.OpenAI, error: openai.APIError) -> None:
        """Raise what is known better than the endpoint says it: that it has no such model, or no such API."""
        import openai

        if not isinstance(error, openai.APIStatusError) or error.status_code not in {400, 404}:
            return
        try:
            names = sorted(model.id for model in client.models.list())
        except Exception as other:
            if error.status_code == 404:
                raise ModelConnectionError(
                    f"the endpoint {self._host} has no chat API at this address (404): it usually ends in /v1"
                ) from other
            return
        if self._model not in names and (error.status_code == 404 or "model" in str(error.message).lower()):
            near = suggestion(self._model, names[:50])
            raise UnknownModelError(f"the endpoint {self._host} has no model {self._model!r}: {near}") from error

    def _meaning(self, error: Exception) -> ModelError:
        import openai

        broken = isinstance(error, openai.APIConnectionError)
        if isinstance(error, openai.APIError) and not broken:
            return translated(error, self._model, self._host, 1)
        if broken or type(error).__module__.startswith(("httpx", "httpcore")):
            return ModelConnectionError(f"the endpoint {self._host} broke the reply off")
        return ModelError(f"the endpoint {self._host} sent what is not a chat reply: {type(error).__name__}")


class _Line:
    """The sockets of one reply, so that another thread can end a wait on them."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._cut = False

    def watch(self, request: Any) -> None:
        request.extensions = {**request.extensions, "trace": self._trace}

    def _trace(self, event: str, info: dict[str, Any]) -> None:
        if event.endswith(("connect_tcp.complete", "start_tls.complete")):
            self._sockets.append(info["return_value"].get_extra_info("socket"))
            if self._cut:
                self.cut()

    def cut(self) -> None:
        self._cut = True
        for each in self._sockets:
            # It may have been closed, or taken over by TLS, in which case the next one is it.
            with contextlib.suppress(OSError, AttributeError):
                each.shutdown(socket.SHUT_RDWR)


class _Reader:
    """Reads the chunks of one reply into a sink."""

    def __init__(self, sink: Sink, endpoint: Endpoint, host: str, model: str) -> None:
        self._sink, self._endpoint, self._host, self._model = sink, endpoint, host, model
        self._finished = False
        self._started = time.monotonic()
        self._first: float | None = None

    def read(self, stream: Any) -> None:
        kind = stream.response.headers.get("content-type", "")
        if kind.startswith("text/html"):
            raise ModelConnectionError(
                f"the endpoint {self._host} sent a web page: its address is probably wrong, it usually ends in /v1"
            )
        if kind.startswith("application/json"):
            # Some servers do not stream.
            self._whole(stream.response)
            return
        for chunk in stream:
            if self._sink.cancelled:
                return
            self._take(chunk)
        if not self._finished and not self._sink.cancelled:
            raise ModelConnectionError(f"the endpoint {self._host} broke the reply off")

    def _take(self, chunk: Any) -> None:
        for choice in chunk.choices or ():
            delta = choice.delta
            text = (delta.content or "") if delta is not None else ""
            # Thoughts are not part of the reply, but a model that thinks has not stopped.
            thought = (getattr(delta, "model_extra", None) or {}) if delta is not None else {}
            if text or thought.get("reasoning_content") or thought.get("reasoning"):
                self._alive()
            self._sink.put(text)
            if choice.finish_reason is not None:
                self._finished = True
                self._sink.finish_reason = "length" if choice.finish_reason == "length" else "stop"
        if chunk.usage is not None:
            self._count(chunk.usage.model_dump())

    def _whole(self, response: Any) -> None:
        response.read()
        body = response.json()
        choice = body["choices"][0]
        self._alive()
        self._sink.put(choice["message"].get("content") or "")
        self._sink.finish_reason = "length" if choice.get("finish_reason") == "length" else "stop"
        self._count(body.get("usage") or {})

    def _alive(self) -> None:
        now = time.monotonic()
        if self._first is None:
            self._first = now
        seconds = self._endpoint.idle_seconds
        late = ModelConnectionError(f"the endpoint {self._host} sent nothing more for {seconds:.0f} s")
        self._sink.patience = (now + seconds, late)
        self._sink.usage = replace(
            self._sink.usage, prompt_seconds=self._first - self._started, completion_seconds=now - self._first
        )

    def _count(self, usage: dict[str, Any]) -> None:
        details = usage.get("prompt_tokens_details") or {}
        self._sink.usage = replace(
            self._sink.usage,
            prompt_tokens=usage.get("prompt_tokens"),
            cached_prompt_tokens=details.get("cached_tokens"),
            completion_tokens=usage.get("completion_tokens"),
        )


@functools.cache
def _trust() -> ssl.SSLContext:
    """Return the certificates to trust, read once and not for every reply."""
    import httpx

    trust = httpx.create_ssl_context()
    trust.load_default_certs()
    return trust


def _content(message: Message) -> str | list[dict[str, Any]]:
    """Return text as it is, and with pictures the list of parts that the API has for that."""
    if not message.pictures:
        return message.content
    pictures = [
        f"data:{picture.media};base64,{base64.b64encode(picture.data).decode()}" for picture in message.pictures
    ]
    parts: list[dict[str, Any]] = [{"type": "text", "text": message.content}]
    return parts + [{"type": "image_url", "image_url": {"url": url}} for url in pictures]


def _request(model: str, messages: Sequence[Message], generation: Generation) -> dict[str, Any]:
    request: dict[str, Any] = {
        "model": model,
        "messages": [{"role": message.role, "content": _content(message)} for message in messages],
        "max_tokens": generation.max_tokens,
        "temperature": generation.temperature,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if generation.top_p != 1.0:
        request["top_p"] = generation.top_p
    if generation.seed is not None:
        request["seed"] = generation.seed
    if generation.stop:
        request["stop"] = list(generation.stop)
    if messages and messages[-1].role == "assistant":
        # vLLM and SGLang want to be told; llama-server and Ollama go on from it by themselves.
        request["extra_body"] = {"add_generation_prompt": False, "continue_final_message": True}
    return request

"""The openai back-end against a server that does everything wrong that servers do."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
from http_server import Call, LocalServer, serving

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import (
    ConfigError,
    ContextLengthError,
    ModelAuthError,
    ModelConnectionError,
    ModelError,
    RateLimitError,
    UnknownModelError,
)
from opencodeinterpreter.models import ChatModel, Endpoint, Generation, ModelSettings, ReplyStream, load_model

KEY = "sk-verysecret"
ASK = [Message("system", "Be short."), Message("user", "Say hello.")]


@contextmanager
def model_at(
    answer: Callable[[Call], None], name: str = "small", **options: float
) -> Iterator[tuple[ChatModel, LocalServer]]:
    with serving(answer) as server:
        endpoint = Endpoint(f"{server.url}/v1", KEY, **{"retries": 2, **options})  # type: ignore[arg-type]
        model = load_model(f"openai:{name}", settings=ModelSettings(endpoint=endpoint))
        yield model, server
        model.close()


def read(
    model: ChatModel, messages: Sequence[Message] = ASK, generation: Generation | None = None
) -> tuple[str, ReplyStream]:
    with model.stream(messages, generation or Generation()) as reply:
        return "".join(reply), reply


def piece(text: str | None = None, finish: str | None = None) -> dict[str, object]:
    return {
        "id": "1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "small",
        "choices": [{"index": 0, "delta": {} if text is None else {"content": text}, "finish_reason": finish}],
    }


def good(call: Call, *texts: str) -> None:
    call.start(200, "text/event-stream")
    for text in texts or ("Hel", "lo"):
        call.event(piece(text))
    call.event(piece(finish="stop"))
    usage = {
        "prompt_tokens": 9,
        "completion_tokens": 2,
        "total_tokens": 11,
        "prompt_tokens_details": {"cached_tokens": 4},
    }
    call.event({**piece(), "choices": [], "usage": usage})
    call.event("[DONE]")


def refusing(status: int, message: str, **more: object) -> Callable[[Call], None]:
    return lambda call: call.answer(status, {"error": {"message": message, **more}})


def test_a_reply_is_streamed_with_its_usage() -> None:
    with model_at(good) as (model, server):
        text, reply = read(model, generation=Generation(max_tokens=7, stop=("END",), seed=3))
    assert text == "Hello"
    assert reply.finish_reason == "stop"
    assert reply.usage is not None
    assert (reply.usage.prompt_tokens, reply.usage.cached_prompt_tokens, reply.usage.completion_tokens) == (9, 4, 2)
    assert reply.usage.total_seconds is not None
    sent = server.calls[0]
    assert sent.path == "/v1/chat/completions"
    assert sent.headers["authorization"] == f"Bearer {KEY}"
    assert sent.body["messages"] == [
        {"role": "system", "content": "Be short."},
        {"role": "user", "content": "Say hello."},
    ]
    assert (sent.body["temperature"], sent.body["max_tokens"], sent.body["stop"], sent.body["seed"]) == (
        0,
        7,
        ["END"],
        3,
    )


def test_a_reply_that_was_cut_at_its_length_says_so() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        call.event(piece("Hello"))
        call.event(piece(finish="length"))

    with model_at(answer) as (model, _):
        text, reply = read(model)
    assert (text, reply.finish_reason) == ("Hello", "length")
    assert reply.usage is not None
    assert reply.usage.completion_tokens is None


def test_a_server_that_does_not_stream_is_read_whole() -> None:
    body = {"choices": [{"message": {"role": "assistant", "content": "Hello"}, "finish_reason": "stop"}]}
    with model_at(lambda call: call.answer(200, body)) as (model, _):
        assert read(model)[0] == "Hello"


def test_a_server_that_does_not_know_stream_options_is_asked_without() -> None:
    def answer(call: Call) -> None:
        if "stream_options" in call.body:
            call.answer(400, {"error": {"message": "unexpected field stream_options"}})
        else:
            good(call)

    with model_at(answer) as (model, server):
        assert read(model)[0] == "Hello"
        assert read(model)[0] == "Hello"
    assert len(server.calls) == 3, "what the server does not know is sent once only"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_failures_that_pass_are_tried_again(status: int) -> None:
    def answer(call: Call) -> None:
        if len(server.calls) < 3:
            call.answer(status, {"error": {"message": "later"}}, Retry_After="0.05")
        else:
            good(call)

    with model_at(answer) as (model, server):
        assert read(model)[0] == "Hello"
    assert len(server.calls) == 3


def test_a_connection_that_breaks_before_the_first_text_is_tried_again() -> None:
    def answer(call: Call) -> None:
        if len(server.calls) == 1:
            call.handler.connection.close()
        else:
            good(call)

    with model_at(answer) as (model, server):
        assert read(model)[0] == "Hello"


def test_a_reply_that_breaks_after_its_first_text_is_not_repeated() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream", Content_Length="1000")
        call.event(piece("Hel"))

    with model_at(answer) as (model, server):
        texts = []
        with pytest.raises(ModelConnectionError, match="broke the reply off"), model.stream(ASK) as reply:
            texts.extend(reply)
    assert texts == ["Hel"]
    assert len(server.calls) == 1


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (refusing(401, f"Incorrect API key provided: {KEY}"), ModelAuthError, "refuses the key"),
        (refusing(403, "no"), ModelAuthError, "does not let this key use small"),
        (refusing(429, "slow down"), RateLimitError, "after 3 tries: slow down"),
        (refusing(429, "out of money", code="insufficient_quota"), RateLimitError, "after 1 tries: out of money"),
        (refusing(500, "broken"), ModelConnectionError, r"failed \(500\) 3 times: broken"),
        (refusing(400, "bad", code="context_length_exceeded"), ContextLengthError, "longer than the model reads"),
        (
            refusing(400, "This model's maximum context length is 4096 tokens. However, you requested 5000 tokens"),
            ContextLengthError,
            "4096",
        ),
        (
            refusing(400, "too big", type="exceed_context_size_error", n_prompt_tokens=5030, n_ctx=2048),
            ContextLengthError,
            "5030 tokens long, and the model reads at most 2048",
        ),
        (refusing(422, "messages must alternate"), ModelError, "refuses the request: messages must alternate"),
        (lambda call: call.answer(200, "<html>", "text/html"), ModelConnectionError, "web page"),
        (lambda call: call.answer(404, "<html>", "text/html"), ModelConnectionError, "usually ends in /v1"),
        (lambda call: call.answer(200, b"{}", "application/json"), ModelError, "not a chat reply"),
    ],
)
def test_each_refusal_is_one_clear_sentence(answer: Callable[[Call], None], kind: type[ModelError], says: str) -> None:
    def quickly(call: Call) -> None:
        if call.method == "GET":
            call.answer(404)
        else:
            answer(call)

    with model_at(quickly) as (model, _), pytest.raises(kind, match=says) as caught:
        read(model)
    assert KEY not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_error_in_the_middle_of_a_reply_is_raised() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        call.event(piece("Hel"))
        call.event({"error": {"message": "out of memory", "code": 500}})

    with model_at(answer) as (model, _), pytest.raises(ModelError, match="out of memory"):
        read(model)


def test_what_is_not_json_in_a_reply_is_an_error() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        call.event("{broken")

    with model_at(answer) as (model, _), pytest.raises(ModelError, match="not a chat reply"):
        read(model)


def test_an_unknown_model_is_answered_with_the_nearest_names() -> None:
    def answer(call: Call) -> None:
        if call.path == "/v1/models":
            call.answer(200, {"object": "list", "data": [{"id": "qwen3-coder"}, {"id": "llama"}]})
        else:
            call.answer(404, {"error": {"message": "model 'qwen-coder' not found"}})

    with model_at(answer, "qwen-coder") as (model, _), pytest.raises(UnknownModelError, match=r"mean qwen3-coder\?"):
        read(model)


def test_nobody_there() -> None:
    endpoint = Endpoint("http://127.0.0.1:9/v1", retries=1)
    model = load_model("openai:small", settings=ModelSettings(endpoint=endpoint))
    with pytest.raises(ModelConnectionError, match=r"127.0.0.1:9 cannot be reached: is the server running\? \(2 tries"):
        read(model)


def test_a_server_that_only_keeps_the_connection_alive_is_given_up() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        for _ in range(1200):
            call.write(": ping\n\n")
            time.sleep(0.05)

    with model_at(answer, first_token_seconds=0.4) as (model, _):
        started = time.monotonic()
        with pytest.raises(ModelConnectionError, match="no text within"):
            read(model)
        assert time.monotonic() - started < 30


def test_a_reply_that_stands_still_is_given_up() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        call.event(piece("Hel"))
        for _ in range(1200):
            call.write(": ping\n\n")
            time.sleep(0.05)

    with model_at(answer, idle_seconds=0.4) as (model, _), pytest.raises(ModelConnectionError, match="nothing more"):
        read(model)


def test_thinking_counts_as_life() -> None:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        for _ in range(8):
            call.event({**piece(), "choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]})
            time.sleep(0.5)
        call.event(piece("Hello", finish="stop"))

    with model_at(answer, first_token_seconds=3, idle_seconds=3) as (model, _):
        assert read(model)[0] == "Hello"


@pytest.mark.parametrize("before_headers", [True, False])
def test_cancelling_closes_the_connection(before_headers: bool) -> None:
    closed = threading.Event()
    asked = threading.Event()

    def answer(call: Call) -> None:
        if not before_headers:
            call.start(200, "text/event-stream")
            call.event(piece("Hel"))
        asked.set()
        if call.gone(60):
            closed.set()

    with model_at(answer) as (model, _):
        with model.stream(ASK) as reply:
            threading.Thread(target=lambda: asked.wait(30) and reply.cancel()).start()
            started = time.monotonic()
            text = "".join(reply)
        assert time.monotonic() - started < 30
        assert text in ({""} if before_headers else {"", "Hel"})
        assert reply.finish_reason == "cancelled"
        assert reply.usage is not None
        assert closed.wait(30), "the server still waits"


def test_leaving_the_block_early_closes_the_connection() -> None:
    closed = threading.Event()

    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        call.event(piece("Hel"))
        if call.gone(60):
            closed.set()

    with model_at(answer) as (model, _):
        with model.stream(ASK) as reply:
            for _ in reply:
                break
        assert reply.finish_reason == "cancelled"
        assert closed.wait(30)


def test_closing_the_model_ends_its_replies() -> None:
    with model_at(lambda call: call.gone(60) and None) as (model, _):
        reply = model.stream(ASK)
        model.close()
        assert list(reply) == []
        model.close()
        with pytest.raises(ModelError, match="closed"):
            model.stream(ASK)


def test_no_key_is_fine_for_an_own_server_but_not_for_the_default_one() -> None:
    with serving(good) as server:
        model = load_model("openai:small", settings=ModelSettings(endpoint=Endpoint(f"{server.url}/v1")))
        assert read(model)[0] == "Hello"
        assert KEY not in server.calls[0].headers.get("authorization", "")
    with pytest.raises(ModelAuthError, match="OPENAI_API_KEY"):
        load_model("openai:small", settings=ModelSettings(endpoint=Endpoint()))


def test_an_address_that_is_none() -> None:
    with pytest.raises(ConfigError, match="http"):
        load_model("openai:small", settings=ModelSettings(endpoint=Endpoint("localhost:8000/v1")))


def test_the_key_is_never_logged_or_shown(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with model_at(refusing(400, "no")) as (model, _), pytest.raises(ModelError):
        read(model)
    assert KEY not in caplog.text
    assert KEY not in repr(Endpoint(api_key=KEY))

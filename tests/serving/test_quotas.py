"""What a key may have: many who ask at once, and every way of asking."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import anyio
import httpx
import pytest
from serving_client import Client
from test_mcp_tools import over_http, texts

ANN = "key-of-ann-123456"
LONG = "say: " + "word " * 40
KEYS = {
    "ann": {"key": ANN, "sessions": 2, "running": 1},
    "bob": {"key": "key-of-bob-123456", "running": 1, "turn_seconds": 1},
}


@pytest.fixture
def limited(start_server) -> Any:
    return start_server(keys=KEYS)


@pytest.fixture
def ann(limited) -> Iterator[Client]:
    with limited.client(ANN) as client:
        yield client


def at_once(number: int, ask: Callable[[int], httpx.Response]) -> list[httpx.Response]:
    """Ask from so many threads at the same moment."""
    answers: list[httpx.Response] = []
    ready = threading.Barrier(number)

    def one(each: int) -> None:
        ready.wait()
        answers.append(ask(each))

    threads = [threading.Thread(target=one, args=(each,)) for each in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def codes(answers: list[httpx.Response]) -> list[int]:
    return sorted(answer.status_code for answer in answers)


def aside(client: Client, **more: Any) -> httpx.Response:
    body = {"model": "slow", "messages": [{"role": "user", "content": LONG}], **more}
    return client.post("/v1/chat/completions", json=body, headers={"X-Background-Task": "title_generation"})


def chat(client: Client, text: str, **more: Any) -> httpx.Response:
    return client.post(
        "/v1/chat/completions", json={"model": "slow", "messages": [{"role": "user", "content": text}], **more}
    )


def test_of_many_sessions_asked_for_at_once_only_those_allowed_are_made(ann: Client) -> None:
    assert codes(at_once(8, lambda _: ann.post("/api/v1/sessions", json={}))) == [201, 201] + [429] * 6
    assert len(ann.get("/api/v1/sessions").json()) == 2


def test_of_many_runs_begun_at_once_only_those_allowed_begin(ann: Client) -> None:
    sessions = [ann.new(model="slow") for _ in range(2)]
    answers = at_once(6, lambda each: ann.do(sessions[each % 2], "messages", text=LONG))
    assert codes(answers).count(202) == 1
    assert set(codes(answers)) <= {202, 409, 429}  # 409: in the very session that runs


def test_what_is_refused_makes_no_session(ann: Client) -> None:
    session = ann.new(model="slow")
    ann.do(session, "messages", text=LONG)
    assert chat(ann, "say: x").status_code == 429
    assert [row["id"] for row in ann.get("/api/v1/sessions").json()] == [session]
    ann.do(session, "stop")


def test_what_a_program_asks_by_itself_is_a_run_of_its_key(ann: Client) -> None:
    answers = at_once(4, lambda _: aside(ann))
    assert codes(answers) == [200, 429, 429, 429]
    assert "1 runs at a time" in next(each for each in answers if each.status_code == 429).text
    format_ = {"response_format": {"type": "json_object"}}
    assert codes(at_once(4, lambda _: chat(ann, LONG, **format_))) == [400, 429, 429, 429]
    session = ann.new(model="slow")
    ann.do(session, "messages", text=LONG)
    assert aside(ann).status_code == 429
    ann.do(session, "stop")
    ann.idle(session)
    assert aside(ann).status_code == 200


def test_what_a_program_asks_by_itself_may_take_as_long_as_a_turn(limited) -> None:
    with limited.client(KEYS["bob"]["key"]) as bob:
        choice = aside(bob).json()["choices"][0]
        assert choice["finish_reason"] == "length"
        assert 0 < len(choice["message"]["content"]) < 150
        refused = chat(bob, LONG, response_format={"type": "json_object"})
        assert refused.status_code == 400
        assert "within the 1 s" in refused.json()["error"]["message"]


def test_files_are_listed_while_a_run_of_the_key_goes_on(limited) -> None:
    async def test() -> None:
        async with over_http(limited.url, ANN) as client:
            put = await client.call_tool("put_file", {"name": "a.txt", "text": "a"})
            session = put.structured_content["session"]
            named = {"session": session}
            with limited.client(ANN) as ann:
                assert ann.do(session, "messages", text="run: import time; time.sleep(30)").status_code == 202
                listed = await client.call_tool("list_files", named)
                assert texts(listed) == "a.txt (1 bytes)"
                assert texts(await client.call_tool("get_file", {"path": "a.txt", **named})) == "a"
                other = await client.call_tool("run_code", {"code": "1", "session": ann.new()})
                assert other.is_error
                assert "1 runs at a time" in texts(other)
                ann.do(session, "stop")
                ann.idle(session)
                assert not (await client.call_tool("reset", named)).is_error

    anyio.run(test)


def test_who_has_read_the_answer_may_go_on_at_once_though_one_run_is_allowed(ann: Client) -> None:
    session = ann.new()
    after = 0
    for number in range(10):
        started = ann.do(session, "messages", text=f"say: {number}")
        assert started.status_code == 202, started.text
        after = ann.until(session, "answer", after=after)[-1]["seq"]

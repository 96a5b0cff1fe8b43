"""A caller that reads slowly, while the session goes on for somebody else: the application itself, asked by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_server import TOKEN, make_hub
from starlette.types import ASGIApp, Message

from opencodeinterpreter.interpreter.session_log import read_numbered
from opencodeinterpreter.serving.access import Keys, token_key
from opencodeinterpreter.serving.app import create_app
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.room import Room

CHAT, RESPONSES = "/v1/chat/completions", "/v1/responses"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[Hub]:
    with make_hub(tmp_path / "sessions", park_seconds=None) as hub:
        yield hub


class SlowCaller:
    """Asks for a stream, and takes no more of it than so many pieces until it is told to go on."""

    def __init__(self, app: ASGIApp, path: str, body: dict[str, Any], pieces: int) -> None:
        self.app, self.path, self.body, self.pieces = app, path, json.dumps(body).encode(), pieces
        self.sent = b""
        self.waits, self.goes_on, self.leaves = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.asked = False

    async def receive(self) -> Message:
        if not self.asked:
            self.asked = True
            return {"type": "http.request", "body": self.body, "more_body": False}
        await self.leaves.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        if message["type"] != "http.response.body":
            return
        self.sent += message["body"]
        self.pieces -= 1
        if self.pieces == 0:
            self.waits.set()
            await self.goes_on.wait()

    async def ask(self) -> None:
        headers = {"host": "127.0.0.1", "authorization": f"Bearer {TOKEN}", "content-type": "application/json"}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "server": ("127.0.0.1", 80),
            "state": {},
        }
        await self.app(scope, self.receive, self.send)

    def text(self) -> str:
        rows = [json.loads(line[6:]) for line in self.sent.decode().splitlines() if line.startswith("data: {")]
        return "".join(_piece(row) for row in rows)


def _piece(row: dict[str, Any]) -> str:
    if row.get("type") == "response.output_text.delta":
        return str(row["delta"])
    return "".join(choice["delta"].get("content") or "" for choice in row.get("choices", ()))


def asking(path: str, room: Room, text: str) -> dict[str, Any]:
    if path == CHAT:
        return {"model": "slow", "stream": True, "user": f"session:{room.id}",
                "messages": [{"role": "user", "content": text}]}  # fmt: skip
    tool = {"type": "code_interpreter", "container": room.id}
    return {"model": "slow", "stream": True, "input": text, "tools": [tool]}


async def asked(hub: Hub, path: str, room: Room, pieces: int) -> tuple[SlowCaller, asyncio.Task[None]]:
    """Begin a turn for a caller that stands still, and wait until the turn has ended all the same."""
    app = create_app(hub, Keys([token_key(TOKEN)]), mcp=False)
    caller = SlowCaller(app, path, asking(path, room, "say: first answer"), pieces)
    task = asyncio.create_task(caller.ask())
    await asyncio.wait_for(caller.waits.wait(), 20)
    assert await asyncio.to_thread(room.wait, 20)
    return caller, task


def until(met: Callable[[], bool]) -> None:
    async def look() -> None:
        while not met():
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(look(), 20))


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
def test_who_reads_slowly_gets_its_own_answer_and_not_the_next_callers(hub: Hub, path: str) -> None:
    async def test() -> None:
        room = hub.create(model="slow")
        caller, task = await asked(hub, path, room, pieces=1)
        room.message("say: SECOND CALLER")
        assert await asyncio.to_thread(room.wait, 20)
        caller.goes_on.set()
        await asyncio.wait_for(task, 20)
        assert caller.text().strip() == "first answer"

    asyncio.run(test())


@pytest.mark.parametrize(("path", "pieces"), [(CHAT, 2), (RESPONSES, 4)])
def test_who_leaves_after_its_run_stops_nobody_elses(hub: Hub, path: str, pieces: int) -> None:
    async def test() -> None:
        room = hub.create(model="slow")
        caller, task = await asked(hub, path, room, pieces)
        before = room.sequence
        room.message("say: " + "word " * 20)
        await asyncio.to_thread(
            until, lambda: any(row["type"] == "text_delta" for _, row in read_numbered(room.log, before))
        )
        caller.leaves.set()
        caller.goes_on.set()
        await asyncio.wait_for(task, 20)
        assert await asyncio.to_thread(room.wait, 20)
        assert room.turns()[-1].answer.outcome == "answered"

    asyncio.run(test())


def test_a_run_is_stopped_by_its_own_handle_alone(hub: Hub) -> None:
    room = hub.create(model="slow")
    first = room.message("say: first")
    assert room.wait(20)
    second = room.message("say: " + "word " * 200)
    assert first.end is not None
    assert not room.stop(first)
    assert second.end is None
    assert room.stop(second)
    assert room.wait(20)
    assert second.end == room.sequence
    assert [turn.answer.outcome for turn in room.turns()] == ["answered", "stopped"]

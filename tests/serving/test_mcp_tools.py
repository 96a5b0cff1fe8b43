"""The MCP tools, asked by the SDK's own client: over a real child process, and over HTTP."""

from __future__ import annotations

import base64
import os
import sys
from collections.abc import Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import anyio
import httpx2
from mcp import Client, StdioServerParameters
from mcp.client.streamable_http import streamable_http_client
from scripted_server import make_hub
from serving_client import TOKEN

from opencodeinterpreter.serving.mcp_server import Sessions

PROGRAM = Path(__file__).with_name("stdio_tools.py")


def texts(result: Any) -> str:
    return "\n".join(block.text for block in result.content if block.type == "text")


def run(test: Callable[..., Any], *arguments: Any) -> None:
    anyio.run(test, *arguments)


@asynccontextmanager
async def over_stdio(folder: Path):
    env = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    command = StdioServerParameters(command=sys.executable, args=[str(PROGRAM), str(folder / "sessions")], env=env)
    async with Client(command) as client:
        yield client


@asynccontextmanager
async def over_http(url: str, token: str = TOKEN):
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {token}"}, timeout=60) as http,
        Client(streamable_http_client(f"{url}/mcp", http_client=http)) as client,
    ):
        yield client


def test_tools_over_a_child_process(tmp_path: Path) -> None:
    async def test() -> None:
        async with over_stdio(tmp_path) as client:
            tools = {tool.name for tool in (await client.list_tools()).tools}
            assert tools == {"run_code", "do_task", "reset", "put_file", "list_files", "get_file"}
            put = await client.call_tool("put_file", {"name": "sales.csv", "text": "region,amount\nnorth,3\n"})
            assert "region" in texts(put)
            first = await client.call_tool("run_code", {"code": "x = open('sales.csv').read()\nlen(x)"})
            assert texts(first) == "22"
            assert first.structured_content["status"] == "ok"
            session = first.structured_content["session"]
            assert put.structured_content["session"] == session
            steps: list[str] = []

            async def told(_progress: float, _total: float | None, message: str | None) -> None:
                steps.append(message or "")

            wish = "run: print(f'in task {len(x)}')"  # one write: of several each may come by itself
            task = await client.call_tool("do_task", {"task": wish}, progress_callback=told)
            assert texts(task) == "Done."
            assert {"running code", "in task 22", "the code has run: ok"} <= set(steps)
            failed = await client.call_tool("run_code", {"code": "1 / 0"})
            assert not failed.is_error
            assert "ZeroDivisionError" in texts(failed)
            assert failed.structured_content["status"] == "error"
            await client.call_tool("reset", {})
            gone = await client.call_tool("run_code", {"code": "x"})
            assert "NameError" in texts(gone)
            assert "sales.csv (22 bytes)" in texts(await client.call_tool("list_files", {}))
            assert texts(await client.call_tool("get_file", {"path": "sales.csv"})).startswith("region,amount")
            none = await client.call_tool("get_file", {"path": "../events.jsonl"})
            assert none.is_error
            nowhere = await client.call_tool("run_code", {"code": "1", "session": "20200101-000000-aaaa"})
            assert nowhere.is_error
            assert "no such session" in texts(nowhere)

    run(test)
    log = next((tmp_path / "sessions").glob("*/events.jsonl")).read_text()
    assert '"author": "user"' in log  # all of it is a session like any other


def test_figures_come_as_a_small_preview_and_a_link_over_http(server) -> None:
    async def test() -> None:
        async with over_http(server.url) as client:
            code = (
                "import matplotlib.pyplot as plt\nplt.figure(figsize=(12, 9), dpi=150)\nplt.plot([1, 2])\nplt.show()\n"
                "open('made.bin', 'wb').write(bytes(range(256)))"
            )
            drawn = await client.call_tool("run_code", {"code": code})
            kinds = [block.type for block in drawn.content]
            assert kinds == ["text", "image", "resource_link", "resource_link"]
            assert len(base64.b64decode(drawn.content[1].data)) < 60_000
            session = drawn.structured_content["session"]
            figure = await client.read_resource(drawn.structured_content["figures"][0])
            assert base64.b64decode(figure.contents[0].blob).startswith(b"\x89PNG")
            made = await client.read_resource(str(drawn.content[3].uri))
            assert base64.b64decode(made.contents[0].blob) == bytes(range(256))
            again = await client.call_tool("run_code", {"code": "plt.__name__", "session": session})
            assert "matplotlib.pyplot" in texts(again)
            blob = await client.call_tool("get_file", {"path": "made.bin", "session": session})
            assert [block.type for block in blob.content] == ["resource", "resource_link"]

    run(test)


def test_http_needs_the_key(server) -> None:
    answer = httpx2.post(f"{server.url}/mcp", json={"jsonrpc": "2.0", "id": 1, "method": "tools/list"})
    assert answer.status_code == 401


def test_a_connection_whose_session_is_gone_is_forgotten_and_gets_a_new_one(tmp_path: Path) -> None:
    with make_hub(tmp_path / "sessions") as hub:
        sessions = Sessions(hub)
        request = SimpleNamespace(request=None)
        first, second = (
            SimpleNamespace(headers={"mcp-session-id": name}, request_context=request) for name in ("a", "b")
        )
        room, other = sessions.room(first, ""), sessions.room(second, "")
        assert sessions.room(first, "") is room
        hub.delete(room)
        assert len(sessions) == 1
        assert sessions.room(first, "").id not in (room.id, other.id)
        assert sessions.room(second, "") is other

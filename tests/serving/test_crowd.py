"""Many at once: what is full says so at once, and what is not goes on."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
from contextlib import ExitStack

import httpx
import pytest
from serving_client import TOKEN


def test_slow_previews_hold_up_nothing_else(start_server) -> None:
    server = start_server()
    with server.client() as client:
        session = client.new()
        rows = b"a,b\n" + b"1,2\n" * 1000
        for _ in range(90):
            client.post(f"/api/v1/sessions/{session}/files", files={"file": ("table.csv", rows)})
    names = ["table.csv", *(f"table-{number}.csv" for number in range(1, 90))]

    async def asked() -> tuple[int, int, list[httpx.Response]]:
        limits = httpx.Limits(max_connections=None)
        headers = {"Authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=120, limits=limits) as client:
            tasks = [
                asyncio.create_task(client.get(f"/api/v1/sessions/{session}/files/{name}/preview")) for name in names
            ]

            def shown() -> int:
                return sum(task.done() and task.result().status_code == 200 for task in tasks)

            while not shown():
                await asyncio.sleep(0.01)
            before = shown()
            assert (await client.get("/healthz")).status_code == 200
            assert (await client.get("/api/v1/info")).status_code == 200  # in a thread, as most routes are
            return before, shown(), await asyncio.gather(*tasks)

    before, after, answers = asyncio.run(asked())
    assert after - before < 8, (before, after)
    assert {answer.status_code for answer in answers} <= {200, 429}
    assert sum(answer.status_code == 200 for answer in answers) >= 5
    assert all(answer.headers["retry-after"] for answer in answers if answer.status_code == 429)


def test_past_so_many_requests_at_once_it_says_when_to_come_again(start_server) -> None:
    server = start_server(guard={"requests": 3})
    with server.client() as client, server.client(key="") as stranger, ExitStack() as following:
        session = client.new()
        for _ in range(3):
            answer = following.enter_context(client.stream("GET", f"/api/v1/sessions/{session}/events"))
            assert answer.status_code == 200
        full = client.get("/api/v1/info")
        assert (full.status_code, full.json()["error"]["type"]) == (429, "overloaded")
        assert int(full.headers["retry-after"]) > 0
        assert full.headers["connection"] == "close"  # it would count among the connections
        assert full.headers["x-content-type-options"] == "nosniff"
        assert stranger.get("/healthz").status_code == 200
        assert stranger.get("/api/v1/info").status_code == 401
        following.close()
        free(client, "/api/v1/info")


def test_connections_that_ask_for_nothing_take_no_room(start_server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < 4096:
        pytest.skip("the system allows too few open files to make so many connections")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, 4096), hard))
    server = start_server()
    host, port = server.url.removeprefix("http://").split(":")
    with ExitStack() as held, server.client() as client:
        for _ in range(1100):
            held.enter_context(socket.create_connection((host, int(port)), timeout=20))
        assert client.get("/healthz").status_code == 200
        assert client.get("/api/v1/info").status_code == 200


def test_a_key_may_follow_so_many_sessions_at_a_time(start_server) -> None:
    keys = {"ann": {"key": "key-of-ann-123456", "listeners": 2}, "bob": {"key": "key-of-bob-123456"}}
    server = start_server(keys=keys)
    with server.client("key-of-ann-123456") as ann, server.client("key-of-bob-123456") as bob, ExitStack() as held:
        session, theirs = ann.new(), bob.new()
        path = f"/api/v1/sessions/{session}/events"
        for _ in range(2):
            assert held.enter_context(ann.stream("GET", path)).status_code == 200
        full = ann.get(path)
        assert (full.status_code, full.json()["error"]["type"]) == (429, "overloaded")
        assert "2 event streams" in full.json()["error"]["message"]
        assert int(full.headers["retry-after"]) > 0
        assert ann.get(f"/api/v1/sessions/{session}").status_code == 200
        for _ in range(3):
            assert held.enter_context(bob.stream("GET", f"/api/v1/sessions/{theirs}/events")).status_code == 200
        held.close()
        free(ann, f"{path}?live=false")


def free(client: httpx.Client, path: str) -> None:
    """Wait until there is room: that a client has left is noticed a moment later."""
    for _ in range(100):
        answer = client.get(path)
        if answer.status_code == 200:
            return
        with contextlib.suppress(httpx.HTTPError):
            client.get("/healthz")
    raise AssertionError(answer.text)

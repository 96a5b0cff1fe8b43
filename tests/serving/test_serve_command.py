"""``ocint serve`` and ``ocint mcp`` as a person starts them."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters

from opencodeinterpreter.cli.serving import Many, ServerFlags, token_of
from opencodeinterpreter.cli.serving import start as start_serving
from opencodeinterpreter.errors import ConfigError

COMMANDS = (
    "import typer\n"
    "from opencodeinterpreter.cli import mcp, serve\n"
    "app = typer.Typer()\n"
    "serve.add_to(app)\n"
    "mcp.add_to(app)\n"
    "app()\n"
)


def environment(folder: Path) -> dict[str, str]:
    folders = {f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("config", "data", "cache", "state")}
    return {"PATH": os.environ["PATH"], "HOME": str(folder), "LANG": "C.UTF-8", "HF_HUB_OFFLINE": "1", **folders}


def script(folder: Path, *replies: str) -> str:
    path = folder / "script.json"
    path.write_text(json.dumps(list(replies)))
    return f"scripted:{path}"


@pytest.fixture
def ocint(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(*words: str) -> subprocess.Popen[str]:
        started.append(
            subprocess.Popen(
                [sys.executable, "-c", COMMANDS, *words],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                env=environment(tmp_path),
            )
        )
        return started[-1]

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


def test_serve_prints_address_and_token_and_ends_in_good_order(ocint, tmp_path: Path) -> None:
    model = script(tmp_path, "```python\nprint(6 * 7)\n```", "Done.")
    token_file = tmp_path / "token"
    process = ocint("serve", "--port", "0", "-m", model, "--token-file", str(token_file))
    url = process.stdout.readline().strip()
    token = process.stdout.readline().removeprefix("token: ").strip()
    assert url.startswith("http://127.0.0.1:")
    assert token_file.read_text().strip() == token
    assert stat.S_IMODE(token_file.stat().st_mode) == 0o600
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=60) as client:
        body = {"model": model, "messages": [{"role": "user", "content": "Compute"}]}
        answer = client.post("/v1/chat/completions", json=body).json()
        assert "````text\n42\n````" in answer["choices"][0]["message"]["content"]
        assert client.get("/api/v1/info").json()["isolation"] == "bubblewrap"
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0, err
    assert out == ""
    rows = [json.loads(line) for line in err.splitlines()]
    assert "/v1/chat/completions" in {row.get("route") for row in rows}
    assert "Compute" not in err
    assert list((tmp_path / "data" / "opencodeinterpreter" / "sessions").glob("*/events.jsonl"))


def test_a_token_that_others_can_read_is_refused(ocint, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a-long-enough-token\n")
    (tmp_path / "token").chmod(0o644)
    process = ocint("serve", "--port", "0", "--token-file", str(tmp_path / "token"))
    _, err = process.communicate(timeout=60)
    assert process.returncode != 0
    assert "Others can read the token" in err


def test_servers_that_start_together_have_the_same_token(tmp_path: Path) -> None:
    ready, made = threading.Barrier(8), []

    def start() -> None:
        ready.wait()
        made.append(token_of(tmp_path / "token"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 8
    assert set(made) == {(tmp_path / "token").read_text().strip()}


@pytest.mark.parametrize("wrong", [{"public_url": "code.example"}, {"origins": ["https://chat.example/page"]}])
def test_an_address_that_is_none_is_refused_before_anything_starts(wrong: dict, capsys) -> None:
    with pytest.raises(ConfigError, match=r"^--(public-url|allow-origin) is .*https://"):
        start_serving({"model": "scripted:none"}, Many(), ServerFlags(port=0, **wrong))
    assert capsys.readouterr().out == ""


def test_mcp_is_what_a_client_starts(tmp_path: Path) -> None:
    model = script(tmp_path, "```python\nprint(x + 1)\n```", "Done.")
    command = StdioServerParameters(
        command=sys.executable, args=["-c", COMMANDS, "mcp", "-m", model], env=environment(tmp_path)
    )

    async def test() -> None:
        async with Client(command) as client:
            assert "isolated session" in (client.instructions or "")
            ran = await client.call_tool("run_code", {"code": "x = 41"})
            assert ran.structured_content["status"] == "ok"
            task = await client.call_tool("do_task", {"task": "One more"})
            assert task.content[0].text == "Done."

    anyio.run(test)
    log = next((tmp_path / "data" / "opencodeinterpreter" / "sessions").glob("*/events.jsonl")).read_text()
    assert '"stdout": "42\\n"' in log


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_mcp_ends_at_a_signal_in_the_middle_of_a_run(ocint, tmp_path: Path, number: signal.Signals) -> None:
    process = ocint("mcp", "-m", script(tmp_path))

    def send(method: str, **row: object) -> None:
        process.stdin.write(json.dumps({"jsonrpc": "2.0", "method": method, **row}) + "\n")
        process.stdin.flush()

    about = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    send("initialize", id=1, params=about)
    assert "serverInfo" in process.stdout.readline()
    send("notifications/initialized")
    code = "import time; print('in', flush=True); time.sleep(40)"
    send("tools/call", id=2, params={"name": "run_code", "arguments": {"code": code}, "_meta": {"progressToken": 1}})
    while json.loads(process.stdout.readline())["params"].get("message") != "in":
        pass
    process.send_signal(number)
    process.communicate(timeout=25)
    assert process.returncode == 128 + number
    log = next((tmp_path / "data" / "opencodeinterpreter" / "sessions").glob("*/events.jsonl")).read_text()
    assert '"type": "interrupted"' in log
    assert '"reason": "stopped"' in log

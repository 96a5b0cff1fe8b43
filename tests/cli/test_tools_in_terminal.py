"""Tools of MCP servers from the command line: configured, asked for, called, told."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
from cli_program import Program, code

SERVER = Path(__file__).parents[1] / "interpreter" / "tool_server.py"
CALL = code('import tools\nprint("sum", tools.shop.add(40, b=2))')


def configured(ocint: Program, allow: str = "") -> None:
    ocint.set(f'[mcp.shop]\ncommand = {json.dumps(sys.executable)}\nargs = ["${{TOOL_SERVER}}"]\n{allow}\n')
    ocint.env["TOOL_SERVER"] = str(SERVER)


def test_a_job_asks_calls_and_tells(ocint: Program, terminal: Callable[..., pexpect.spawn]) -> None:
    configured(ocint)
    child = terminal("run", "add", "-m", ocint.script(CALL, "It is 42."))
    child.expect_exact('{"a": 40, "b": 2}')
    child.expect_exact("let the code use the tool shop.add, from now on in this session?")
    child.sendline("y")
    child.expect_exact("tool shop.add: 4 bytes in")
    child.expect_exact("sum 42.0")
    child.expect_exact("It is 42.")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 0
    log = (ocint.sessions()[0] / "events.jsonl").read_text()
    assert '"type": "tool_called"' in log


def test_where_nobody_can_be_asked_only_what_is_allowed_is_called(ocint: Program) -> None:
    configured(ocint, 'allow = ["add"]')
    both = code("import tools\nprint(tools.shop.add(1))\ntools.shop.say('x')")
    done = ocint("run", "add", "-m", ocint.script(both, "It failed.", "It failed."))
    assert "│ 2.0\n" in done.out
    assert "The user does not let shop.say be used: nobody is at a terminal to be asked" in done.out


def test_json_lines_decide(ocint: Program) -> None:
    file = ocint.file(
        "servers.json", json.dumps({"mcpServers": {"shop": {"command": sys.executable, "args": [str(SERVER)]}}})
    )
    decision = json.dumps({"decision": "reject", "text": "no sums"})
    model = ocint.script(CALL, "It was refused.", "It was refused.")
    done = ocint("run", "add", "--json", "--mcp", file, "-m", model, stdin=decision + "\n")
    kinds = [event["type"] for event in done.events if event["type"] != "text_delta"]
    assert kinds[3:7] == ["code_action_started", "tool_request", "decided", "tool_called"]
    result = next(event["result"] for event in done.events if event["type"] == "execution_finished")
    assert result["error"]["value"] == "The user does not let shop.add be used: no sums"


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ("[mcp.x]\nargs = []", "'x' needs either a command or a url"),
        ('[mcp.x]\ncommand = "a"\ncomand = "b"', "has no setting 'comand'; known are"),
        ('[mcp.x]\nurl = "ftp://x"', "does not begin with http"),
        ('[mcp.x]\nurl = "http://x/sse"\ntype = "sse"', "speaks SSE"),
        ('[mcp.x]\ncommand = "a"\nenv = { A = 1 }', "env must be a table of texts"),
        ('[mcp.x]\ncommand = "a"\nargs = "b"', "args must be a list of texts"),
        ('[mcp.x]\ncommand = "a"\ntimeout = 0', "timeout must be a number of seconds"),
        ('[mcp.x]\ncommand = "a"\nenv = { A = "${NOT_SET_AT_ALL}" }', "needs the variable NOT_SET_AT_ALL"),
        ("mcp = 3", "mcp must be a table of servers"),
    ],
)
def test_what_is_wrong_in_the_configuration_is_said(ocint: Program, config: str, told: str) -> None:
    ocint.set(config)
    done = ocint("run", "x", "-m", ocint.script("Hi."))
    assert done.code == 2
    assert told in done.err
    assert not ocint.sessions()


@pytest.mark.parametrize(
    ("content", "told"), [("{", "is not valid JSON"), ("{}", "has no object mcpServers"), (None, "cannot be read")]
)
def test_a_file_of_servers_that_cannot_be_used(ocint: Program, content: str | None, told: str) -> None:
    file = ocint.file("servers.json", content) if content is not None else "nowhere.json"
    done = ocint("run", "x", "--mcp", file, "-m", ocint.script("Hi."))
    assert done.code == 2
    assert told in done.err


def test_a_server_that_is_disabled_is_not_started(ocint: Program) -> None:
    ocint.set('[mcp.x]\ncommand = "nowhere"\ndisabled = true')
    done = ocint("run", "x", "-m", ocint.script("Hi."))
    assert (done.code, "cannot be used" in done.err) == (0, False)

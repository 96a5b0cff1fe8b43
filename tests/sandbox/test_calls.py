"""The way out for calls, against hostile code in the real jail: it gets answers, and nothing else."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from opencodeinterpreter import Limits, Sandbox

HELP = """
import glob, json, os, socket, struct, time
FOLDER = os.path.dirname(os.environ["HOME"])
def connect():
    s = socket.socket(socket.AF_UNIX); s.connect(FOLDER + "/k-c"); s.settimeout(30); return s
def receive(s):
    data = b""
    while piece := s.recv(65536):
        data += piece
    return json.loads(data[4:]) if data else None
def ask(body, length=None):
    with connect() as s:
        try:
            s.sendall(struct.pack(">I", len(body) if length is None else length) + body)
        except OSError:
            pass
        try:
            return receive(s)
        except OSError as error:
            return type(error).__name__
"""


class Host:
    """What is outside: it remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.left = threading.Event()

    def __call__(self, request: dict[str, Any], gone: Callable[[], bool]) -> dict[str, Any]:
        self.asked.append(request)
        if request.get("do") == "fault":
            raise KeyError("x")
        if request.get("do") == "large":
            return {"ok": True, "value": "x" * (9 << 20)}
        if request.get("do") == "wait":
            while not gone():
                self.left.wait(0.05)
            self.left.set()
        return {"ok": True, "value": request.get("value")}


@pytest.fixture(scope="module")
def host() -> Host:
    return Host()


@pytest.fixture(scope="module")
def caller(host: Host) -> Iterator[Sandbox]:
    sandbox = Sandbox(limits=Limits(wall_seconds=60))
    sandbox.take_calls(host)
    with sandbox:
        assert sandbox.run(HELP).ok
        yield sandbox


def printed(sandbox: Sandbox, code: str) -> str:
    result = sandbox.run(code)
    assert result.error is None, result.error
    return result.stdout.strip()


def test_a_call_goes_out_and_its_answer_comes_back(caller: Sandbox) -> None:
    assert printed(caller, "print(ask(json.dumps({'value': [1, 'ä']}).encode()))") == "{'ok': True, 'value': [1, 'ä']}"


@pytest.mark.parametrize(
    "frame",
    [
        "b'not JSON'",
        "b'[1, 2]'",
        "b'\\xff\\xfe'",
        "b''",
        "b'[' * 500_000",
        "b'{\"do\": ' * 100_000",
        "b'{}', 4_000_000_000",
        "b'x' * 2_000_000",
    ],
)
def test_what_is_no_request_is_refused_and_never_seen_by_the_handler(caller: Sandbox, host: Host, frame: str) -> None:
    before = len(host.asked)
    assert printed(caller, f"print(ask({frame}))") in (
        "{'ok': False, 'error': 'This is not a request.'}",
        "ConnectionResetError",  # what was sent was not even read
    )
    assert len(host.asked) == before
    assert printed(caller, "print(ask(b'{\"value\": 1}')['value'])") == "1"


def test_a_reply_too_large_and_a_fault_outside_are_told(caller: Sandbox) -> None:
    assert "too large; ask for less" in printed(caller, "print(ask(b'{\"do\": \"large\"}')['error'])")
    assert "has a fault" in printed(caller, "print(ask(b'{\"do\": \"fault\"}')['error'])")


def test_a_flood_of_connections_that_say_nothing_leaves_the_way_open_again(caller: Sandbox) -> None:
    code = """
held = []
for _ in range(300):
    s = socket.socket(socket.AF_UNIX); s.setblocking(False)
    try:
        s.connect(FOLDER + "/k-c")
    except OSError:
        s.close()
        continue
    held.append(s)
print(8 <= len(held) <= 40)
for s in held: s.close()
print(ask(b'{"value": 2}')['value'])
"""
    before = threading.active_count()
    assert printed(caller, code) == "True\n2"
    assert threading.active_count() <= before + 9


def test_a_caller_that_leaves_is_noticed(caller: Sandbox, host: Host) -> None:
    printed(
        caller, "s = connect(); s.sendall(struct.pack('>I', 14) + b'{\"do\": \"wait\"}'); time.sleep(0.3); s.close()"
    )
    assert host.left.wait(10)


def test_what_stands_in_the_sockets_place_harms_only_the_code_itself(host: Host) -> None:
    sandbox = Sandbox()
    sandbox.take_calls(host)
    with sandbox:
        printed(sandbox, HELP + "os.unlink(FOLDER + '/k-c'); os.symlink('/etc/hostname', FOLDER + '/k-c')")
        result = sandbox.run("import tools")
        assert result.error is not None
        assert result.error.value == "tools cannot be reached any more"
        sandbox.restart()
        assert printed(sandbox, HELP + "print(ask(b'{\"value\": 3}')['value'])") == "3"


def test_without_a_handler_there_is_no_way_out() -> None:
    with Sandbox() as sandbox:
        assert (
            printed(sandbox, "import os\nprint(os.path.exists(os.path.dirname(os.environ['HOME']) + '/k-c'))")
            == "False"
        )
        result = sandbox.run("import tools")
        assert result.error is not None
        assert result.error.name == "ModuleNotFoundError"


def test_network_stays_closed(caller: Sandbox) -> None:
    code = "s = socket.socket()\ntry:\n    s.connect(('127.0.0.1', 9))\nexcept OSError as error:\n    print('no')"
    assert printed(caller, code) == "no"
    assert printed(caller, "print(os.listdir('/sys/class/net') if os.path.isdir('/sys/class/net') else [])") in (
        "[]",
        "['lo']",
    )

"""Code that plays with the way out to tools: names that do not exist, calls after its end, floods, forged requests."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from opencodeinterpreter import Interpreter, Limits, Sandbox, ScriptedModel
from opencodeinterpreter.interpreter import Event, ExecutionFinished, Toolbox, ToolCalled, ToolRequest, ToolServer

SERVER = Path(__file__).with_name("tool_server.py")
HELP = """
import json, os, socket, struct, threading, time
def ask(**request):
    s = socket.socket(socket.AF_UNIX)
    s.connect(os.path.dirname(os.environ["HOME"]) + "/k-c")
    body = json.dumps(request).encode()
    s.sendall(struct.pack(">I", len(body)) + body)
    data = b""
    while piece := s.recv(65536):
        data += piece
    reply = json.loads(data[4:])
    return reply.get("error", reply.get("value"))
"""


@pytest.fixture(scope="module")
def interpreter() -> Iterator[Interpreter]:
    server = ToolServer("shop", sys.executable, (str(SERVER),), allow=("add", "count"))
    with (
        Sandbox(limits=Limits(wall_seconds=250)) as sandbox,
        Interpreter(ScriptedModel([]), sandbox=sandbox, tools=Toolbox([server])) as made,
    ):
        list(made.execute(HELP))
        yield made


def ran(interpreter: Interpreter, code: str) -> tuple[str, list[Event]]:
    events = []
    for event in interpreter.execute(code):
        events.append(event)
        if isinstance(event, ToolRequest):
            event.reject("no")
    result = next(event.result for event in events if isinstance(event, ExecutionFinished))
    assert result.error is None, result.error
    return result.stdout, [event for event in events if isinstance(event, ToolCalled | ToolRequest)]


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ("do='call', server='shop', tool='nothing', arguments={}", "There is no such tool."),
        ("do='call', server='nowhere', tool='add', arguments={}", "There is no such tool."),
        ("do='call', server=['shop'], tool={'add': 1}, arguments={}", "There is no such tool."),
        ("do='call', server='shop', tool='__class__', arguments={}", "There is no such tool."),
        ("do='call'", "There is no such tool."),
        ("do='close'", "There is no such request."),
        ("do=['call']", "There is no such request."),
        ("x=1", "There is no such request."),
        ("do='call', server='shop', tool='add', arguments=None", "the arguments are no object"),
        ("do='call', server='shop', tool='add', arguments=[1]", "the arguments are no object"),
        ("do='call', server='shop', tool='add', arguments={'a': {'$ref': 'http://x'}}", "is not of type 'number'"),
    ],
)
def test_what_is_not_offered_or_does_not_fit_is_refused_and_calls_nothing(
    interpreter: Interpreter, request_: str, told: str
) -> None:
    out, events = ran(interpreter, f"print(ask({request_}))")
    assert told in out
    assert events == []


def test_halves_of_characters_can_be_asked_about_and_stored(interpreter: Interpreter) -> None:
    out, events = ran(interpreter, r"print(ask(do='call', server='shop', tool='say', arguments={'text': '\ud800'}))")
    assert out == "The user does not let shop.say be used: no\n"
    assert [event.type for event in events] == ["tool_request", "tool_called"]
    assert r"\ud800" in json.dumps(events[0].to_json(), ensure_ascii=False).encode().decode()


def test_what_a_run_leaves_behind_gets_nothing(interpreter: Interpreter, tmp_path: Path) -> None:
    counted = tmp_path / "calls"
    code = f"""
seen = []
def later():
    for _ in range(8):
        time.sleep(0.25)
        seen.append(ask(do="call", server="shop", tool="count", arguments={{"file": {str(counted)!r}}}))
threading.Thread(target=later).start()
"""
    assert ran(interpreter, code)[1] == []
    time.sleep(2.5)
    out, _ = ran(interpreter, "print(set(seen))")
    assert out == "{'Tools can be called only while the code that was run is running.'}\n"
    assert not counted.exists()


def test_a_run_may_not_call_on_and_on(interpreter: Interpreter) -> None:
    code = """
answers = [ask(do="call", server="shop", tool="say", arguments={"text": "x"}) for _ in range(1005)]
print(len(set(answers)), answers[0], answers[-1])
"""
    out, events = ran(interpreter, code)
    assert out == (
        "2 The user does not let shop.say be used: no One run may call tools 1,000 times, and this one has.\n"
    )
    assert sum(isinstance(event, ToolRequest) for event in events) == 1
    assert sum(isinstance(event, ToolCalled) for event in events) == 1000

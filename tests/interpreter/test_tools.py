"""Code in the sandbox calls the tools of a real MCP server, each after a person has approved it."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from opencodeinterpreter import Interpreter, Limits, Sandbox, ScriptedModel
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.interpreter import (
    Answer,
    Event,
    ExecutionFinished,
    Notice,
    SessionStore,
    Toolbox,
    ToolCalled,
    ToolRequest,
    ToolServer,
)
from opencodeinterpreter.sandbox.unsandboxed import Unsandboxed

PROGRAM = Path(__file__).with_name("tool_server.py")


def shop(**more: object) -> ToolServer:
    return ToolServer("shop", sys.executable, (str(PROGRAM),), **{"allow": ("*",), **more})  # type: ignore[arg-type]


class Bench:
    """One interpreter with one server for the tests of this module: starting them takes most of the time."""

    def __init__(self, server: ToolServer) -> None:
        self.model = ScriptedModel([])
        self.interpreter = Interpreter(self.model, sandbox=Sandbox(), tools=Toolbox([server]))

    def run(self, code: str, decide: Callable[[ToolRequest], None] = lambda it: it.approve()) -> list[Event]:
        events = []
        for event in self.interpreter.execute(code):
            events.append(event)
            if isinstance(event, ToolRequest):
                decide(event)
        return events

    def close(self) -> None:
        self.interpreter.close()
        self.interpreter.sandbox.close()


def result_of(events: list[Event]) -> ExecutionFinished:
    return next(event for event in events if isinstance(event, ExecutionFinished))


def called(events: list[Event]) -> list[tuple[str, str]]:
    return [(event.tool, event.status) for event in events if isinstance(event, ToolCalled)]


@pytest.fixture(scope="module")
def free() -> Iterator[Bench]:
    """Nothing is asked."""
    bench = Bench(shop(timeout=20))
    yield bench
    bench.close()


@pytest.fixture(scope="module")
def asking() -> Iterator[Bench]:
    """Each tool is asked for the first time."""
    bench = Bench(shop(allow=()))
    yield bench
    bench.close()


@pytest.mark.parametrize(
    ("call", "printed"),
    [
        ('shop.search("tea", limit=2)', "{'query': 'tea', 'hits': ['tea 0', 'tea 1']}"),
        ('shop.search(query="tea", limit=None)["hits"][2]', "tea 2"),
        ("shop.add(1, b=2), shop.add(a=np.float64(2.5)), shop.add(np.int64(4))", "(3.0, 3.5, 5.0)"),
        ('shop.say(text="hi")', "You said hi"),
        ("shop.picture()", "picture.png"),
        ("shop.papers()", "{'value': 'Here it is.', 'files': ['report.bin']}"),
        ("shop.odd_name_of_tool(kind='y')", "y"),
        ("inspect.signature(shop.add)", "(a: float, b: float = 1)"),
        ("'Search the catalogue' in shop.__doc__, 'The second one.' in shop.add.__doc__", "(True, True)"),
        ("tools.__all__", "['shop', 'ToolError']"),
    ],
)
def test_calls_and_what_they_give(free: Bench, call: str, printed: str) -> None:
    events = free.run(f"import inspect, numpy as np, tools\nfrom tools import shop\nprint(({call}))")
    result = result_of(events).result
    assert (result.error, result.stdout.strip()) == (None, printed)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("shop.fail('rain')", "no luck: rain"),
        ("shop.search(3)", "ToolError: shop.search cannot be called like this: ['query']: 3 is not of type 'string'"),
        ("shop.search()", "TypeError: missing a required argument: 'query'"),
        ("shop.search('x', q=1)", "TypeError: got an unexpected keyword argument 'q'"),
        ("shop.say(object())", "TypeError: a tool cannot be given a object"),
        ("shop.add(float('nan'))", "ValueError: Out of range float values are not JSON compliant"),
        ("shop.say('x' * 2_000_000)", "ToolError: the arguments take 2,000,0"),
        ("shop.nothing()", "AttributeError: module 'tools.shop' has no attribute 'nothing'"),
    ],
)
def test_what_goes_wrong_is_an_exception_in_the_code(free: Bench, call: str, error: str) -> None:
    result = result_of(free.run(f"from tools import shop\n{call}")).result
    assert result.error is not None
    told = f"{result.error.name}: {result.error.value}"
    assert error in told
    assert "call_tools.py" not in result.error.traceback
    assert result_of(free.run("print(1)")).result.ok


def test_a_person_is_asked_the_first_time(asking: Bench) -> None:
    code = 'from tools import shop\nfor word in ("a", "b"):\n    print(shop.say(word))'
    events = asking.run(code)
    asked = [event for event in events if isinstance(event, ToolRequest)]
    assert [event.to_json() for event in asked] == [
        {
            "type": "tool_request",
            "round": 0,
            "server": "shop",
            "tool": "say",
            "arguments": '{"text": "a"}',
            "about": "Say something.",
        }
    ]
    assert result_of(events).result.stdout == "You said a\nYou said b\n"
    told = [event.to_json() for event in events if isinstance(event, ToolCalled)]
    assert [(row["status"], row["arguments_bytes"], row["result_bytes"]) for row in told] == [("ok", 13, 12)] * 2
    assert not any(isinstance(event, ToolRequest) for event in asking.run(code))


def test_rejected_it_is_an_exception_with_the_reason_and_not_asked_again_in_this_run(asking: Bench) -> None:
    code = (
        "import tools\nfor number in range(50):\n    try:\n        tools.shop.add(number)\n"
        "    except tools.ToolError as error:\n        last = str(error)\nprint(last)"
    )
    events = asking.run(code, lambda request: request.reject("too costly"))
    assert sum(isinstance(event, ToolRequest) for event in events) == 1
    assert result_of(events).result.stdout == "The user does not let shop.add be used: too costly\n"
    assert set(called(events)) == {("add", "rejected")}
    assert sum(isinstance(event, ToolRequest) for event in asking.run(code)) == 1


def test_the_time_that_a_person_takes_is_not_the_runs(asking: Bench) -> None:
    def late(request: ToolRequest) -> None:
        time.sleep(1.2)
        request.approve()

    asking.interpreter.sandbox.limits = Limits(wall_seconds=1)
    try:
        events = asking.run("from tools import shop\nprint(shop.search('x', 1))", late)
        assert result_of(events).result.ok
        events = asking.run("from tools import shop\nshop.sleep(9)")
        assert result_of(events).result.reason == "wall time"
        assert called(events) == [("sleep", "failed")]
    finally:
        asking.interpreter.sandbox.limits = Limits()


def test_stop_ends_a_call_and_a_question(asking: Bench) -> None:
    def stop(_request: ToolRequest) -> None:
        asking.interpreter.stop()

    events = asking.run("from tools import shop\nshop.count('x')", stop)
    assert result_of(events).result.reason == "stopped"
    assert isinstance(events[-1], Answer)


def test_a_server_that_hangs_or_dies_is_an_exception_and_the_session_goes_on() -> None:
    bench = Bench(shop(timeout=3))
    try:
        events = bench.run(
            "import tools\nx = 1\ntry:\n    tools.shop.sleep(30)\nexcept tools.ToolError as e:\n    print(e)"
        )
        assert result_of(events).result.stdout == "shop.sleep did not answer within 3 s\n"
        assert called(events) == [("sleep", "failed")]
        died = result_of(bench.run("tools.shop.die()")).result
        assert died.error is not None
        assert died.error.name == "ToolError"
        again = result_of(
            bench.run("try:\n    tools.shop.add(1)\nexcept tools.ToolError:\n    print('gone', x)")
        ).result
        assert again.stdout == "gone 1\n"
    finally:
        bench.close()


def test_a_server_over_http_with_headers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as found:
        port = found.getsockname()[1]
    with subprocess.Popen([sys.executable, PROGRAM, str(port)], stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                time.sleep(0.1)
            far = ToolServer("far", url=f"http://127.0.0.1:{port}/mcp", headers={"X-Key": "secret"}, allow=("*",))
            bench = Bench(far)
            try:
                events = bench.run("import tools\nprint(tools.far.header('x-key'), tools.far.picture())")
                assert result_of(events).result.stdout == "secret picture.png\n"
                process.kill()
                process.wait()
                gone = result_of(bench.run("tools.far.add(1)")).result.error
                assert gone is not None
                assert gone.name == "ToolError"
            finally:
                bench.close()
        finally:
            process.kill()


def test_a_server_that_does_not_start_is_told_and_the_turn_goes_on() -> None:
    broken = ToolServer("broken", sys.executable, ("-c", "raise SystemExit('no key given')"))
    with Interpreter(ScriptedModel(["Hello."]), tools=Toolbox([broken])) as it:
        events = list(it.stream("Hi."))
    told = [event.text for event in events if isinstance(event, Notice) and event.kind == "tools missing"]
    assert told == ["The MCP server broken cannot be used: no key given"]
    assert isinstance(events[-1], Answer)


def test_the_model_is_told_the_session_tells_and_a_replay_does_not_call_again(tmp_path: Path) -> None:
    counted = tmp_path / "calls"
    code = f"import tools\nn = tools.shop.count({str(counted)!r})\nprint('count', n)"
    model, without = ScriptedModel([f"```python\n{code}\n```", "Once."]), ScriptedModel(["Hello."])
    with SessionStore(tmp_path / "sessions").create(model="scripted") as session, Sandbox() as sandbox:
        with Interpreter(without, sandbox=sandbox) as it:
            it.run("Hi.")
        with Interpreter(model, sandbox=sandbox, session=session, tools=Toolbox([shop()])) as it:
            assert it.run("Count.").text == "Once."
            sandbox.restart()
            events = list(it.replay())
        rows = [row for row in session.events() if row["type"] == "tool_called"]
    plain, told = without.requests[0][0].content, model.requests[0][0].content
    assert told.startswith(plain + "\n\n")
    assert "- tools.shop.search(query: str, limit: int = 3)  # Search the catalogue.\n" in told
    assert "stdout:\ncount 1" in model.requests[1][-1].content
    assert counted.read_text() == "x"
    assert [(row["tool"], row["status"]) for row in rows] == [("count", "ok")]
    stopped = [event.text for event in events if isinstance(event, Notice)]
    assert stopped == ["Replaying stopped here: this code called a tool, and a replay does not call tools again."]
    said = result_of(events).result.error
    assert said is not None
    assert said.value == "This is a replay of earlier code, and tools are not called again by a replay."


def test_two_threads_of_the_code_ask_one_after_the_other(asking: Bench) -> None:
    waiting = threading.Event()
    open_questions: list[ToolRequest] = []

    def decide(request: ToolRequest) -> None:
        assert not waiting.is_set()
        waiting.set()
        open_questions.append(request)
        time.sleep(0.3)
        waiting.clear()
        request.approve()

    code = (
        "import tools, threading\n"
        "both = [threading.Thread(target=f) for f in (lambda: tools.shop.picture(), lambda: tools.shop.large(3))]\n"
        "[t.start() for t in both]; [t.join() for t in both]\nprint('over')"
    )
    events = asking.run(code, decide)
    assert result_of(events).result.stdout == "over\n"
    assert sorted(called(events)) == [("large", "ok"), ("picture", "ok")]
    assert len(open_questions) == 2


def test_where_nothing_inside_can_reach_out_tools_are_refused() -> None:
    class NoWayOut(Unsandboxed):
        takes_calls = False

    with Sandbox(backend=NoWayOut()) as sandbox, pytest.raises(ConfigError, match="bubblewrap sandbox"):
        Interpreter(ScriptedModel([]), sandbox=sandbox, tools=Toolbox([shop()]))

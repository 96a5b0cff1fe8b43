"""A tool that code wants to call waits for a person of the server's, as code to be approved does."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_server import load

from opencodeinterpreter import Sandbox
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import SessionStore, Toolbox, ToolServer
from opencodeinterpreter.interpreter.session_log import read_numbered
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.openai_text import TurnText
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.shelf import ModelShelf

SERVER = Path(__file__).parents[1] / "interpreter" / "tool_server.py"
CODE = """run: import threading, time, tools
over = threading.Event()
def tick():
    while not over.wait(0.05):
        print('tick', flush=True)
threading.Thread(target=tick).start()
print(tools.shop.say('hello'))
over.set()"""


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    def tools(_session: Any) -> Toolbox:
        return Toolbox([ToolServer("shop", sys.executable, (str(SERVER),))])

    store = SessionStore(tmp_path_factory.mktemp("sessions"))
    shelf = ModelShelf(["scripted"], lambda name, _told: load(name), lambda _name: 1)
    with Hub(store, shelf, lambda session: Sandbox(workspace=session.workspace), make_tools=tools) as hub:
        yield hub.create()


def test_it_waits_while_the_code_goes_on_and_is_decided_once(room: Room) -> None:
    room.message(CODE)
    assert room.bell.wait_for(lambda: room.state == "waiting", 90)
    before = room.sequence
    assert room.bell.wait_for(lambda: room.sequence > before + 3, 30)  # the other thread's output
    pending = room.pending
    assert pending is not None
    assert (pending["type"], pending["tool"], pending["arguments"]) == ("tool_request", "say", '{"text": "hello"}')
    with pytest.raises(InputError, match="Only code can be edited"):
        room.decide("edit", "print(1)")
    room.decide("approve")
    assert room.wait(60)
    rows = [row for _, row in read_numbered(room.log)]
    assert next(row["result"] for row in rows if row["type"] == "execution_finished")["stdout"].count("You said hello")
    assert [row["status"] for row in rows if row["type"] == "tool_called"] == ["ok"]
    text = TurnText(lambda path: path)
    for row in rows:
        text.feed(row)
    assert "*Waits for a person to let the code use the tool shop.say.*" in text.text

"""What a person does in a session beside giving tasks: own code, comments, edited messages; and the log's numbers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencodeinterpreter import Interpreter, Sandbox, ScriptedModel
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import Answer, ApprovalRequest, SessionStore, export
from opencodeinterpreter.interpreter.recording import history_of
from opencodeinterpreter.interpreter.session_log import read_events, read_numbered


def block(code: str) -> str:
    return f"```python\n{code}\n```"


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")


def test_own_code_is_a_turn_that_the_model_is_told_of(store: SessionStore) -> None:
    model = ScriptedModel([block("x = 20\nprint(x)"), "It is 20.", "Now 41."])
    with (
        store.create() as session,
        Sandbox(workspace=session.workspace) as sandbox,
        Interpreter(model, sandbox=sandbox, session=session) as it,
    ):
        it.run("Set x")
        *_, answer = it.execute("x = 41\nprint('x is', x)", replaces=5)
        assert isinstance(answer, Answer)
        assert (answer.outcome, answer.text) == ("ran", "")
        it.run("And now?")
        told = model.requests[-1][-1].content
        assert "The user changed the code and ran it again" in told
        assert "x is 41" in told
        assert told.endswith("And now?")
        assert [message.role for message in model.requests[-1]][-2:] == ["assistant", "user"]
        turns = it.turns
        cells = json.loads(export(turns, "ipynb"))["cells"]
        assert "x = 41\nprint('x is', x)" in ["".join(cell["source"]) for cell in cells]
        assert "x is 41" in export(turns, "md")
        assert "# Code of my own\n\nx = 41" in export(turns, "py")
        assert "x is 41" in export(turns, "jsonl")
    again = history_of(read_events(session.folder))
    assert [turn.task for turn in again] == ["Set x", "", "And now?"]
    assert again[1].rounds[0].feedback == turns[1].rounds[0].feedback


def test_a_comment_on_a_cell_goes_with_the_next_message_also_after_a_resume(store: SessionStore) -> None:
    with store.create() as session, Sandbox(workspace=session.workspace) as sandbox:
        with Interpreter(ScriptedModel(["Hello."]), sandbox=sandbox, session=session) as it:
            it.run("Hi")
            it.comment("use a log scale", code="plt.plot(x)", cell=7)
            with pytest.raises(InputError):
                it.comment(" ")
        model = ScriptedModel(["Yes.", "No."])
        with Interpreter(model, sandbox=sandbox, session=session) as it:
            it.run("Again")
            assert "About this code:\n```python\nplt.plot(x)\n```\nuse a log scale" in model.requests[0][-1].content
            it.run("Once more")
            assert "log scale" not in model.requests[1][-1].content


def test_a_message_is_edited_and_done_again_with_its_files(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("n\n1\n")
    model = ScriptedModel([block("print(1)"), "Hello.", "Yes.", block("print(2)"), "Bye."])
    with Interpreter(model) as it:
        it.run("Greet me", files=[tmp_path / "a.csv"])
        it.run("Sure?")
        *_, answer = it.edit(0, "Say bye")
        assert answer.text == "Bye."
        assert [turn.task for turn in it.turns] == ["Say bye"]
        assert "a.csv" in model.requests[3][-1].content
        assert "Greet me" not in model.requests[3][-1].content
        with pytest.raises(InputError, match="no message 3"):
            it.edit(3, "x")


def test_a_turn_had_elsewhere_is_taken_over_with_its_variables() -> None:
    model = ScriptedModel([block("print(y + 1)"), "42."])
    with Interpreter(model) as it:
        for _ in it.adopt("Set y", "y is set.", ["y = 41"]):
            pass
        assert it.run("One more").rounds[0].result.stdout == "42\n"
        roles = [(message.role, message.content.split("\n")[0]) for message in model.requests[0]]
        assert roles[1:5:2] == [("user", "Set y"), ("user", "Execution result: the code ran without error.")]
        assert roles[4:] == [("assistant", "y is set."), ("user", "One more")]


def test_a_retry_after_own_code_runs_it_again() -> None:
    with Interpreter(ScriptedModel([])) as it:
        list(it.execute("n = globals().get('n', 0) + 1"))
        *_, answer = it.retry()
        assert answer.outcome == "ran"
        assert it.sandbox.run("n").result == "2"
        assert len(it.turns) == 1


def test_a_decision_is_an_event_with_its_reason() -> None:
    model = ScriptedModel([block("print(1)"), block("print(2)"), "Done."])
    with Interpreter(model, approve=True) as it:
        rows = []
        for event in it.stream("Do"):
            rows.append(event.to_json())
            if isinstance(event, ApprovalRequest):
                event.reject("not one") if "print(1)" in event.code else event.edit("print(3)")
    decided = [(row["round"], row["verb"], row["text"]) for row in rows if row["type"] == "decided"]
    assert decided == [(0, "reject", "not one"), (1, "edit", "print(3)")]


def test_events_have_numbers_that_a_listener_can_go_on_from(store: SessionStore) -> None:
    told = []
    with store.create() as session:
        session.on_append = lambda: told.append(session.count)
        assert [session.append({"type": "x", "n": n}) for n in range(3)] == [2, 3, 4]
        assert told == [2, 3, 4]
        with (session.folder / "events.jsonl").open("a") as file:
            file.write('{"type": "half')
        assert [(number, row["n"]) for number, row in read_numbered(session.folder / "events.jsonl", 2)] == [
            (3, 1),
            (4, 2),
        ]
    with store.open(session.id) as again:
        assert again.count == 4


def test_the_model_is_told_of_files_that_are_in_the_workspace_already(tmp_path: Path) -> None:
    model = ScriptedModel(["Two.", "x"])
    with Interpreter(model) as it:
        (it.sandbox.workspace / "b.csv").write_text("p,q\n1,2\n3,4\n")
        list(it.stream("Rows?", present=["b.csv"]))
        told = model.requests[0][-1].content
        assert "b.csv (12 bytes, 3 lines)" in told
        assert told.endswith("Rows?")
        with pytest.raises(InputError, match="no file"):
            it.stream("x", present=["c.csv"])

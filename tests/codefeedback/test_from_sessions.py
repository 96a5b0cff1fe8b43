"""A person's own sessions as dialogs: real sessions of the real loop in the real sandbox, with a scripted model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from opencodeinterpreter import Interpreter, Sandbox, ScriptedModel
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Outcome
from opencodeinterpreter.codefeedback.sessions.from_sessions import (
    FromSessions,
    SessionSettings,
    session_records,
    stage,
)
from opencodeinterpreter.codefeedback.verification.execution import Executor
from opencodeinterpreter.codefeedback.verification.verifying import Verification
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.interpreter import Answer, ApprovalRequest, SessionStore

KEY = "sk-proj-" + "aB3x" * 8


def block(code: str) -> str:
    return f"```python\n{code}\n```"


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session in which a person approves, edits, rejects, comments and takes back."""
    store = SessionStore(tmp_path_factory.mktemp("sessions"))
    replies = [
        f"I load it.\n\n{block(f'key = {KEY!r}{chr(10)}1 / 0')}",
        f"Mended.\n\n{block('print(1)')}",
        "It is 1.",
        block("import shutil\nshutil.rmtree('.')"),
        block("print(2)"),
        "It is 2.",
        "Never mind.",
    ]
    decisions = iter(["approve", "edit", "reject", "approve"])

    def turn(it: Interpreter, task: str) -> None:
        for event in it.stream(task):
            if isinstance(event, ApprovalRequest):
                verb = next(decisions)
                if verb == "approve":
                    event.approve()
                elif verb == "edit":
                    event.edit("print(1 + 0)")
                else:
                    event.reject("delete nothing")
            assert not isinstance(event, Answer) or event.outcome == "answered"

    model = ScriptedModel(replies, name="small")
    with (
        store.create(model="small") as session,
        Sandbox(workspace=session.workspace) as sandbox,
        Interpreter(model, sandbox=sandbox, session=session, approve=True) as it,
    ):
        turn(it, "I work in /home/annmiller and am ann.miller@clinic.de: try it")
        it.comment("print it in two ways", code="print(1)")
        turn(it, "And the second?")
        turn(it, "Oh well")
        it.undo()
        return session.folder / "events.jsonl"


@pytest.fixture(scope="module")
def dialog(events: Path) -> Dialog:
    (record,) = session_records(events)
    assert record.row is not None
    outcome = FromSessions().convert(record.row)
    assert outcome.notes["human feedback"] == {
        "approved": 2,
        "edited": 1,
        "rejected": 1,
        "comment": 1,
        "taken back": 1,
    }
    (row,) = outcome.rows
    return Dialog.from_json(json.loads(json.dumps(row)))


def test_what_a_person_did_is_human_feedback(dialog: Dialog) -> None:
    kinds = [(each.role[0], each.meta["kind"]) for each in dialog]
    assert kinds == [
        ("u", "query"),
        ("a", "answer"),
        ("u", "execution"),
        ("a", "repair"),
        ("u", "human"),
        ("a", "answer"),
        ("u", "human"),
        ("a", "answer"),
        ("u", "human"),
        ("a", "answer"),
        ("u", "execution"),
        ("a", "answer"),
    ]
    texts = [each.content for each in dialog]
    assert texts[2].startswith("Execution result: \nTraceback")
    assert texts[4].startswith("I changed the code before it ran:\n```python\nprint(1 + 0)\n```\nExecution result: \n1")
    assert texts[6] == "About this code:\n```python\nprint(1)\n```\nprint it in two ways\n\nAnd the second?"
    assert texts[8] == "Do not run this code: delete nothing"
    assert texts[10] == "Execution result: \n2"
    assert "Never mind." not in texts
    assistants = [each.meta for each in dialog if each.role == "assistant"]
    assert [each["train"] for each in assistants] == [False, False, True, False, True, True]
    assert [each.get("decision") for each in assistants] == ["approved", "edited", None, "rejected", "approved", None]
    assert {(each.meta["source"], each.meta["licence"]) for each in dialog} == {("session", "private")}
    assert dialog.meta["method"] == "session"
    assert dialog.meta["models"] == {"assistant": "small"}


def test_nothing_private_is_left(dialog: Dialog, events: Path) -> None:
    text = json.dumps(dialog.to_json())
    for private in (KEY, "annmiller", "ann.miller", events.parent.name):
        assert private not in text
    assert dialog.meta["scrubbed"]["API key"] == 1
    assert "key = 'API_KEY_REMOVED'" in dialog.messages[1].content


def test_a_session_s_dialog_passes_verification_without_being_run_again(dialog: Dialog) -> None:
    with Executor() as executor:
        outcome = Verification().verify(dialog, executor)
        assert outcome.drops == ()
        assert not executor._in_use
    again = Dialog.from_json(outcome.rows[0])
    assert [each.meta.get("train") for each in again] == [each.meta.get("train") for each in dialog]


def test_the_stage_runs_from_the_log_to_a_file_and_keeps_no_raw_text(events: Path, tmp_path: Path) -> None:
    empty = tmp_path / "20260101-000000-aaaa" / "events.jsonl"
    empty.parent.mkdir()
    empty.write_text(json.dumps({"type": "turn_started", "task": f"use {KEY}", "files": [], "message": "m"}) + "\n")
    out = tmp_path / "out" / "sessions.jsonl"
    made = stage(SessionSettings(names=("annmiller",)))
    run_stage(Job(made, [events, empty], out, records=session_records))
    rows = [json.loads(line) for line in out.read_text().splitlines()]
    assert [row["meta"]["method"] for row in rows] == ["session"]
    assert rows[0]["id"].startswith("session-")
    everything = "".join(path.read_text() for path in out.parent.iterdir())
    assert KEY not in everything
    assert "annmiller" not in everything
    assert "nothing to learn from" in everything


def told(store: SessionStore, session: str) -> Outcome:
    (record,) = session_records(store.folder(session) / "events.jsonl")
    assert record.row is not None
    return FromSessions().convert(record.row)


def test_ratings_go_along_and_a_fork_teaches_only_what_is_its_own(tmp_path: Path) -> None:
    store = SessionStore(tmp_path)
    with (
        store.create(model="small") as session,
        Sandbox(workspace=session.workspace) as sandbox,
        Interpreter(ScriptedModel(["One.", "Two."]), sandbox=sandbox, session=session) as it,
    ):
        it.run("the first")
        it.run("the second")
        it.rate("good", 0)
        it.rate("bad", 1)
    (dialog,) = told(store, session.id).rows
    assert [message["content"] for message in dialog["messages"]] == ["the first", "One."]
    assert dialog["messages"][1]["meta"]["rating"] == "good"

    with store.fork(session.id) as fork:
        pass
    assert told(store, fork.id).rows == ()
    store.delete(session.id)
    assert len(told(store, fork.id).rows) == 1, "nobody else tells it any more"

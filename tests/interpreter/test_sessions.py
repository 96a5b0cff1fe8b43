"""Sessions on disk: saved as they happen, resumed after a crash, exported."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
import time
from pathlib import Path

import nbformat
import pytest

from opencodeinterpreter import Interpreter, Sandbox, ScriptedModel
from opencodeinterpreter.dialog import read_dialogs
from opencodeinterpreter.errors import InputError, SessionBusyError, UnknownSessionError
from opencodeinterpreter.interpreter import Answer, Notice, SessionStore, export
from opencodeinterpreter.interpreter.sessions import Session


def block(code: str) -> str:
    return f"```python\n{code}\n```"


PLOT = "import matplotlib.pyplot as plt\nplt.plot([1, 2, 3])"


def converse(session: Session, replies: list[str], *tasks: str) -> list[Answer]:
    with (
        Sandbox(workspace=session.workspace) as sandbox,
        Interpreter(ScriptedModel(replies), sandbox=sandbox, session=session) as it,
    ):
        return [it.run(task) for task in tasks]


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> tuple[SessionStore, str]:
    """A session with an error, its repair, a figure and a file."""
    store = SessionStore(tmp_path_factory.mktemp("store") / "sessions")
    with store.create(model="scripted") as session:
        code = f"{PLOT}\nopen('made.txt', 'w').write('x')\n6 * 7"
        converse(session, ["Try:\n" + block("1 / 0"), block(code), "It is 42."], "Compute\nand plot")
    return store, session.id


def turns_of(store: SessionStore, identity: str):
    with (
        store.open(identity) as session,
        Sandbox(workspace=session.workspace) as sandbox,
        Interpreter(ScriptedModel([]), sandbox=sandbox, session=session) as it,
    ):
        return it.turns


def test_a_session_is_resumed_with_its_dialog_and_its_files(store: SessionStore) -> None:
    with store.create() as session:
        converse(session, [block("open('f.txt', 'w').write('kept')\nx = 1"), "Done."], "Write")
    model = ScriptedModel([block("print(open('f.txt').read())"), "Kept."])
    with (
        store.open(session.id) as again,
        Sandbox(workspace=again.workspace) as sandbox,
        Interpreter(model, sandbox=sandbox, session=again) as it,
    ):
        answer = it.run("Read it")
        assert answer.rounds[0].result.stdout == "kept\n"
        assert [message.content for message in model.requests[0]][2] == block("open('f.txt', 'w').write('kept')\nx = 1")
        assert "variables and imports are gone" in model.requests[0][-1].content


def test_replay_brings_the_variables_back(store: SessionStore) -> None:
    with store.create() as session:
        converse(session, [block("x = 20"), block("1 / 0"), block("x += 1"), "Done."], "Count")
    with (
        store.open(session.id) as again,
        Sandbox(workspace=again.workspace) as sandbox,
        Interpreter(ScriptedModel([]), sandbox=sandbox, session=again) as it,
    ):
        assert not any(isinstance(event, Notice) for event in it.replay())
        assert it.sandbox.run("x").result == "21"


def test_a_crash_loses_nothing_that_was_saved(store: SessionStore) -> None:
    with store.create() as session:
        converse(session, [block("print(1)"), "One."], "First")
    log = session.folder / "events.jsonl"
    log.write_text(log.read_text() + '{"type": "turn_started", "turn": 1, "task": "Sec')
    (turn,) = turns_of(store, session.id)
    assert turn.task == "First"
    assert turn.answer.text == "One."
    assert all(json.loads(line) for line in log.read_text().splitlines())


def test_a_program_that_is_killed_in_a_turn_leaves_a_session_to_go_on_with(store: SessionStore) -> None:
    script = f"""
from pathlib import Path
from opencodeinterpreter import Interpreter, Sandbox, ScriptedModel
from opencodeinterpreter.interpreter import SessionStore
with SessionStore(Path({str(store.root)!r})).create() as session:
    replies = ["```python\\nprint(1)\\n```", "```python\\nimport time\\nprint('in', flush=True)\\ntime.sleep(60)\\n```"]
    with Sandbox(workspace=session.workspace) as sandbox:
        interpreter = Interpreter(ScriptedModel(replies), sandbox=sandbox, session=session)
        for event in interpreter.stream("Go"):
            if event.type == "output_delta":
                print(event.output.text, flush=True)
"""
    program = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert program.stdout is not None
    for line in program.stdout:
        if line.strip() == "in":
            break
    program.kill()
    program.wait()
    program.stdout.close()
    (info,) = store.infos()
    (turn,) = turns_of(store, info.id)
    assert turn.answer is None
    assert turn.rounds[0].result.stdout == "1\n"


def test_two_programs_cannot_use_one_session(store: SessionStore) -> None:
    with store.create() as session:
        with pytest.raises(SessionBusyError, match="another program"):
            store.open(session.id)
        with pytest.raises(SessionBusyError):
            store.delete(session.id)
    store.open(session.id).close()


def test_sessions_are_listed_found_renamed_and_deleted(store: SessionStore) -> None:
    for task in ("Plot the sales", "Count the words"):
        with store.create(model="m") as session:
            converse(session, ["Done."], task)
    assert {info.title for info in store.infos()} == {"Plot the sales", "Count the words"}
    (found,) = store.infos("sales")
    assert (found.turns, found.model) == (1, "m")
    store.rename(found.id, "Revenue")
    assert [info.title for info in store.infos("Revenue")] == ["Revenue"]
    assert store.folder("last").name == session.id
    store.delete(found.id)
    assert len(store.infos()) == 1
    assert not (store.root / found.id).exists()
    assert store.prune(older_than_seconds=3600) == []
    time.sleep(0.01)
    assert store.prune(older_than_seconds=0) == [session.id]


def test_an_index_that_is_lost_or_broken_is_made_again(store: SessionStore) -> None:
    with store.create() as session:
        converse(session, ["Done."], "Find me")
    for content in (None, b"garbage" * 1000):
        for path in store.root.glob("index.sqlite*"):
            path.unlink()
        if content is not None:
            (store.root / "index.sqlite").write_bytes(content)
        assert [info.title for info in store.infos()] == ["Find me"]


def test_an_unknown_session_is_a_clear_error(store: SessionStore) -> None:
    with pytest.raises(UnknownSessionError, match="sessions list"):
        store.open("nope")


def test_undone_turns_stay_undone(store: SessionStore) -> None:
    with store.create() as session, Sandbox(workspace=session.workspace) as sandbox:
        it = Interpreter(ScriptedModel(["One.", "Two."]), sandbox=sandbox, session=session)
        it.run("A")
        it.run("B")
        it.undo()
        it.close()
    assert [turn.task for turn in turns_of(store, session.id)] == ["A"]


def test_images_are_kept_beside_the_log_and_come_back(finished: tuple[SessionStore, str]) -> None:
    store, identity = finished
    folder = store.folder(identity)
    assert len(list((folder / "outputs").glob("*.png"))) == 1
    assert (folder / "events.jsonl").stat().st_size < 20_000
    (turn,) = turns_of(store, identity)
    assert turn.rounds[1].result.displays[-1].data.keys() >= {"text/plain"} or turn.rounds[1].result.result == "42"
    assert any(display.data.get("image/png", "").startswith("iVBOR") for display in turn.rounds[1].result.displays)


def test_the_notebook_holds_every_cell_with_its_outputs(finished: tuple[SessionStore, str]) -> None:
    notebook = nbformat.reads(export(turns_of(*finished), "ipynb"), as_version=4)
    nbformat.validate(notebook)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == [1, 2]
    assert code[0].outputs[0].ename == "ZeroDivisionError"
    assert any("image/png" in output.get("data", {}) for output in code[1].outputs)
    assert [output.data["text/plain"] for output in code[1].outputs if output.output_type == "execute_result"] == ["42"]
    assert notebook.cells[-1].source == "It is 42."


def test_the_python_file_holds_the_code_that_worked(finished: tuple[SessionStore, str]) -> None:
    text = export(turns_of(*finished), "py")
    ast.parse(text)
    assert "1 / 0" not in text
    assert "# Compute\n# and plot" in text
    assert "plt.plot" in text


def test_the_markdown_shows_code_output_and_figure(finished: tuple[SessionStore, str]) -> None:
    text = export(turns_of(*finished), "md")
    assert "> Compute" in text
    assert "ZeroDivisionError" in text
    assert "![figure](data:image/png;base64," in text
    assert "It is 42." in text


def test_the_code_feedback_line_is_read_back_as_a_dialog(finished: tuple[SessionStore, str], tmp_path: Path) -> None:
    store, identity = finished
    path = tmp_path / "out.jsonl"
    path.write_text(export(turns_of(store, identity), "jsonl", identity=identity))
    (dialog,) = read_dialogs(path)
    assert dialog.id == identity
    assert [message.role for message in dialog] == ["user", "assistant"] * 3
    assert dialog.messages[2].content.startswith("Execution result: ")
    assert [message.meta.get("kind") for message in dialog] == [
        "task",
        "answer",
        "execution",
        "repair",
        "execution",
        "answer",
    ]


def test_there_is_nothing_to_export_of_an_empty_session() -> None:
    with pytest.raises(InputError, match="nothing to export"):
        export([], "md")
    with pytest.raises(InputError, match="choose one of"):
        export([], "docx")

from __future__ import annotations

import json
import time

import pytest
from cli_program import Program, code
from ready_program import ReadyProgram


def after_a_session(ocint: Program) -> Program:
    model = ocint.script(code("print('out' + 'put')\n1 + 1"), "All **done**.")
    assert ocint("run", "do something", "-f", ocint.file("data.csv"), "-m", model).code == 0
    return ocint


@pytest.fixture
def ocint(ocint: Program) -> Program:
    """The program, after one session."""
    return after_a_session(ocint)


@pytest.fixture(scope="module")
def looking(tmp_path_factory: pytest.TempPathFactory, ready: ReadyProgram) -> Program:
    """The same for tests that only look at it."""
    return after_a_session(Program(tmp_path_factory.mktemp("looking"), ready))


def test_list_and_search(looking: Program) -> None:
    (folder,) = looking.sessions()
    lines = looking("sessions", "list").out.splitlines()
    assert lines[1].split("\t")[0] == folder.name
    assert lines[1].endswith("\t1\tdo something")
    (row,) = looking("sessions", "list", "something", "--json").events
    assert (row["id"], row["turns"]) == (folder.name, 1)
    none = looking("sessions", "list", "elephants")
    assert (none.out, none.err) == ("", "No session's tasks hold that.\n")


def test_show(looking: Program) -> None:
    shown = looking("sessions", "show", "last").out
    for part in ("› do something", "data.csv", "print('out' + 'put')", "│ output", "│ 2", "All **done**."):
        assert part in shown


@pytest.mark.parametrize("form", ["ipynb", "md", "py", "jsonl"])
def test_export(looking: Program, form: str) -> None:
    text = looking("sessions", "export", "last", "--to", form).out
    assert "'out' + 'put'" in text
    assert looking("sessions", "export", "last", "-o", f"copy.{form}").code == 0
    assert (looking.work / f"copy.{form}").read_text() == text
    if form in ("ipynb", "jsonl"):
        assert json.loads(text)


def test_export_in_an_unknown_form(looking: Program) -> None:
    done = looking("sessions", "export", "last", "--to", "docx")
    assert (done.code, done.out) == (2, "")
    assert "choose one of ipynb, md, html, py, jsonl" in done.err


def test_delete_asks_or_is_told(ocint: Program) -> None:
    assert ocint("sessions", "delete", "last").code == 2
    assert len(ocint.sessions()) == 1
    assert ocint("sessions", "delete", "last", "--yes").code == 0
    assert ocint.sessions() == []


def test_prune(ocint: Program) -> None:
    (folder,) = ocint.sessions()
    assert ocint("sessions", "prune", "--older-than", "1d").out == ""
    old = time.time() - 3 * 86400
    events = (folder / "events.jsonl").read_text().splitlines()
    rows = [json.dumps({**json.loads(line), "time": old}) for line in events]
    (folder / "events.jsonl").write_text("\n".join(rows) + "\n")
    (ocint.data / "sessions" / "index.sqlite").unlink()
    assert ocint("sessions", "prune", "--older-than", "2d").out == folder.name + "\n"
    assert ocint.sessions() == []
    assert ocint("sessions", "prune", "--older-than", "soon").code == 2


def test_resume_goes_on_in_a_conversation(ocint: Program) -> None:
    model = ocint.script("I am back.")
    done = ocint("sessions", "resume", "last", "-m", model, stdin="and now?\n")
    assert "I am back." in done.out
    assert len(ocint.sessions()) == 1


def test_a_session_that_a_crash_cut_can_be_used(ocint: Program) -> None:
    (folder,) = ocint.sessions()
    events = folder / "events.jsonl"
    events.write_bytes(events.read_bytes()[:-200])
    assert "│ output" in ocint("sessions", "show", "last").out
    assert ocint("run", "go on", "--session", "last", "-m", ocint.script("Yes.")).code == 0

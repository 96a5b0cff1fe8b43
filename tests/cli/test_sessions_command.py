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


def test_a_fork_is_listed_shown_and_gone_on_with(ocint: Program) -> None:
    (source,) = ocint.sessions()
    assert "no such turn to fork from; the session has 1" in ocint("sessions", "fork", "last", "--message", "7").err
    done = ocint("sessions", "fork", source.name, "--message", "1")
    fork = done.out.strip()
    assert done.code == 0, done.err
    assert sorted(folder.name for folder in ocint.sessions()) == sorted([source.name, fork])
    (row,) = [row for row in ocint("sessions", "list", "--json").events if row["id"] == fork]
    assert (row["forked_from"], row["forked_turn"], row["turns"]) == (source.name, 0, 1)
    assert f"do something (fork of {source.name} after message 1)" in ocint("sessions", "list").out
    assert ocint("sessions", "show", fork).out.startswith(f"fork of {source.name} after message 1\n")
    line = json.loads(ocint("sessions", "export", fork, "--to", "jsonl").out)
    assert line["meta"] == {"forked": {"session": source.name, "turn": 0}}
    assert ocint("run", "go on", "--session", fork, "-m", ocint.script("Gone on.")).code == 0
    assert ocint("sessions", "show", source.name).out.count("›") == 1
    assert ocint("sessions", "show", fork).out.count("›") == 2


def test_an_answer_is_rated_and_a_conversation_forked(ocint: Program) -> None:
    (source,) = ocint.sessions()
    model = ocint.script("Second.", "In the fork.")
    typed = "/good\nsecond\n/bad\n/bad\n/good\n/fork three\n/fork 1\nother way\n/bad\n/save jsonl fork.jsonl\n"
    done = ocint("sessions", "resume", "last", "-m", model, stdin=typed)
    assert done.err.count("Rated good") == 2
    assert "The rating is taken back." in done.err
    assert "number of a message, 1 is the first, not three" in done.err
    (fork,) = [folder for folder in ocint.sessions() if folder != source]
    assert f"This is {fork.name} now" in done.err
    assert f"ocint chat --resume {source.name}" in done.err
    dialog = json.loads((ocint.work / "fork.jsonl").read_text())
    ratings = [message["meta"].get("rating") for message in dialog["messages"] if message["role"] == "assistant"]
    assert ratings == [None, "good", "bad"]
    assert dialog["meta"] == {"forked": {"session": source.name, "turn": 0}}
    shown = ocint("sessions", "show", source.name).out
    assert shown.count("rated good") == 2
    assert "other way" not in shown

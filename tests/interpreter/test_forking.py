"""A session forked into two, and answers that a person rated."""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from opencodeinterpreter import Interpreter, Sandbox, ScriptedModel
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import InputError, SessionBusyError, SessionError, UnknownSessionError
from opencodeinterpreter.interpreter import Answer, ExecutionFinished, Session, SessionStore, export

Talk = Callable[[Session, list[str]], Interpreter]


def block(code: str) -> str:
    return f"```python\n{code}\n```"


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "sessions")


@pytest.fixture
def talk(shared_sandbox: Sandbox):
    """Opens the interpreter of a session; where its code runs does not matter to most of these tests."""

    def opening(session: Session, replies: list[str]) -> Interpreter:
        return Interpreter(ScriptedModel(replies), sandbox=shared_sandbox, session=session)

    return opening


@pytest.fixture
def three(store: SessionStore, talk: Talk) -> str:
    """A session of three turns."""
    with store.create(model="m") as session, talk(session, ["First.", "Second.", "Third."]) as it:
        for task in ("one", "two", "three"):
            it.run(task)
        (session.workspace / "data.txt").write_text("data")
    return session.id


def contents(folder: Path) -> dict[str, bytes]:
    """All that a session's folder holds, but its lock, which says nothing."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != "lock"]
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def tasks(store: SessionStore, identity: str, talk: Talk) -> list[str]:
    with store.open(identity) as session, talk(session, []) as it:
        return [turn.task for turn in it.turns]


def test_a_fork_goes_on_by_itself(store: SessionStore) -> None:
    with (
        store.create(model="m") as session,
        Sandbox(workspace=session.workspace) as sandbox,
        Interpreter(
            ScriptedModel([block("x = 20\nopen('f.txt', 'w').write('as it was')"), "Set."]),
            sandbox=sandbox,
            session=session,
        ) as it,
    ):
        it.run("Set x")
    before = contents(session.folder)
    model = ScriptedModel([block("print(x + 1)\nopen('f.txt', 'w').write('changed')"), "It is 21."])
    with (
        store.fork(session.id) as fork,
        Sandbox(workspace=fork.workspace) as sandbox,
        Interpreter(model, sandbox=sandbox, session=fork) as it,
    ):
        replayed = [event for event in it.replay() if isinstance(event, ExecutionFinished)]
        assert [event.result.ok for event in replayed] == [True]
        answer = it.run("Add one")
        assert answer.rounds[0].result.stdout == "21\n"
        assert next(message.content for message in model.requests[0] if message.role == "user") == "Set x"
    assert contents(session.folder) == before
    assert (fork.workspace / "f.txt").read_text() == "changed"
    store.delete(session.id)
    with store.open(fork.id) as again:
        assert sum(row["type"] == "turn_started" for row in again.events()) == 2


def test_it_ends_with_the_turn_that_was_chosen(store: SessionStore, three: str, talk: Talk) -> None:
    with store.fork(three, turn=1, title="Other way") as fork:
        assert (fork.workspace / "data.txt").read_text() == "data"
    assert tasks(store, fork.id, talk) == ["one", "two"]
    assert tasks(store, three, talk) == ["one", "two", "three"]
    info = store.info(fork.id)
    assert (info.title, info.turns, info.model) == ("Other way", 2, "m")
    assert (info.forked_from, info.forked_turn) == (three, 1)
    assert store.info(three).forked_from is None
    assert [info.id for info in store.infos("two")] == [fork.id, three]
    assert store.infos("three")[0].id == three
    with store.fork(fork.id) as second:
        pass
    info = store.info(second.id)
    assert (info.title, info.forked_from, info.forked_turn) == ("Other way", fork.id, 1)
    (store.root / "index.sqlite").unlink()
    assert store.infos("Other way") == [store.info(second.id), store.info(fork.id)]
    assert store.info(second.id) == info


def test_what_was_taken_back_is_not_counted(store: SessionStore, talk: Talk) -> None:
    with store.create() as session, talk(session, ["First.", "Wrong.", "Right.", "Third."]) as it:
        it.run("one")
        it.run("two")
        list(it.edit(1, "another two"))
        it.run("three")
    for turn, expected in ((0, ["one"]), (1, ["one", "another two"]), (None, ["one", "another two", "three"])):
        with store.fork(session.id, turn=turn) as fork:
            pass
        assert tasks(store, fork.id, talk) == expected


def test_lines_keep_their_numbers_and_outputs_their_places(store: SessionStore, shared_sandbox: Sandbox) -> None:
    plot = block("import matplotlib.pyplot as plt\nplt.plot([1, 2]); plt.show()")
    other = block("import matplotlib.pyplot as plt\nplt.plot([5, 0, 7]); plt.show()")
    with store.create() as session:
        model = ScriptedModel([plot, "Drawn.", other, "Drawn again."])
        with Interpreter(model, sandbox=shared_sandbox, session=session) as it:
            it.run("Draw")
            it.comment("Too thin", "plt.plot", cell=5)
            it.run("Again")
    lines = (session.folder / "events.jsonl").read_text().splitlines()
    with store.fork(session.id, turn=0) as fork:
        made = (fork.folder / "events.jsonl").read_text().splitlines()
        figures = [row["output"]["display"] for row in fork.events() if row["type"] == "output_delta"]
    assert made[1:-1] == lines[1 : len(made) - 1]
    assert json.loads(made[-1])["type"] == "forked"
    assert all(display["data"]["image/png"] for display in figures)
    assert len(list((fork.folder / "outputs").iterdir())) == 1
    assert len(list((session.folder / "outputs").iterdir())) == 2
    with store.open(fork.id) as again:
        model = ScriptedModel(["I see."])
        with Interpreter(model, sandbox=shared_sandbox, session=again) as it:
            it.run("Go on")
    assert "Too thin" in model.requests[0][-1].content


def test_links_are_not_followed_and_sizes_have_a_limit(store: SessionStore, three: str, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    workspace = store.folder(three) / "workspace"
    (workspace / "file").symlink_to(secret / "key")
    (workspace / "folder").symlink_to(secret)
    os.mkfifo(workspace / "pipe")
    (workspace / "deep" / "er").mkdir(parents=True)
    (workspace / "deep" / "er" / "run.sh").write_text("#!/bin/sh")
    (workspace / "deep" / "er" / "run.sh").chmod(0o755)
    (workspace / "empty").mkdir()
    with store.fork(three) as fork:
        found = sorted(str(path.relative_to(fork.workspace)) for path in fork.workspace.rglob("*"))
        assert found == ["data.txt", "deep", "deep/er", "deep/er/run.sh", "empty"]
        assert os.access(fork.workspace / "deep" / "er" / "run.sh", os.X_OK)
    with (workspace / "holes").open("wb") as file:
        file.truncate(3 << 20)
    folders = set(store.root.iterdir())
    with pytest.raises(InputError, match="too large to be copied: 2 MB in all at most; delete some first"):
        store.fork(three, limit_mb=2)
    assert set(store.root.iterdir()) == folders


def test_what_cannot_be_forked_is_said(
    store: SessionStore, three: str, talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(UnknownSessionError):
        store.fork("nothing")
    for turn in (3, -1):
        with pytest.raises(InputError, match="no such turn to fork from; the session has 3"):
            store.fork(three, turn=turn)
    with store.create() as empty, pytest.raises(InputError, match="nothing to fork yet"):
        store.fork(empty)
    with store.open(three) as session, talk(session, ["A long story."]) as it:
        with pytest.raises(SessionBusyError, match="open in another program"):
            store.fork(three)
        with store.fork(session) as fork:
            assert fork.id != session.id
        events = it.stream("Tell")
        next(events)
        with pytest.raises(SessionBusyError, match="wait for it, or stop it first"):
            store.fork(session)
        assert isinstance(list(events)[-1], Answer)
        with store.fork(session) as fork:
            pass
    assert len(tasks(store, fork.id, talk)) == 4
    folders = set(store.root.iterdir())

    def full(*_given: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("shutil.copyfileobj", full)
    with pytest.raises(SessionError, match="cannot be copied: No space left on device"):
        store.fork(three)
    assert set(store.root.iterdir()) == folders


def test_an_index_of_an_earlier_version_is_gone_on_with(store: SessionStore, three: str) -> None:
    store.infos()
    index = sqlite3.connect(store.root / "index.sqlite")
    index.execute("DROP TABLE forks")
    index.execute("UPDATE sessions SET title = 'kept'")
    index.commit()
    index.close()
    assert [info.title for info in store.infos()] == ["kept"]
    with store.fork(three) as fork:
        assert store.info(fork.id).forked_from == three


def line_of(it: Interpreter, **more: object) -> Dialog:
    return Dialog.from_json(json.loads(export(it.turns, "jsonl", identity="s", **more)))


def test_a_rating_is_recorded_kept_and_exported(store: SessionStore, talk: Talk) -> None:
    replies = ["Try:\n" + block("1 / 0"), block("print(1)"), "One.", "Two.", "Two again."]
    with store.create() as session, talk(session, replies) as it:
        it.run("one")
        it.run("two")
        it.rate("good", 0)
        it.rate("bad")
    with store.open(session.id) as again, talk(again, ["Two again."]) as it:
        assert [turn.rating for turn in it.turns] == ["good", "bad"]
        rated = [(message.content, message.meta["rating"]) for message in line_of(it) if "rating" in message.meta]
        assert rated == [("One.", "good"), ("Two.", "bad")]
        it.rate(None, 0)
        assert it.run("three")
        it.undo()
        assert [turn.rating for turn in it.turns] == [None, "bad"]
    rows = [row for row in again_events(store, session.id) if row["type"] == "rated"]
    assert [(row["turn"], row["rating"]) for row in rows] == [(0, "good"), (1, "bad"), (0, None)]
    with store.open(session.id) as third, talk(third, ["Better."]) as it:
        assert [turn.rating for turn in it.turns] == [None, "bad"]
        list(it.retry())
        assert [turn.rating for turn in it.turns] == [None, None]


def again_events(store: SessionStore, identity: str) -> list[dict[str, object]]:
    with store.open(identity) as session:
        return list(session.events())


def test_what_cannot_be_rated_is_said(store: SessionStore, talk: Talk) -> None:
    with store.create() as session, talk(session, ["One."]) as it:
        with pytest.raises(InputError, match="There is no answer to rate"):
            it.rate("good")
        it.run("one")
        with pytest.raises(InputError, match="no answer 1 to rate"):
            it.rate("good", 1)
        with pytest.raises(InputError, match="rated good or bad, not 'great'"):
            it.rate("great")  # type: ignore[arg-type]
        list(it.execute("print(2)"))
        with pytest.raises(InputError, match="no answer 1 to rate"):
            it.rate("good")
        assert session.count == sum(1 for _ in session.events())
    assert [row for row in again_events(store, session.id) if row["type"] == "rated"] == []


def test_a_fork_takes_the_ratings_over_and_says_where_it_comes_from(
    store: SessionStore, three: str, talk: Talk
) -> None:
    with store.open(three) as session, talk(session, []) as it:
        it.rate("good", 0)
        it.rate("bad", 2)
    with store.fork(three, turn=1) as fork, talk(fork, []) as it:
        assert [turn.rating for turn in it.turns] == ["good", None]
        dialog = line_of(it, forked=(three, 1))
        assert dialog.meta == {"forked": {"session": three, "turn": 1}}
        assert dialog.messages[1].meta["rating"] == "good"
        notebook = json.loads(export(it.turns, "ipynb", forked=(three, 1)))
        assert notebook["metadata"]["opencodeinterpreter"] == {"forked": {"session": three, "turn": 1}}
    with store.open(three) as session, talk(session, []) as it:
        assert [turn.rating for turn in it.turns] == ["good", None, "bad"]

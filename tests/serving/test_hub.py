"""The hub of sessions: fairness, parking and coming back, how many at a time."""

from __future__ import annotations

import errno
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from scripted_server import make_hub

from opencodeinterpreter import Message, ScriptedModel
from opencodeinterpreter.errors import InputError, SessionError, UnknownModelError, UnknownSessionError
from opencodeinterpreter.interpreter import Session, SessionStore
from opencodeinterpreter.interpreter.session_log import read_numbered
from opencodeinterpreter.serving.fair_queue import SessionModel, Slots
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.refusals import BusyError, OverloadedError
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.sessions_api import describe


@pytest.fixture
def hub_with(tmp_path: Path) -> Iterator[Callable[..., Hub]]:
    hubs: list[Hub] = []

    def make(**settings: Any) -> Hub:
        hubs.append(make_hub(tmp_path / f"sessions-{len(hubs)}", **settings))
        return hubs[-1]

    yield make
    for hub in hubs:
        hub.close()


def do(room: Room, text: str) -> list[dict[str, Any]]:
    before = room.sequence
    room.message(text)
    assert room.wait(60)
    return [row for _, row in read_numbered(room.log, before)]


def printed(rows: list[dict[str, Any]]) -> str:
    return "".join(row["result"]["stdout"] for row in rows if row["type"] == "execution_finished")


def eventually(met: Callable[[], bool], seconds: float = 20) -> bool:
    deadline = time.monotonic() + seconds
    while not met() and time.monotonic() < deadline:
        time.sleep(0.02)
    return met()


def test_those_who_wait_for_the_model_are_served_in_their_order() -> None:
    slots = Slots(2)
    turns = [threading.Event() for _ in range(5)]
    for turn in turns:
        slots.enter(turn)
    assert [turn.is_set() for turn in turns] == [True, True, False, False, False]
    assert [slots.position(turn) for turn in turns] == [0, 0, 1, 2, 3]
    slots.leave(turns[2])  # gave up
    slots.leave(turns[0])
    assert [turn.is_set() for turn in turns] == [True, True, False, True, False]
    slots.leave(turns[1])
    slots.leave(turns[3])
    slots.leave(turns[4])
    assert (slots.waiting, slots.inside) == (0, 0)


def test_sessions_take_turns_at_one_model_and_none_starves() -> None:
    slots, order, lock = Slots(1), [], threading.Lock()
    shared = ScriptedModel(["word " * 4] * 12, delay_seconds=0.002)

    def session(name: str) -> None:
        model = SessionModel(name, lambda: shared, slots)
        for _ in range(4):
            with model.stream([Message("user", "x")]) as reply:
                "".join(reply)
                with lock:
                    order.append(name)

    threads = [threading.Thread(target=session, args=(name,)) for name in "abc"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for start in range(0, 12, 3):
        assert sorted(order[start : start + 3]) == ["a", "b", "c"], order


def test_a_stop_reaches_a_session_that_waits_for_the_model(hub_with) -> None:
    hub = hub_with(slots=1)
    first, second = hub.create(model="slow"), hub.create(model="slow")
    first.message("say: " + "word " * 500)
    assert eventually(lambda: hub.shelf.waiting() == 0 and first.state == "running")
    time.sleep(0.2)
    second.message("say: x")
    assert eventually(lambda: second.position == 1)
    assert second.stop()
    assert second.wait(10)
    assert second.last.outcome == "stopped"
    assert first.state == "running"
    first.stop()


def test_of_many_messages_at_once_one_begins(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_with()
    room = hub.create()
    admit = hub.admit
    # Whoever has been let in takes a while to begin.
    monkeypatch.setattr(hub, "admit", lambda room: (admit(room), time.sleep(0.05)))
    begun, refused = [], []

    def send() -> None:
        try:
            room.message("run: import time; time.sleep(2)")
            begun.append(1)
        except BusyError:
            refused.append(1)

    threads = [threading.Thread(target=send) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert room.wait(60)
    assert (len(begun), len(refused)) == (1, 11)
    assert len(room.turns()) == 1


def test_an_idle_session_is_parked_and_comes_back_with_its_variables(hub_with) -> None:
    hub = hub_with(park_seconds=0.2, sweep_seconds=0.05)
    room = hub.create()
    do(room, "run: x = 40")
    assert eventually(lambda: room.state == "parked")
    assert not room.alive
    rows = do(room, "run: print(x + 2)")
    assert printed(rows) == "42\n"
    kinds = [row["type"] for row in rows]
    assert kinds.index("replay_started") < kinds.index("replay_finished") < kinds.index("turn_started")
    assert [row["type"] for _, row in read_numbered(room.log)].count("parked") >= 1


def test_without_replay_the_model_is_told_what_was_lost(hub_with) -> None:
    hub = hub_with(replay=False)
    room = hub.create()
    do(room, "run: x = 40")
    assert room.park()
    rows = do(room, "run: print('x' in globals())")
    assert printed(rows) == "False\n"
    message = next(row["message"] for row in rows if row["type"] == "turn_started")
    assert "variables and imports are gone" in message
    room.replay()
    assert room.wait(30)
    assert printed(do(room, "run: print(x)")) == "40\n"


def test_a_reset_leaves_no_variables(hub_with) -> None:
    room = hub_with().create()
    do(room, "run: x = 40\nopen('f', 'w').close()")
    room.reset()
    assert printed(do(room, "run: import os\nprint('x' in globals(), os.listdir())")) == "False ['f']\n"
    do(room, "run: y = 2")
    assert room.park()
    assert printed(do(room, "run: print('x' in globals(), y)")).endswith("False 2\n")


def test_a_session_not_used_for_long_is_deleted(hub_with) -> None:
    hub = hub_with(expire_seconds=0.3, sweep_seconds=0.05)
    room = hub.create()
    assert eventually(lambda: not room.folder.exists())
    with pytest.raises(UnknownSessionError):
        hub.room(room.id)


def test_a_kernel_too_many_takes_the_place_of_the_one_not_used_for_longest(hub_with) -> None:
    hub = hub_with(max_kernels=2)
    rooms = [hub.create() for _ in range(3)]
    for number, room in enumerate(rooms):
        do(room, f"run: n = {number}")
    assert [room.state for room in rooms] == ["parked", "idle", "idle"]
    for room in rooms[1:]:
        room.message("run: import time; time.sleep(15)")
    with pytest.raises(OverloadedError, match="All 2 sessions"):
        rooms[0].message("say: x")
    with pytest.raises(BusyError):
        rooms[1].message("say: x")
    for room in rooms[1:]:
        room.stop()
        assert room.wait(30)
    assert printed(do(rooms[0], "run: print(n)")) == "0\n"


def test_too_many_who_wait_are_told_to_come_again(hub_with) -> None:
    hub = hub_with(slots=1, max_waiting=1)
    rooms = [hub.create(model="slow") for _ in range(3)]
    for room in rooms[:2]:
        room.message("say: " + "word " * 500)
    assert eventually(lambda: hub.shelf.waiting() == 1)
    with pytest.raises(OverloadedError) as refused:
        rooms[2].message("say: x")
    assert refused.value.retry_after > 0
    for room in rooms:
        room.stop()


def test_what_cannot_be_done_is_said(hub_with) -> None:
    hub = hub_with()
    room = hub.create()
    with pytest.raises(InputError):
        room.message(" ")
    with pytest.raises(InputError, match="no file"):
        room.message("x", ["none.csv"])
    with pytest.raises(InputError):
        room.run_code("")
    with pytest.raises(UnknownModelError, match="choose one of scripted"):
        hub.create(model="/etc/passwd")
    with pytest.raises(UnknownSessionError):
        hub.room("../" + room.id)
    assert room.state == "parked"


def test_a_closed_hub_leaves_nothing(hub_with) -> None:
    hub = hub_with()
    room = hub.create()
    room.message("run: import time\nprint('in', flush=True)\ntime.sleep(60)")
    assert eventually(lambda: any(row["type"] == "output_delta" for _, row in read_numbered(room.log)))
    hub.close()
    assert not room.alive
    kinds = [row["type"] for _, row in read_numbered(room.log)]
    assert kinds.index("interrupted") < kinds.index("answer")
    with pytest.raises(OverloadedError):
        hub.create()


def test_many_who_come_at_once_get_no_more_kernels_than_there_are(hub_with) -> None:
    hub = hub_with(max_kernels=2)
    rooms = [hub.create() for _ in range(8)]
    refused: list[OverloadedError] = []
    ready = threading.Barrier(8)

    def begin(room: Room) -> None:
        ready.wait()
        try:
            room.message("run: import time; time.sleep(15)")
        except OverloadedError as error:
            refused.append(error)

    threads = [threading.Thread(target=begin, args=(room,)) for room in rooms]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refused) == 6
    assert sum(room.open for room in rooms) == 2
    for room in rooms:
        room.stop()
    assert all(room.wait(30) for room in rooms)


def test_two_sessions_made_in_the_same_second_never_share_a_name(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = iter(["aaaa", "aaaa", "bbbb"])
    monkeypatch.setattr("secrets.token_hex", lambda _bytes: next(drawn))
    monkeypatch.setattr("time.strftime", lambda _form: "20260101-000000-")
    hub = hub_with()
    assert [hub.create().id for _ in range(2)] == ["20260101-000000-aaaa", "20260101-000000-bbbb"]


def test_an_index_that_another_program_holds_ends_no_turn_and_is_not_thrown_away(hub_with) -> None:
    hub = hub_with()
    room = hub.create()
    path = hub.store.root / "index.sqlite"
    before = path.stat().st_ino
    holder = sqlite3.connect(path)
    holder.execute("BEGIN EXCLUSIVE")
    try:
        rows = do(room, "say: fine")
    finally:
        holder.rollback()
        holder.close()
    assert (rows[-1]["type"], rows[-1]["text"]) == ("answer", "fine")
    assert path.stat().st_ino == before
    do(room, "say: again")
    assert [(info.title, info.turns) for info in hub.infos()] == [("say: fine", 2)]


def test_a_session_is_described_without_looking_at_all_others(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_with()
    room = hub.create(title="Mine")
    monkeypatch.setattr(hub.store, "infos", lambda *_: pytest.fail("all sessions were looked at"))
    assert describe(room, hub).title == "Mine"
    assert hub.store.info("20200101-000000-aaaa") is None


def test_a_session_is_deleted_in_the_middle_of_a_run(hub_with) -> None:
    hub = hub_with()
    room, other = hub.create(), hub.create()
    room.message("run: import time; time.sleep(15)")
    hub.delete(room)
    assert not room.folder.exists()
    with pytest.raises(UnknownSessionError):
        hub.room(room.id)
    assert printed(do(other, "run: print('fine')")) == "fine\n"


def test_a_session_that_cannot_be_given_to_its_owner_is_not_made(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_with()
    room = hub.create(owner="ann")
    do(room, "say: hello")
    write = Path.write_text

    def written(path: Path, *given: Any, **named: Any) -> int:
        if path.name == "owner":
            raise OSError(errno.ENOSPC, "No space left on device")
        return write(path, *given, **named)

    monkeypatch.setattr(Path, "write_text", written)
    for make in (lambda: hub.create(owner="ann"), lambda: hub.fork(room)):
        with pytest.raises(SessionError, match="No space left on device"):
            make()
    assert [info.id for info in hub.infos(None)] == [room.id]
    assert [path.parent.name for path in hub.store.root.glob("*/workspace")] == [room.id]
    assert [each.id for each in hub.rooms()] == [room.id]


def fails_in(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nothing more be written to the log of one session."""
    append = Session.append

    def appended(session: Session, event: dict[str, Any]) -> int:
        if session.id == room.id:
            raise SessionError("The session could not be saved: No space left on device.")
        return append(session, event)

    monkeypatch.setattr(Session, "append", appended)


def test_a_session_that_cannot_be_saved_is_parked_and_keeps_no_other_from_it(
    hub_with, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = hub_with(park_seconds=0.2, sweep_seconds=0.05)
    bad, good = hub.create(), hub.create()
    for room in (bad, good):
        room.choose(approve=False)
    fails_in(bad, monkeypatch)
    assert eventually(lambda: bad.state == good.state == "parked")
    assert bad.fault is None  # no run was lost


def test_a_session_that_cannot_be_saved_makes_place_for_another(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_with(max_kernels=1)
    bad, good = hub.create(), hub.create()
    bad.choose(approve=False)
    fails_in(bad, monkeypatch)
    assert do(good, "say: fine")[-1]["text"] == "fine"


def test_sessions_expire_beside_one_that_cannot_be_deleted_or_parked(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_with(park_seconds=0.1, expire_seconds=0.4, sweep_seconds=0.05)
    bad = hub.create()
    bad.choose(approve=False)
    monkeypatch.setattr(bad, "park", lambda *_: (_ for _ in ()).throw(RuntimeError("cannot be parked")))
    delete = hub.store.delete

    def deleted(identity: str) -> None:
        if identity == bad.id:
            raise PermissionError(errno.EACCES, "Permission denied")
        delete(identity)

    monkeypatch.setattr(hub.store, "delete", deleted)
    others = [hub.create() for _ in range(3)]
    assert eventually(lambda: not any(room.folder.exists() for room in others))
    assert bad.folder.exists()


def test_sessions_expire_though_their_index_cannot_be_read(hub_with, monkeypatch: pytest.MonkeyPatch) -> None:
    hub = hub_with(expire_seconds=0.3, sweep_seconds=0.05)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    room = hub.create()
    monkeypatch.setattr(hub.store, "infos", full)
    assert eventually(lambda: not room.folder.exists())


def test_what_another_program_deleted_is_forgotten(hub_with) -> None:
    hub = hub_with(sweep_seconds=0.05)
    gone, kept = hub.create(), hub.create()
    told: list[str] = []
    hub.gone.append(told.append)
    SessionStore(hub.store.root).delete(gone.id)
    assert eventually(lambda: hub.rooms() == [kept])
    assert told == [gone.id]
    hub.delete(kept)
    assert hub.rooms() == []
    assert told == [gone.id, kept.id]

"""The measurement of many users: a small crowd at a real server, and how what was measured is kept and told."""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from benchmarks.serving import __main__ as program
from benchmarks.serving import report
from benchmarks.serving.crowd import at_once
from benchmarks.serving.many import Level, Load, level, scripted_server
from benchmarks.serving.parking import Parking
from benchmarks.serving.records import Records
from benchmarks.serving.users import Talk, Users, users
from benchmarks.serving.visitor import WrongAnswerError

MACHINE = {"cores": "2", "load before": "0.10 running processes a core"}


def record(part: str, result: Any, busy: bool = False) -> dict[str, Any]:
    row = {"part": part, "date": "2026-01-02", "commit": "abc1234", "machine": MACHINE, "busy": busy}
    return {**row, "result": asdict(result)}


def test_three_people_at_once_get_what_they_asked_for_and_leave_nothing() -> None:
    found = level(Load(sessions=3, executions=2, paced=1, pause_seconds=0.01, turns=1), lambda _: None)

    assert (found.errors, found.left) == ([], [])
    assert [len(each) for each in (found.starts, found.executions, found.paced, found.turns)] == [3, 6, 3, 3]
    assert len(found.bare) == 6
    assert 0 < found.server_alone < found.server + found.jails
    assert found.cpu_an_execution > 0


def test_a_wrong_answer_and_what_is_left_are_seen() -> None:
    with scripted_server(1) as (server, [visitor]):
        visitor.begin()
        with pytest.raises(WrongAnswerError, match="was to be printed"):
            visitor.execute("print(2)", "1")
        assert any(line.startswith("process ") for line in server.left())
        assert any(line.startswith("session ") for line in server.left())
        visitor._http.get("/api/v1/sessions/none")
        deadline = time.monotonic() + 10  # the line is written after the answer
        while not server.faults() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert [json.loads(line)["status"] for line in server.faults()] == [404]
        assert server.end() == []


def test_one_who_fails_is_counted_and_the_others_go_on() -> None:
    errors: list[str] = []
    assert sorted(at_once([1, 0, 2], lambda person, number: 2 // person, errors)) == [1, 2]
    assert errors == ["session 1: ZeroDivisionError: integer division or modulo by zero"]


def test_the_tables_give_medians_ratios_and_what_went_wrong() -> None:
    one = Level(Load(1, 3, 0, 1.0, 0), bare=[0.004] * 3, executions=[0.01, 0.012, 0.02], server=80, server_alone=70)
    ten = Level(Load(10, 1, 1, 2.0, 0), bare=[0.02], executions=[0.1], paced=[0.008], jails=300, server=80)
    ten.errors.append("session 4: refused")
    parked = Parking(2, before=200, after=100, returned=[1.5])
    talk = Talk(0, 0, first=0.5, answered=2.0, tokens=40, prompt=400, cached=300, outcome="answered")
    slow = Talk(0, 0, first=0.5, answered=5.0, tokens=50, prompt=400, cached=100, outcome="answered")
    records = [
        record("sessions-1", one),
        record("sessions-10", ten, busy=True),
        record("parking", parked),
        record("users-2", Users("small", 2, alone=[talk], at_once=[slow])),
    ]

    text = report.tables(records)

    assert "| an execution, one after the other without a pause | 12 ms (19 ms) | 100 ms (100 ms) |" in text
    assert "| ratio of the two | 3.0× | 5.0× |" in text
    assert "| ratio to one bare `Sandbox` with the machine to itself | - | 2.0× |" in text
    assert "| memory a session, its jail and the server's growth | 10.0 MiB | 38.0 MiB |" in text
    assert "| errors | none | **1** |" in text
    assert "| saved by parking a session | 50.0 MiB |" in text
    assert "| how many times longer than alone, each person | 1 | 2.0 to 2.0 (by token) |" in text
    assert "| prompt tokens out of the cache, each session | 75 to 75 % | 25 to 25 % |" in text
    assert "- sessions-10: session 4: refused" in text
    assert "other work before: sessions-10;" in text
    assert not report.faultless(records)
    assert report.faultless(records[:1])


def test_a_page_keeps_what_a_person_wrote_around_the_tables(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    records = [record("parking", Parking(2))]
    report.write(page, records)
    page.write_text(page.read_text().replace("# Many users", "# Ours\n\nBefore.") + "\nAfter.\n")
    once = page.read_text()
    report.write(page, records)
    assert page.read_text() == once
    assert once.startswith("# Ours\n\nBefore.")
    assert once.endswith("\nAfter.\n")
    assert "| errors | none |" in once
    assert "Not measured yet: many sessions, people with a model." in once


def test_a_part_that_was_measured_is_not_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measured: list[str] = []

    def parts(quick: bool, model: str) -> dict[str, Any]:
        return {name: lambda name=name: measured.append(name) or Parking(1) for name in ("parking", "parking-2")}

    monkeypatch.setattr(program, "parts", parts)
    words = ["--records", str(tmp_path / "records.jsonl")]
    assert program.main([*words, "--only", "parking-2"]) == 0
    assert program.main(words) == 0
    assert measured == ["parking-2", "parking"]
    assert set(Records(tmp_path / "records.jsonl").found) == {"parking", "parking-2"}
    with pytest.raises(SystemExit):
        program.main(["--only", "nothing"])


def test_people_are_measured_alone_and_at_once(tmp_path: Path) -> None:
    script = tmp_path / "script.json"
    script.write_text(json.dumps(["Words, and no code."] * 40))

    found = users(f"scripted:{script}", parallel=1, people=2, progress=lambda _: None)

    assert (found.errors, found.left) == ([], [])
    for talks in (found.alone, found.at_once):
        assert sorted((talk.person, talk.message) for talk in talks) == [(0, 0), (0, 1), (1, 0), (1, 1)]
        assert all(0 < talk.first <= talk.answered for talk in talks)
        assert all(talk.tokens and talk.prompt for talk in talks)
    assert found.memory > 0
    assert "| to the first text |" in report.tables([record("users-1", found)])

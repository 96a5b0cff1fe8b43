"""The journal, whatever a kill or a broken disk makes of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.pipeline.entries import Entry, Stored
from opencodeinterpreter.codefeedback.pipeline.journal import Journal, differences
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome
from opencodeinterpreter.errors import InputError

DECIDING = {"stage": "x", "settings": {"seed": 1}}
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.text(max_size=3), max_size=2)
ROWS = st.dictionaries(st.text(max_size=4), VALUES, max_size=3)
OUTCOMES = st.builds(
    Outcome,
    st.lists(ROWS, max_size=2).map(tuple),
    st.lists(st.builds(Drop, st.text(max_size=5), st.text(max_size=5), st.none() | ROWS), max_size=2).map(tuple),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
)


def entries_of(outcomes: list[Outcome]) -> list[Entry]:
    return [Entry(index, outcome, bad=index % 3 == 2) for index, outcome in enumerate(outcomes)]


@given(outcomes=st.lists(OUTCOMES, max_size=8), data=st.data())
def test_entries_come_back_in_order_wherever_the_journal_was_cut_off(
    outcomes: list[Outcome], data: st.DataObject, tmp_path_factory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.journal"
    path.unlink(missing_ok=True)
    entries = entries_of(outcomes)
    with Journal(path, DECIDING) as journal:
        for entry in data.draw(st.permutations(entries)):
            journal.append(entry)
    whole = path.read_bytes()
    path.write_bytes(
        whole[: data.draw(st.integers(0, len(whole)))] + data.draw(st.sampled_from([b"", b"\0", b'{"i":1']))
    )
    with Journal(path, DECIDING) as journal:
        before = len(journal)
        assert before == len({entry.index for entry in entries if entry.index in journal})
        for entry in entries:
            journal.append(entry)
        assert list(journal.entries()) == [Stored.of(entry) for entry in entries]
        assert len(journal) == journal.first_missing == len(entries)
        assert journal.bad == sum(entry.bad for entry in entries)
        assert journal.kept == sum(len(entry.outcome.rows) for entry in entries)
        assert journal.dropped == sum(len(entry.outcome.drops) for entry in entries)


def test_a_line_that_a_broken_disk_has_spoilt_is_done_again(tmp_path: Path) -> None:
    path, entries = tmp_path / "any.journal", entries_of([Outcome(({"n": n},)) for n in range(4)])
    with Journal(path, DECIDING) as journal:
        for entry in entries:
            journal.append(entry)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines[:2], b"\x00garbage\n", *lines[3:]]))
    with Journal(path, DECIDING) as journal:
        assert [index for index in range(4) if index not in journal] == [1]
        journal.append(entries[1])
        assert list(journal.entries()) == [Stored.of(entry) for entry in entries]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("hello\n", "no journal of a stage"),
        ("[]\n", "no journal of a stage"),
        (json.dumps({"format": 9, "started": "", "deciding": {}}) + "\n", "another version of this program"),
    ],
)
def test_a_file_that_is_no_journal_is_left_alone(text: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "any.journal"
    path.write_text(text)
    with pytest.raises(InputError, match=reason):
        Journal(path, DECIDING)
    assert path.read_text() == text
    with Journal(path, DECIDING, restart=True) as journal:
        assert len(journal) == 0


@pytest.mark.parametrize(
    ("mine", "theirs", "told"),
    [
        ({"a": 1}, {"a": 1}, ""),
        ({"a": {"b": 1, "c": 2}}, {"a": {"b": 2, "c": 2}}, "a.b (1, not 2)"),
        ({"a": [1]}, {"a": [2]}, "a ([1], not [2])"),
        ({"a": 1, "b": 2}, {"a": 1}, "b (2, not null)"),
        ({}, {"a": {"b": 1}}, "a.b (null, not 1)"),
    ],
)
def test_what_differs_is_named(mine: dict[str, Any], theirs: dict[str, Any], told: str) -> None:
    assert differences(mine, theirs) == told

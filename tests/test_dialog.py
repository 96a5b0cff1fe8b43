"""Dialogs and their stored form."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.dialog import Dialog, Message, read_dialogs, write_dialogs
from opencodeinterpreter.errors import InputError

MESSAGES = st.builds(
    Message,
    st.sampled_from(["system", "user", "assistant"]),
    st.text(st.characters(codec="utf-8")),
    st.dictionaries(st.text(max_size=5), st.booleans(), max_size=2),
)
METAS = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=5), max_size=2)
DIALOGS = st.builds(
    Dialog, st.lists(MESSAGES, max_size=5).map(tuple), st.none() | st.integers() | st.text(max_size=8), METAS
)


@given(dialogs=st.lists(DIALOGS, max_size=4))
def test_what_is_written_is_read_back(dialogs: list[Dialog], tmp_path_factory) -> None:
    path = tmp_path_factory.getbasetemp() / "dialogs.jsonl"
    write_dialogs(dialogs, path)
    again = list(read_dialogs(path))
    assert again == dialogs
    assert [[dict(message.meta) for message in dialog] for dialog in again] == [
        [dict(message.meta) for message in dialog] for dialog in dialogs
    ]
    assert [dict(dialog.meta) for dialog in again] == [dict(dialog.meta) for dialog in dialogs]
    assert len(path.read_text(encoding="utf-8").splitlines()) == len(dialogs)


def test_the_stored_form_is_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "one.jsonl"
    write_dialogs([Dialog((Message("user", "hi"), Message("assistant", "hello")), 7)], path)
    assert json.loads(path.read_text()) == {
        "id": 7,
        "messages": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "hello"}],
    }


def test_what_is_known_of_a_dialog_is_stored_with_it_and_is_no_part_of_what_it_says() -> None:
    told, plain = Dialog((Message("user", "hi"),), 7, {"method": "packing"}), Dialog((Message("user", "hi"),), 7)
    assert told == plain
    assert told.to_json()["meta"] == {"method": "packing"}
    assert told.adding(Message("assistant", "hello")).meta == {"method": "packing"}


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("{", "not a dialog"),
        ("[]", "object with a list of messages"),
        ('{"id": 1}', "object with a list of messages"),
        ('{"messages": [{"role": "tool", "content": ""}]}', "role must be one of"),
        ('{"messages": [{"role": "user", "content": 1}]}', "content must be text"),
        ('{"messages": ["hi"]}', "must be an object"),
        ('{"messages": [{"role": "user", "content": "", "meta": 3}]}', "meta must be an object"),
        ('{"id": [], "messages": []}', "id must be text or a number"),
        ('{"messages": [], "meta": []}', "meta must be an object"),
    ],
)
def test_a_line_that_is_no_dialog_is_named(line: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": 1, "messages": []}\n\n' + line + "\n")
    with pytest.raises(InputError, match=f"bad.jsonl:3.*{reason}"):
        list(read_dialogs(path))

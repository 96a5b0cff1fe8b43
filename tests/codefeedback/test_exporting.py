"""Dialogs in other forms: there and back, and read by the ``datasets`` library."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.files.exporting import FORMS, export_dialogs, from_form, read_dialog_file, to_form
from opencodeinterpreter.dialog import Dialog, Message, write_dialogs
from opencodeinterpreter.errors import InputError

SAMPLE = Dialog(
    (
        Message("system", "Be brief."),
        Message("user", "Print 1.", {"kind": "query"}),
        Message("assistant", "```python\nprint(1)\n```",
                {"kind": "answer", "train": False, "passed": True, "executed": True, "source": "a", "licence": "MIT"}),
        Message("user", "Execution result: \n1", {"kind": "execution", "exec": {"stdout": "1\n"}}),
        Message("assistant", "It is 1.", {"kind": "answer", "train": True, "language": ""}),
        Message("user", "I changed the code.\nExecution result: \n2", {"kind": "human"}),
        Message("assistant", "So it is 2.", {"train": True}),
    ),
    "d-1",
    {"method": "simulation", "language": "python", "licence": "MIT", "sources": ["a", "b"]},
)  # fmt: skip

messages = st.builds(
    Message,
    st.sampled_from(["user", "assistant"]),
    st.text(max_size=30),
    st.fixed_dictionaries(
        {"kind": st.sampled_from(["answer", "human"])},
        optional={
            "train": st.booleans(),
            "passed": st.booleans(),
            "language": st.sampled_from(["python", "go"]),
            "source": st.just("a source"),
            "licence": st.just("MIT"),
        },
    ),
)
dialogs = st.builds(
    Dialog,
    st.lists(messages, min_size=1, max_size=5).map(tuple),
    st.text("abc123-", min_size=1, max_size=8),
    st.fixed_dictionaries({}, optional={"method": st.just("packing"), "sources": st.just(["x"])}),
)


def said(dialog: Dialog) -> list[tuple[str, str]]:
    return [(each.role, each.content) for each in dialog]


@pytest.mark.parametrize("form", FORMS)
@settings(max_examples=30)
@given(dialog=dialogs)
def test_there_and_back(form: str, dialog: Dialog) -> None:
    row = json.loads(json.dumps(to_form(dialog, form)))
    again = from_form(row, form)
    assert (again.id, said(again)) == (dialog.id, said(dialog))
    if form == "messages":
        assert [each.meta for each in again] == [each.meta for each in dialog]
        assert again.meta == dialog.meta
    assert to_form(again, form) == row


def test_the_forms_as_they_are() -> None:
    assert to_form(SAMPLE, "code-feedback") == {
        "id": "d-1",
        "messages": [{"role": each.role, "content": each.content} for each in SAMPLE],
    }
    assert [each["role"] for each in to_form(SAMPLE, "tool")["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
        "assistant",
        "user",  # what a person said, with a result in it
        "assistant",
    ]
    assert to_form(SAMPLE, "tool")["messages"][3]["content"] == "1"
    assert to_form(SAMPLE, "sharegpt")["conversations"][:3:2] == [
        {"from": "system", "value": "Be brief."},
        {"from": "gpt", "value": "```python\nprint(1)\n```"},
    ]
    row = to_form(SAMPLE, "messages")
    assert row["messages"][2] == {
        "role": "assistant",
        "content": "```python\nprint(1)\n```",
        "kind": "answer",
        "language": "",
        "passed": True,
        "train": False,
        "executed": True,
        "source": "a",
        "licence": "MIT",
    }
    assert (row["method"], row["sources"]) == ("simulation", ["a", "b"])
    with pytest.raises(InputError, match="choose one of"):
        to_form(SAMPLE, "alpaca")


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("ending", [".jsonl", ".jsonl.gz", ".parquet"])
def test_the_datasets_library_reads_it(form: str, ending: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    datasets.disable_progress_bars()
    out = tmp_path / f"x{ending}"
    plain = Dialog((Message("user", "a ☃ \u2028"), Message("assistant", "b")), 7)
    assert export_dialogs([SAMPLE, plain] * 3, form, out) == 6
    kind = "parquet" if ending == ".parquet" else "json"
    loaded = datasets.load_dataset(kind, data_files=str(out), split="train", cache_dir=str(tmp_path / "cache"))
    assert loaded.num_rows == 6
    for row, dialog in zip(loaded, [SAMPLE, plain], strict=False):
        assert row["id"] == str(dialog.id)
        assert said(from_form(row, form)) == said(dialog)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_dialogs=st.lists(dialogs, max_size=4))
def test_parquet_and_lines_hold_the_same(tmp_path: Path, given_dialogs: list[Dialog]) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    lines, table = tmp_path / "a.jsonl", tmp_path / "a.parquet"
    for path in (lines, table):
        export_dialogs(given_dialogs, "messages", path)
    rows: list[Any] = [json.loads(line) for line in lines.read_text("utf-8").split("\n") if line]
    assert parquet.read_table(table).to_pylist() == rows


def test_what_cannot_be_stored_as_utf8_does_not_stop_it(tmp_path: Path) -> None:
    broken = Dialog((Message("user", "half \ud83d"), Message("assistant", "x")), "b")
    for ending in (".jsonl", ".parquet"):
        assert export_dialogs([broken], "code-feedback", tmp_path / f"x{ending}") == 1


def test_the_same_dialogs_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        export_dialogs([SAMPLE] * 3, "messages", tmp_path / f"{name}.jsonl.gz")
    assert (tmp_path / "a.jsonl.gz").read_bytes() == (tmp_path / "b.jsonl.gz").read_bytes()


def test_a_file_that_is_not_whole_does_not_appear(tmp_path: Path) -> None:
    def failing() -> Any:
        yield SAMPLE
        raise InputError("line 2")

    with pytest.raises(InputError):
        export_dialogs(failing(), "messages", tmp_path / "x.jsonl")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(InputError, match="must end in"):
        export_dialogs([SAMPLE], "messages", tmp_path / "x.csv")


def test_files_of_dialogs_are_read_and_a_broken_line_is_named(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    write_dialogs([SAMPLE, SAMPLE], path)
    assert list(read_dialog_file(path)) == [SAMPLE, SAMPLE]
    path.write_text(path.read_text("utf-8") + '{"id": 1}\n', encoding="utf-8")
    with pytest.raises(InputError, match=r"d\.jsonl:3"):
        list(read_dialog_file(path))

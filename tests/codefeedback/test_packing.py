"""Packing single turns into dialogs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.methods.packing import PackingSettings, PackingStage, pack
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Outcome, Row, Table
from opencodeinterpreter.codefeedback.similarity.neighbours import Neighbours
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import ConfigError

THINGS = ["list of numbers", "text file", "web server", "database table", "binary tree", "matrix of floats"]
DEEDS = ["sort", "read", "print", "test", "copy", "delete", "compress"]


def query(number: int, text: str, language: str = "python", answer: str = "Use `sorted`.") -> Row:
    return {
        "id": f"q{number}",
        "query": text,
        "answer": answer,
        "language": language,
        "source": f"source {number % 2}",
        "licence": "MIT",
    }


def rows() -> list[Row]:
    texts = [f"How do I {deed} a {thing} in the quickest way?" for thing in THINGS for deed in DEEDS]
    return [query(n, text, ["python", "java"][n % 3 == 2]) for n, text in enumerate(texts)]


def packed(given_rows: list[Row], folder: Path, **settings: object) -> list[Outcome]:
    chosen: dict[str, object] = {"model": "tfidf", "floor": 0.3, **settings}
    return list(PackingStage(PackingSettings(**chosen)).build(Table(given_rows, folder)))  # type: ignore[arg-type]


def dialogs(outcomes: list[Outcome]) -> list[Dialog]:
    return [Dialog.from_json(row) for outcome in outcomes for row in outcome.rows]


def ids(dialog: Dialog) -> list[str]:
    return [message.meta["id"] for message in dialog if message.role == "user"]


def test_every_query_is_used_once_or_reported(tmp_path: Path) -> None:
    outcomes = packed(rows(), tmp_path)
    used = [identity for dialog in dialogs(outcomes) for identity in ids(dialog)]
    left = [drop.row["id"] for outcome in outcomes for drop in outcome.drops if drop.row]
    assert sorted(used + left) == sorted(row["id"] for row in rows())
    assert len(used) > len(left)
    assert {drop.reason for outcome in outcomes for drop in outcome.drops} <= {
        "all neighbours are used",
        "no neighbour above the floor in its language",
    }


def test_a_dialog_is_queries_with_their_answers_of_one_language(tmp_path: Path) -> None:
    of = {row["id"]: row for row in rows()}
    found = dialogs(packed(rows(), tmp_path))
    assert found
    for dialog in found:
        assert [message.role for message in dialog] == ["user", "assistant"] * (len(dialog) // 2)
        assert 2 <= len(dialog) // 2 <= 4
        assert {of[identity]["language"] for identity in ids(dialog)} == {dialog.meta["language"]}
        for asked, said in zip(dialog.messages[::2], dialog.messages[1::2], strict=True):
            assert asked.content == of[asked.meta["id"]]["query"]
            assert (asked.meta["kind"], said.meta["kind"], said.meta["train"]) == ("query", "answer", True)
            assert said.meta["executed"] is False
            row = of[asked.meta["id"]]
            for each in (asked, said):
                assert (each.meta["source"], each.meta["licence"]) == (row["source"], row["licence"])
        assert all(message.meta["similarity"] >= 0.3 for message in dialog.messages[2::2])
        assert dialog.meta["method"] == "packing"
        assert dialog.meta["licence"] == "MIT"
        assert dialog.meta["models"]["embedding"].startswith("tfidf:")


def test_the_same_seed_gives_the_same_bytes_and_another_one_others(tmp_path: Path) -> None:
    one, again, other = (
        json.dumps([row for outcome in packed(rows(), tmp_path, seed=seed) for row in outcome.rows])
        for seed in (1, 1, 2)
    )
    assert one == again
    assert one != other


def test_the_size_of_dialogs_is_a_setting(tmp_path: Path) -> None:
    sizes = {len(dialog) // 2 for dialog in dialogs(packed(rows(), tmp_path, taken=(1,), at_least=1))}
    assert sizes == {2}


def test_what_cannot_be_packed_is_dropped_with_its_reason(tmp_path: Path) -> None:
    given_rows = [
        query(0, "Sort a list of numbers in Python."),
        query(1, "Sort the list of numbers in Python."),
        query(2, "Sort a list of numbers, please.", answer=" "),
        query(3, "Sort a list of numbers now.", language=""),
        query(4, "Sort a list of numbers in Python.", language="ruby"),
        query(5, "Why is the sky blue?"),
    ]
    outcomes = packed(given_rows, tmp_path, floor=0.5)
    assert [sorted(ids(dialog)) for dialog in dialogs(outcomes)] == [["q0", "q1"]]
    assert {drop.row["id"]: drop.reason for outcome in outcomes for drop in outcome.drops if drop.row} == {
        "q2": "no answer",
        "q3": "language unknown",
        "q4": "no neighbour above the floor in its language",
        "q5": "no neighbour above the floor in its language",
    }
    assert len(dialogs(packed(given_rows, tmp_path, floor=0.5, any_language=True))) == 1


def test_nothing_to_pack_is_no_error(tmp_path: Path) -> None:
    assert packed([], tmp_path) == []
    assert dialogs(packed([query(0, "Alone.")], tmp_path)) == []


def test_nothing_but_vectors_is_left_in_the_folder(tmp_path: Path) -> None:
    packed(rows(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["embeddings"]


def test_a_row_that_is_no_query_is_set_aside_with_its_place(tmp_path: Path) -> None:
    given_rows = [*rows(), {"id": "p", "statement": "Sort.", "solutions": []}, {"id": "q", "answer": "Yes."}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in given_rows))
    stage = PackingStage(PackingSettings(model="tfidf", floor=0.3))
    ended = run_stage(Job(stage=stage, inputs=[tmp_path / "in.jsonl"], out=tmp_path / "packed.jsonl"))
    dropped = [json.loads(line) for line in (tmp_path / "packed.dropped.jsonl").read_text().splitlines()]
    assert [drop["detail"] for drop in dropped if drop["reason"] == "bad record"] == [
        "in.jsonl:43: this is a problem, not a query; the stage queries makes queries of problems",
        "in.jsonl:44: a query lacks query",
    ]
    assert ended.manifest["rows_in"] == len(given_rows)


@pytest.mark.parametrize(
    "settings",
    [
        {"taken": ()},
        {"taken": (0, 2)},
        {"taken": (5,)},
        {"at_least": 3},
        {"model": "bert-base-uncased"},
    ],
)
def test_settings_that_cannot_be_used_are_refused_at_once(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        PackingSettings(**settings)  # type: ignore[arg-type]


@given(st.lists(st.lists(st.integers(0, 19), max_size=4, unique=True), min_size=20, max_size=20), st.integers(0, 5))
def test_groups_hold_a_query_and_some_of_its_neighbours_each_once(near: list[list[int]], seed: int) -> None:
    import numpy as np

    indices = np.full((20, 4), -1)
    for number, others in enumerate(near):
        real = [other for other in others if other != number]
        indices[number, : len(real)] = real
    found = Neighbours(indices, np.ones((20, 4), np.float32))
    groups = pack(found, PackingSettings(seed=seed))
    used = [number for group in groups for number in group]
    assert len(used) == len(set(used))
    for group in groups:
        assert 2 <= len(group) <= 4
        assert set(group[1:]) <= set(indices[group[0]].tolist())
    for number in set(range(20)) - set(used):
        assert all(other in used for other in indices[number] if other >= 0)

"""``ocint data``: the commands, by the real program."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from cli_program import Program

ROWS = [
    {
        "instruction": f"Write a Python function that adds {n} to a list.",
        "output": f"```python\ndef f(a):\n    return a + [{n}]\n```",
    }
    for n in range(40)
]
OTHER = {"instruction": "How do I reverse a string in Python?", "output": "```python\ntext[::-1]\n```"}


@pytest.fixture
def source(ocint: Program) -> Path:
    path = ocint.work / "alpaca.json"
    path.write_text(json.dumps([*ROWS, OTHER]))
    return path


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_read_tells_what_it_made_and_a_second_time_that_it_is_there(ocint: Program, source: Path) -> None:
    ended = ocint("data", "read", source.name, "-o", "q.jsonl", "--licence", "CC0-1.0", "--source", "mine")
    assert (ended.code, ended.out) == (0, "41 in, 41 rows → q.jsonl\n"), ended.err
    rows = rows_of(ocint.work / "q.jsonl")
    assert [rows[0]["id"], rows[0]["licence"], rows[0]["source"]] == ["alpaca/1", "CC0-1.0", "mine"]
    manifest = json.loads((ocint.work / "q.manifest.json").read_text())
    assert manifest["command"] == "ocint data read alpaca.json -o q.jsonl --licence CC0-1.0 --source mine"
    again = ocint("data", "read", source.name, "-o", "q.jsonl", "--licence", "CC0-1.0", "--source", "mine")
    assert (again.code, again.out) == (0, "q.jsonl is there already, with 41 rows\n")
    other = ocint("data", "read", source.name, "-o", "q.jsonl", "--licence", "MIT", "--source", "mine")
    assert other.code == 2
    assert 'settings.licence ("MIT", not "CC0-1.0")' in other.err
    assert "--restart" in other.err


def test_stages_follow_each_other_by_their_files(ocint: Program, source: Path) -> None:
    assert ocint("data", "read", source.name, "-o", "q.jsonl").code == 0
    ended = ocint("data", "dedup", "q.jsonl", "-o", "d.jsonl", "--threshold", "0.99")
    assert ended.code == 0, ended.err
    taken = ocint("data", "take", "d.jsonl", "-o", "t.jsonl.gz", "-n", "3", "--seed", "1", "--json")
    assert json.loads(taken.out)["rows_out"] == 3
    assert len(gzip.decompress((ocint.work / "t.jsonl.gz").read_bytes()).splitlines()) == 3
    packed = ocint(
        "data", "pack", "d.jsonl", "-o", "p.jsonl", "--embedding", "tfidf", "--floor", "0.1", "--set", "taken=[1]"
    )
    assert packed.code == 0, packed.err
    dialogs = rows_of(ocint.work / "p.jsonl")
    assert dialogs
    assert all(len(dialog["messages"]) == 4 for dialog in dialogs)
    exported = ocint("data", "export", "p.jsonl", "-o", "e.jsonl", "--form", "sharegpt")
    assert exported.code == 0, exported.err
    assert set(rows_of(ocint.work / "e.jsonl")[0]) == {"id", "conversations"}
    stats = ocint("data", "stats", "p.jsonl")
    assert "packing" in stats.out
    assert ocint("data", "card", "p.jsonl", "-o", "README.md").code == 0
    assert "packing" in (ocint.work / "README.md").read_text().lower()
    assert ocint("data", "show", "p.jsonl").code == 0


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["read", "none.jsonl", "-o", "x.jsonl"], "none.jsonl is not there"),
        (["read", "alpaca.json", "-o", "x.jsonl", "--format", "alpacca"], "did you mean alpaca?"),
        (["read", "alpaca.json", "-o", "x.jsonl", "--max-bad", "x"], "--max-bad must be a number"),
        (["read", "hf:org", "-o", "x.jsonl"], "must be hf:organisation/repository"),
        (["read", "hf:org/repo", "-o", "x.jsonl"], "the hub is switched off"),
        (["read", "alpaca.json", "-o", "alpaca.json"], "must end in .jsonl or .jsonl.gz"),
        (["take", "q.jsonl", "-n", "1", "-o", "q.jsonl"], "would be overwritten"),
        (["pack", "alpaca.json", "-o", "x.jsonl", "--set", "takn=[1]"], "no setting 'takn'; did you mean taken?"),
        (["pack", "alpaca.json", "-o", "x.jsonl", "--set", "taken"], "--set needs NAME=VALUE"),
        (["take", "alpaca.json", "-o", "x.jsonl", "-n", "3", "--seed", "x"], "--seed"),
        (["build", "none.yaml"], "none.yaml cannot be read"),
    ],
)
def test_what_cannot_be_is_one_sentence(ocint: Program, source: Path, words: list[str], reason: str) -> None:
    ended = ocint("data", *words)
    assert ended.code in (2, 3)
    assert reason in " ".join(ended.err.split())
    assert "Traceback" not in ended.err


def test_a_build_by_a_recipe(ocint: Program, source: Path) -> None:
    (ocint.work / "recipe.yaml").write_text(
        "name: small\nstages:\n  - {stage: read, files: [alpaca.json], settings: {licence: CC0-1.0}}\n"
        "  - {stage: pack, settings: {model: tfidf, floor: 0.1, taken: [1]}}\n"
    )
    ended = ocint("data", "build", "recipe.yaml")
    assert ended.code == 0, ended.err
    folder = ocint.work / "build" / "small"
    assert (folder / "README.md").exists()
    dialogs = rows_of(folder / "small.jsonl")
    assert f"{len(dialogs)} dialogs in" in ended.out
    assert json.loads((folder / "manifest.json").read_text())["dialogs"] == len(dialogs)
    assert "is there already" in ocint("data", "build", "recipe.yaml").out

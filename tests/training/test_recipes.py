"""Recipes, and the data that they name."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.reading import read_corpus
from opencodeinterpreter.training.recipe import DataRecipe, Recipe, read_recipe

LEAST = "model: smollm2-135m\noutput: out\ndata:\n  dialogs: [rows.jsonl]\n"


def recipe(folder: Path, text: str) -> Recipe:
    path = folder / "recipe.yaml"
    path.write_text(text, encoding="utf-8")
    return read_recipe(path)


def test_defaults_are_the_papers(tmp_path: Path) -> None:
    found = recipe(tmp_path, LEAST)
    assert (found.epochs, found.rate, found.schedule, found.warmup, found.max_tokens) == (3, 2e-5, "cosine", 0.05, 4096)
    assert (found.train_on, found.observations, found.method) == ("passed", False, "full")
    assert recipe(tmp_path, LEAST + "method: lora\n").rate == 1e-4


def test_numbers_are_read_as_people_write_them(tmp_path: Path) -> None:
    text = LEAST + "  single_turn: [one.jsonl]\n  ratio: 2:1\nlearning_rate: 2e-5\nepochs: 2\nwarmup: .1\n"
    found = recipe(tmp_path, text)
    assert (found.ratio, found.rate, found.epochs, found.warmup) == ((2.0, 1.0), 2e-5, 2.0, 0.1)


def test_files_lie_beside_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "rows.jsonl").touch()
    assert recipe(tmp_path, LEAST).data.dialogs == (str(tmp_path / "rows.jsonl"),)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (LEAST + "learning_rates: 1\n", "unknown key learning_rates: did you mean learning_rate?"),
        (LEAST + "lora: {ranks: 4}\n", "unknown key lora.ranks: did you mean rank?"),
        ("model: x\n", "the recipe does not say output"),
        ("model: x\noutput: y\n", "the recipe names no data"),
        (LEAST + "epochs: many\n", 'epochs in the recipe must be a number, not "many"'),
        (LEAST + "epochs: true\n", "epochs in the recipe must be a number, not true"),
        (LEAST + "packing: 1\n", "packing in the recipe must be true or false"),
        (LEAST + "max_tokens: 1.5\n", "max_tokens in the recipe must be a whole number"),
        (LEAST + "epochs: 0\n", "epochs in the recipe must be above 0"),
        (LEAST + "method: qlorra\n", "method in the recipe cannot be 'qlorra': did you mean qlora"),
        (LEAST + "  ratio: 2:1\n", "data.ratio in the recipe needs both"),
        (LEAST + "  single_turn: [a]\n  ratio: two\n", "must be two numbers, such as 2:1"),
        (LEAST + "micro_batch_size: 5\n", "batch_size in the recipe must be a multiple of micro_batch_size"),
        (LEAST + "data: 5\n", "data in the recipe must hold keys of its own"),
        ("- 1\n", "must be a list of keys and values"),
        ("a: [\n", "is not YAML"),
    ],
)
def test_what_is_wrong_with_a_recipe_is_one_sentence(tmp_path: Path, text: str, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        recipe(tmp_path, text)
    assert sentence in str(caught.value)


ROWS = {
    "messages": {"id": 4, "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
    "sharegpt": {"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]},
    "pair": {"instruction": "a", "output": "b"},
    "alpaca": {"instruction": "a", "input": "c", "output": "b"},
}


@pytest.mark.parametrize("form", ROWS)
@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_every_form_of_rows_is_read(tmp_path: Path, form: str, suffix: str) -> None:
    path = tmp_path / f"rows.{suffix}"
    if suffix == "parquet":
        arrow = pytest.importorskip("pyarrow", reason="the data extra is not installed")
        parquet = pytest.importorskip("pyarrow.parquet", reason="the data extra is not installed")
        parquet.write_table(arrow.Table.from_pylist([ROWS[form]] * 3), path)
    else:
        path.write_text("\n".join([json.dumps(ROWS[form])] * 3) + "\n\n", encoding="utf-8")
    corpus = read_corpus(Recipe("m", "o", DataRecipe((str(path),), held_out=1)))
    assert (len(corpus.train), len(corpus.held_out)) == (2, 1)
    asked = "a\n\nc" if form == "alpaca" else "a"
    for dialog in (*corpus.train, *corpus.held_out):
        assert [(each.role, each.content) for each in dialog] == [("user", asked), ("assistant", "b")]
        assert dialog.id is not None
    assert corpus.sources[0].dialogs == 3
    assert len(corpus.sources[0].sha256) == 64


def pairs(path: Path, count: int, mark: str) -> str:
    rows = [{"id": f"{mark}{number}", "instruction": mark, "output": str(number)} for number in range(count)]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return str(path)


@given(
    single=some.integers(1, 40), several=some.integers(1, 40), ratio=some.sampled_from(["2:1", "1:1", "1:5", "1:2.5"])
)
def test_a_ratio_takes_as_many_as_it_allows(
    tmp_path_factory: pytest.TempPathFactory, single: int, several: int, ratio: str
) -> None:
    folder = tmp_path_factory.mktemp("mix")
    data = DataRecipe(
        (pairs(folder / "b.jsonl", several, "b"),), (pairs(folder / "a.jsonl", single, "a"),), ratio, held_out=0
    )
    corpus = read_corpus(Recipe("m", "o", data))
    names = [str(dialog.id) for dialog in corpus.train]
    assert len(set(names)) == len(names)
    of_single, of_several = (sum(name.startswith(mark) for name in names) for mark in "ab")
    left, right = map(float, ratio.split(":"))
    assert abs(of_single * right - of_several * left) <= max(left, right)
    assert of_single == single or of_several == several
    assert corpus == read_corpus(Recipe("m", "o", data))


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("rows.jsonl", "{", "rows.jsonl:1 is not JSON"),
        ("rows.jsonl", '{"a": 1}', "rows.jsonl:1 is not a dialog: it has neither messages nor"),
        ("rows.jsonl", '{"messages": [{"role": "robot", "content": ""}]}', "role must be one of"),
        ("rows.jsonl", "", "no assistant turn in rows.jsonl"),
        ("other.jsonl", "", "there is no file rows.jsonl"),
    ],
)
def test_data_that_cannot_be_read_is_named(
    tmp_path: Path, name: str, text: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_corpus(Recipe("m", "o", DataRecipe(("rows.jsonl",))))
    assert sentence in str(caught.value)


def test_what_the_data_builder_knows_of_a_message_is_read(tmp_path: Path) -> None:
    """In our own form it is the message's meta; in what ``ocint data export`` writes it stands beside the text."""
    flat = [
        {"role": "user", "content": "a", "kind": "query", "language": "", "passed": None, "train": None},
        {"role": "assistant", "content": "b", "kind": "answer", "language": "python", "passed": False, "train": False},
        {"role": "tool", "content": "NameError"},
        {"role": "assistant", "content": "c", "kind": "repair", "language": "python", "passed": True, "train": True},
    ]
    own = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "meta": {"train": False}}]
    path = tmp_path / "rows.jsonl.gz"
    rows = [{"id": 1, "messages": flat}, {"id": 2, "messages": own}]
    path.write_bytes(gzip.compress("\n".join(map(json.dumps, rows)).encode()))
    corpus = read_corpus(Recipe("m", "o", DataRecipe((str(path),), held_out=0)))
    first, second = sorted(corpus.train, key=lambda dialog: str(dialog.id))
    assert [each.meta.get("train") for each in first] == [None, False, None, True]
    assert (first.messages[2].role, first.messages[2].content) == ("user", "Execution result: \nNameError")
    assert first.messages[2].meta["kind"] == "execution"
    assert second.messages[1].meta == {"train": False}

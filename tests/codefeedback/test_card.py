"""What a data set consists of: counts, picture and card."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest
import yaml
from sample_dialogs import packed, sample_dialogs, simulated

from opencodeinterpreter.codefeedback.presentation.card import Samples, dataset_card
from opencodeinterpreter.codefeedback.presentation.plots import composition_png, composition_svg
from opencodeinterpreter.codefeedback.presentation.statistics import Statistics, count_dialogs, tokenizer_counter
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.errors import InputError

MANIFESTS = [
    {
        "stage": "verify",
        "rows_in": 70,
        "rows_out": 60,
        "rows_dropped": 10,
        "drops": {"a refusal": 3, "the last code fails its tests": 7},
        "models": {},
        "seed": None,
        "started": "2026-01-01T00:00:00Z",
        "package_version": "0.1.0",
    },
    {"stage": "simulate", "rows_in": 9, "rows_out": 9, "models": {"weak": {"name": "small | one"}}, "seed": 3},
]
FILES = {"tool": ["t.jsonl"], "messages": ["m.jsonl"]}


@pytest.fixture(scope="module")
def counted() -> Statistics:
    return count_dialogs(sample_dialogs())


def test_everything_is_counted() -> None:
    found = count_dialogs([simulated(1), packed(2, "go", 3), Dialog()]).to_json()
    assert (found["dialogs"], found["turns"], found["with_execution_feedback"], found["with_human_feedback"]) == (
        3,
        7,
        1,
        1,
    )
    assert found["methods"]["simulation"]["turns_per_dialog"] == 4
    assert found["languages"] == {"go": 1, "python": 1, "unknown": 1}
    assert found["licences"] == {"Apache-2.0": 1, "MIT": 1, "unknown": 1}
    assert found["models"] == {"qwen2.5-coder-0.5b": 1, "qwen2.5-coder-1.5b": 1}
    assert found["dialogs_by_turns"] == {"0": 1, "3": 1, "4": 1}
    assert found["code"] == {"not executed": 3, "passed its tests": 2, "failed": 1, "no code": 1}
    assert found["assistant_messages_to_learn"] == 6
    assert found["human_feedback"] == {"functionality": 1}
    assert found["verified"] == 1
    json.dumps(found)


def test_a_dialog_counts_for_each_language_of_its_code() -> None:
    both = simulated(1)
    both = Dialog(
        (*both.messages, Message("user", "In C++?"), Message("assistant", "So.", {"language": "cpp"})), 1, both.meta
    )
    assert count_dialogs([both, simulated(2)]).to_json()["languages"] == {"python": 2, "cpp": 1}


def test_tokens_are_estimated_unless_they_can_be_counted() -> None:
    estimated, exact = count_dialogs([simulated(1)]), count_dialogs([simulated(1)], lambda messages: 7)
    assert (exact.whole.tokens, exact.to_json()["tokens_are"]) == (7, "counted")
    assert estimated.whole.tokens > 100


def test_a_tokenizer_s_own_file_counts(tmp_path: Path) -> None:
    tokenizers = pytest.importorskip("tokenizers")
    path = tmp_path / "tokenizer.json"
    words = {"[UNK]": 0, "a": 1, "b": 2}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Whitespace()
    made.save(str(path))
    dialog = Dialog((Message("user", "a b"), Message("assistant", "a c d")))
    assert count_dialogs([dialog], tokenizer_counter(path)).whole.tokens == 5
    with pytest.raises(InputError, match="tokenizer"):
        tokenizer_counter(tmp_path / "none.json")


def test_the_picture_is_drawn_from_any_data_and_the_same_for_the_same(counted: Statistics) -> None:
    svg = composition_svg(counted)
    assert svg == composition_svg(counted)
    ElementTree.fromstring(svg)
    assert "60 dialogs" in svg
    assert composition_png(counted).startswith(b"\x89PNG")
    assert "0 dialogs" in composition_svg(Statistics())


def test_the_card_has_all_parts(counted: Statistics) -> None:
    samples = Samples()
    list(samples.of(sample_dialogs()))
    card = dataset_card(counted, samples.kept, MANIFESTS, name="My data", files=FILES, plot="plot.svg")
    header = yaml.safe_load(card.split("---")[1])
    assert header["license"] == "other"
    assert header["size_categories"] == ["n<1K"]
    assert header["configs"] == [
        {"config_name": "messages", "data_files": [{"split": "train", "path": ["m.jsonl"]}], "default": True},
        {"config_name": "tool", "data_files": [{"split": "train", "path": ["t.jsonl"]}]},
    ]
    assert "code" in header["tags"]
    for part in (
        "# My data",
        "![Composition](plot.svg)",
        "| interaction simulation |",
        "| python |",
        "| Apache-2.0 |",
        "| verify | 70 | 60 | 10 |",
        "| verify | the last code fails its tests | 7 |",
        "small \\| one",
        "Known weaknesses",
        "were not executed",
        "No manifest shows that it was checked for benchmark problems",
        "### single-turn packing: `packing-0`",
        "> Execution result:",
    ):
        assert part in card, part


def test_the_card_of_one_licence_names_it() -> None:
    card = dataset_card(count_dialogs([simulated(1)]), {})
    assert yaml.safe_load(card.split("---")[1])["license"] == "mit"
    assert "There are no manifests" in card


def test_the_card_of_nothing_is_a_card() -> None:
    assert "0 dialogs" in dataset_card(Statistics(), {})

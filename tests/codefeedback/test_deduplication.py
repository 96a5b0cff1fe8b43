"""Exact and near duplicates."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Row, Table
from opencodeinterpreter.codefeedback.similarity.deduplication import DeduplicationStage, Deduplicator, words_of
from opencodeinterpreter.errors import ConfigError

LONG = (
    "Write a function that reads a file of comma separated values, groups its rows by the first column, adds up the "
    "second column of every group, and prints the groups in the order of their sums, the largest one first."
)


def deduplicated(rows: list[Row], **settings: object) -> list[Outcome]:
    return list(DeduplicationStage(**settings).build(Table(rows, Path())))  # type: ignore[arg-type]


def query(identity: str, text: str, answer: str = "", source: str = "made") -> Row:
    return {"id": identity, "query": text, "answer": answer, "source": source}


def drops(outcomes: list[Outcome]) -> list[Drop]:
    return [drop for outcome in outcomes for drop in outcome.drops]


def kept(outcomes: list[Outcome]) -> list[str]:
    return [row["id"] for outcome in outcomes for row in outcome.rows]


@pytest.mark.parametrize(
    "again",
    [LONG, LONG.upper(), LONG.replace(" ", "\n\t "), LONG.replace("f", "\uff46"), f"  {LONG}  "],
    ids=["same", "case", "spaces", "full-width", "margins"],
)
def test_the_same_words_are_an_exact_duplicate_of_the_first(again: str) -> None:
    outcomes = deduplicated([query("a", LONG), query("b", again, source="other")])
    assert kept(outcomes) == ["a"]
    (drop,) = drops(outcomes)
    assert (drop.reason, drop.detail) == ("exact duplicate", "a (made)")
    assert drop.row is not None
    assert drop.row["id"] == "b"


def test_a_text_with_a_changed_word_is_a_near_duplicate_that_names_the_first() -> None:
    outcomes = deduplicated([query("a", LONG), query("x", "Sort a list."), query("b", LONG.replace("prints", "shows"))])
    assert kept(outcomes) == ["a", "x"]
    (drop,) = drops(outcomes)
    assert drop.reason == "near duplicate"
    assert drop.detail.startswith("a (made), Jaccard index 0.8")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Write a function to add two numbers.", "Write a function to subtract two numbers."),
        ("is x == 1", "is x != 1"),
        ("编写一个函数求两个数的和", "编写一个函数求三个列表的交集"),
        ("Sort a list.", "Sort a list in place."),
    ],
)
def test_texts_that_ask_for_different_things_are_both_kept(one: str, other: str) -> None:
    assert kept(deduplicated([query("a", one), query("b", other)])) == ["a", "b"]


def test_different_answers_to_one_query_are_kept_where_the_answer_is_compared() -> None:
    rows = [query("a", "Sort.", "xs.sort()"), query("b", "Sort.", "return sorted(xs, key=len)")]
    assert kept(deduplicated(rows)) == ["a"]
    assert kept(deduplicated(rows, compared="query and answer")) == ["a", "b"]


def test_problems_bugs_and_dialogs_are_compared_by_what_they_ask() -> None:
    dialog = {"id": 7, "messages": [{"role": "user", "content": LONG}, {"role": "assistant", "content": "No."}]}
    rows = [
        query("a", LONG),
        {"id": "p", "title": "", "statement": LONG},
        {"id": "b", "statement": LONG, "buggy": "x", "fixed": "y"},
        dialog,
    ]
    assert kept(deduplicated(rows)) == ["a"]


def test_problems_without_a_statement_are_compared_by_their_solutions() -> None:
    rows = [
        {"id": str(n), "title": "", "statement": "", "solutions": [{"code": code}]}
        for n, code in enumerate(["print(1)", "print(2)", "print( 1 )"])
    ]
    assert kept(deduplicated(rows)) == ["0", "1"]


def test_rows_without_any_text_are_left_alone() -> None:
    assert kept(deduplicated([query("a", ""), query("b", " \n")])) == ["a", "b"]


def test_exact_ones_only() -> None:
    rows = [query("a", LONG), query("b", LONG.replace("prints", "shows")), query("c", LONG)]
    assert kept(deduplicated(rows, threshold=None)) == ["a", "b"]


@pytest.mark.parametrize("settings", [{"threshold": 0.0}, {"threshold": 1.5}, {"compared": "answers"}])
def test_settings_that_cannot_be_used_are_refused_at_once(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="must be"):
        DeduplicationStage(**settings)  # type: ignore[arg-type]


def test_a_row_of_another_kind_is_set_aside_with_its_place(tmp_path: Path) -> None:
    rows = [query("a", LONG), {"x": 1}, {"id": "d", "messages": None}, query("b", LONG)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    run_stage(Job(DeduplicationStage(), [tmp_path / "in.jsonl"], tmp_path / "out.jsonl"))
    assert [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == ["a"]
    dropped = [json.loads(line) for line in (tmp_path / "out.dropped.jsonl").read_text().splitlines()]
    assert [(drop["reason"], drop["detail"]) for drop in dropped] == [
        (
            "bad record",
            "in.jsonl:2: the row is no query, problem, bug or dialog: it has no query, statement or messages",
        ),
        ("bad record", "in.jsonl:3: messages of a dialog must be a list, not null"),
        ("exact duplicate", "a (made)"),
    ]


def test_near_duplicates_are_found_as_the_true_jaccard_index_says() -> None:
    """Of pairs well above the threshold none is missed; no pair below it is dropped."""
    generator = random.Random(3)
    words = [f"word{number}" for number in range(5000)]
    known = Deduplicator(0.7)
    for number in range(150):
        text = generator.sample(words, 60)
        changed = list(text)
        for place in generator.sample(range(60), number % 12):
            changed[place] = generator.choice(words)
        one, other = ({tuple(t[n : n + 3]) for n in range(58)} for t in (text, changed))
        true = len(one & other) / len(one | other)
        assert known.add(f"{number}", " ".join(text)) is None
        found = known.add(f"{number} changed", " ".join(changed))
        if found is not None:
            assert found.of == f"{number}"
            assert found.similarity == pytest.approx(true)
            assert true >= 0.7
        else:
            assert true < 0.8


@given(st.lists(st.text(max_size=30), max_size=12))
def test_what_is_kept_does_not_depend_on_what_comes_after(texts: list[str]) -> None:
    whole, part = Deduplicator(), Deduplicator()
    found = [whole.add(str(number), text) for number, text in enumerate(texts)]
    half = len(texts) // 2
    assert [part.add(str(number), text) for number, text in enumerate(texts[:half])] == found[:half]


@given(st.text())
def test_a_text_repeats_itself(text: str) -> None:
    known = Deduplicator()
    assert known.add("first", text) is None
    again = known.add("second", text)
    assert (again is not None and again.exact) if words_of(text) else again is None

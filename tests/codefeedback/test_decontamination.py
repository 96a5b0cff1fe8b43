"""Problems of the benchmarks are found in rows, however they were changed, and ordinary rows are left alone.

``planted_problems.jsonl`` holds copies and paraphrases of 48 problems drawn at random, written by hand: renamed, told
in other words, or in German, Spanish, French or Chinese. They derive from HumanEval (MIT) and MBPP (CC BY 4.0). Weights
and thresholds were chosen on the half ``tuning``; ``held-out`` only measures.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from opencodeinterpreter.codefeedback.decontamination import (
    DecontaminationSettings,
    DecontaminationStage,
    Detector,
    LeakageIndex,
    Likeness,
    Reference,
    load_references,
    parts_of,
)
from opencodeinterpreter.codefeedback.decontamination.behaviour import Behaviour
from opencodeinterpreter.codefeedback.decontamination.references import load_problems
from opencodeinterpreter.codefeedback.decontamination.texts import literal_key, literals_in, program_tokens
from opencodeinterpreter.codefeedback.decontamination.translation import in_english, language_of
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Outcome, Row, Table
from opencodeinterpreter.errors import ConfigError, EvaluationError

PLANTED = [json.loads(line) for line in (Path(__file__).parent / "planted_problems.jsonl").read_text().splitlines()]
CLEAN = [
    ("Write a class for a least recently used cache with get and put in constant time.", "class Cache: ..."),
    ("How do I center a div with CSS?", "```css\ndiv { margin: 0 auto; }\n```"),
    ("Read a YAML file and print the keys of its first level.", "```python\nimport yaml\n```"),
    ("You are given the heights of buildings in a row. How much rain water is kept between them?", "def trap(h): ..."),
    ("Explain what a mutex is.", "A lock that one thread holds at a time."),
    ("Wie richte ich einen Webserver mit nginx unter Debian ein, und wo liegt die Konfiguration?", "apt install nginx"),
    ("用 Flask 写一个登录页面，并把用户保存到 SQLite 数据库里。", "```python\nfrom flask import Flask\n```"),
]


@pytest.fixture(scope="module")
def references() -> Sequence[Reference]:
    try:
        return load_references()
    except EvaluationError as error:
        pytest.skip(f"the benchmarks cannot be had: {error}")


@pytest.fixture(scope="module")
def detector(references: Sequence[Reference]) -> Detector:
    return Detector(references)


def half(name: str) -> list[dict[str, str]]:
    return [each for each in PLANTED if each["half"] == name]


def found(detector: Detector, rows: Sequence[dict[str, str]]) -> list[Likeness]:
    likenesses = detector.compare([[(row["query"], row["answer"])] for row in rows])
    return [each for each in likenesses if each is not None and each.hit]


def decontaminated(rows: list[Row], folder: Path, **given: Any) -> list[Outcome]:
    given.setdefault("settings", DecontaminationSettings(run=False))
    folder.mkdir(exist_ok=True)
    return list(DecontaminationStage(**given).build(Table(rows, folder)))


def query(identity: str, text: str, answer: str = "", **more: Any) -> Row:
    return {"id": identity, "query": text, "answer": answer, **more}


def test_the_planted_set_is_what_it_is_said_to_be(references: Sequence[Reference]) -> None:
    assert len({each["problem"] for each in PLANTED}) == 48
    assert {each["kind"] for each in PLANTED} == {"rename", "reword", "de", "es", "fr", "zh"}
    assert not {each["problem"] for each in half("tuning")} & {each["problem"] for each in half("held-out")}
    assert {each["problem"] for each in PLANTED} <= {reference.id for reference in references}


@pytest.mark.parametrize(("name", "least"), [("tuning", 24), ("held-out", 15)])
def test_planted_problems_are_found_without_any_model(detector: Detector, name: str, least: int) -> None:
    assert len(found(detector, half(name))) >= least


def test_most_planted_problems_are_found_where_programs_are_run(references: Sequence[Reference]) -> None:
    likenesses = found(Detector(references, behaviour=Behaviour(load_problems())), half("held-out"))
    assert len(likenesses) >= 26
    assert sum(each.layers == ("behaviour",) for each in likenesses) == 11


@pytest.mark.usefixtures("references")
def test_a_row_whose_program_solves_a_problem_is_dropped(tmp_path: Path) -> None:
    told_anew = next(each for each in PLANTED if each["id"] == "planted-Mbpp-256-1")
    rows = [query("told", told_anew["query"], told_anew["answer"]), query("other", *CLEAN[0])]
    report = tmp_path / "report"
    outcomes = decontaminated(rows, tmp_path, settings=DecontaminationSettings(), report=report)
    (drop,) = [drop for outcome in outcomes for drop in outcome.drops]
    assert drop.row is not None
    assert drop.row["id"] == "told"
    assert drop.detail.endswith("by behaviour")
    assert json.loads(report.with_name("report.json").read_text())["pairs"][0]["evidence"]["behaviour"] == 1.0


@pytest.mark.transformers
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning")
@pytest.mark.parametrize(("name", "least"), [("tuning", 27), ("held-out", 22)])
def test_planted_problems_are_found_with_minilm(references: Sequence[Reference], name: str, least: int) -> None:
    pytest.importorskip("sentence_transformers", reason="the embeddings extra is not installed")
    from opencodeinterpreter.codefeedback.similarity.embedding_models import load_embedder

    assert len(found(Detector(references, load_embedder("minilm").embed), half(name))) >= least


def test_renamed_copies_are_all_found_and_named(detector: Detector) -> None:
    renamed = [each for each in PLANTED if each["kind"] == "rename"]
    assert [each.reference.id for each in found(detector, renamed)] == [each["problem"] for each in renamed]


def test_every_problem_is_found_in_its_own_prompt(detector: Detector, references: Sequence[Reference]) -> None:
    chosen = references[::9]
    likenesses = detector.compare([[(each.prompt, each.solution)] for each in chosen])
    missed = [each.id for each, likeness in zip(chosen, likenesses, strict=True) if not (likeness and likeness.hit)]
    assert missed == []


def test_ordinary_rows_are_left_alone(detector: Detector) -> None:
    assert [each.reference.id for each in detector.compare([[row] for row in CLEAN]) if each and each.hit] == []


def test_rows_without_text_are_like_nothing(detector: Detector) -> None:
    assert detector.compare([[], []]) == [None, None]
    assert not any(each and each.hit for each in detector.compare([[("", "")], [("\ud800", "?")]]))


@pytest.mark.usefixtures("references")
def test_a_problem_inside_a_long_dialog_is_found(tmp_path: Path) -> None:
    copy = next(each for each in PLANTED if each["id"] == "planted-Mbpp-259-1")
    turns = [(f"What does step {number} of the build do?", "It links the program.") for number in range(6)]
    turns.insert(3, (copy["query"], copy["answer"]))
    messages = [
        {"role": role, "content": content}
        for asked, said in turns
        for role, content in (("user", asked), ("assistant", said))
    ]
    outcomes = decontaminated([{"id": "d", "messages": messages}], tmp_path)
    (drop,) = [drop for outcome in outcomes for drop in outcome.drops]
    assert drop.reason == "like a problem of mbpp"
    assert drop.detail.startswith("Mbpp/259, likeness ")


@pytest.mark.usefixtures("references")
def test_a_row_of_another_kind_is_set_aside_with_its_place(tmp_path: Path) -> None:
    rows = [query("a", *CLEAN[0]), {"x": 1}, {"id": "d", "messages": None}, {"id": "e", "messages": ["?"]}]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    stage = DecontaminationStage(DecontaminationSettings(run=False))
    run_stage(Job(stage, [tmp_path / "in.jsonl"], tmp_path / "out.jsonl"))
    assert [json.loads(line)["id"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == ["a"]
    dropped = [json.loads(line) for line in (tmp_path / "out.dropped.jsonl").read_text().splitlines()]
    assert [drop["detail"].partition(": ")[::2] for drop in dropped] == [
        ("in.jsonl:2", "the row is no query, problem, bug or dialog: it has no query, statement or messages"),
        ("in.jsonl:3", "messages of a dialog must be a list, not null"),
        ("in.jsonl:4", "a message must be an object, not text"),
    ]


@pytest.mark.usefixtures("references")
def test_what_was_compared_before_a_kill_is_not_compared_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [query(f"q{number}", f"{each['query']} {number}", each["answer"]) for number, each in enumerate(PLANTED * 6)]
    whole = decontaminated(rows, tmp_path / "whole", report=tmp_path / "one")
    compared: list[int] = []
    plain = Detector.compare

    def compare(self: Detector, parts: Sequence[Any]) -> Any:
        compared.append(len(parts))
        return plain(self, parts)

    monkeypatch.setattr(Detector, "compare", compare)
    folder = tmp_path / "killed"
    folder.mkdir()
    broken = DecontaminationStage(DecontaminationSettings(run=False)).build(Table(rows, folder))
    assert [next(broken) for _ in range(10)] == whole[:10]
    broken.close()
    (kept,) = folder.iterdir()
    kept.write_text(kept.read_text() + '[{"number": 3, "evi')
    first = list(compared)
    assert decontaminated(rows, folder, report=tmp_path / "other") == whole
    assert len(rows) == sum(compared) > sum(first) > 0
    assert (tmp_path / "other.json").read_bytes() == (tmp_path / "one.json").read_bytes()


@pytest.mark.usefixtures("references")
def test_the_report_names_pairs_layers_and_leakage(tmp_path: Path) -> None:
    rows = [query(each["id"], each["query"], each["answer"], source="planted") for each in half("tuning")]
    rows += [query(f"clean {number}", *row) for number, row in enumerate(CLEAN)]
    outcomes = decontaminated(rows, tmp_path, report=tmp_path / "report")
    dropped = [drop for outcome in outcomes for drop in outcome.drops]
    kept = [row["id"] for outcome in outcomes for row in outcome.rows]
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["rows"] == len(rows) == len(dropped) + len(kept)
    assert [pair["id"] for pair in report["pairs"]] == [drop.row["id"] for drop in dropped if drop.row]
    for benchmark in report["benchmarks"].values():
        assert benchmark["rows"] == benchmark["outcomes"]["dropped"]
        assert benchmark["leakage before"] > benchmark["leakage after"]
        assert sum(benchmark["layers"].values()) >= benchmark["rows"]
    page = (tmp_path / "report.md").read_text()
    assert all(f"| {pair['problem']} | {pair['id']} (planted) |" in page for pair in report["pairs"])


@pytest.mark.usefixtures("references")
def test_what_only_meaning_speaks_against_can_be_listed_or_judged(tmp_path: Path) -> None:
    translated = next(each for each in PLANTED if each["id"] == "planted-Mbpp-260-1")
    rows = [query("t", translated["query"], translated["answer"])]
    settings = DecontaminationSettings(neighbours="list")
    assert [row["id"] for outcome in decontaminated(rows, tmp_path, settings=settings) for row in outcome.rows] == ["t"]
    asked: list[str] = []

    def judge(question: str, answer: str, reference: Reference) -> bool:
        asked.append(reference.id)
        return len(asked) > 1

    cleared, dropped = (decontaminated(rows, tmp_path, judge=judge, judge_identity="test") for _ in range(2))
    assert asked == ["Mbpp/260", "Mbpp/260"]
    assert [len(outcome.rows) for outcome in cleared] == [1, 0]
    assert sum(len(outcome.drops) for outcome in dropped) == 1


@pytest.mark.parametrize("settings", [{"benchmarks": ("apps",)}, {"benchmarks": ()}, {"neighbours": "keep"}])
def test_settings_that_cannot_be_used_are_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        DecontaminationSettings(**settings)


def test_execution_feedback_belongs_to_the_answering() -> None:
    messages = [("user", "Sort."), ("assistant", "a"), ("user", "Execution result: \nError"), ("assistant", "b")]
    dialog = {"id": 1, "messages": [{"role": role, "content": content} for role, content in messages]}
    assert parts_of(dialog) == [("Sort.", "a\n\nb")]


def test_leakage_is_the_mean_of_the_largest_shares() -> None:
    words = "one two three four five six seven"
    references = [Reference(str(n), "made", "f", words, text, "", ()) for n, text in enumerate((words, "a b c d e f"))]
    index = LeakageIndex(references)
    assert index.figures() == {"made": 0.0}
    index.add("one two three four five six", "nothing of it")
    index.add("three four five six seven")
    assert index.figures() == {"made": pytest.approx(100 * (2 / 3) / 2, abs=0.01)}


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Write a function that sorts a list.", "en"),
        ("Schreibe eine Funktion, die eine Liste sortiert.", "de"),
        ("Escribe una función que ordene una lista de números.", "es"),
        ("Écris une fonction qui trie une liste de nombres.", "fr"),
        ("编写一个函数，对列表进行排序。", "zh"),
        ("print(1)", "en"),
        ("", "en"),
    ],
)
def test_the_language_of_a_statement_is_seen(text: str, language: str) -> None:
    assert language_of(text) == language
    words = in_english(text)
    assert words == text if language == "en" else all(each in words for each in ("function", "list", "sort"))


def test_programs_are_compared_without_their_names() -> None:
    one = "def total(values):\n    # add up\n    return sum(x for x in values if x > 0)"
    other = "def f(ns):\n    return sum(n for n in ns if n > 0)"
    assert program_tokens(one) == program_tokens(other)
    assert program_tokens(one) != program_tokens(other.replace(">", "<"))


def test_values_are_compared_however_they_are_written() -> None:
    assert {literal_key("[1, 2.0, 'a']"), literal_key('(1, 2, "a",)')} == {"[1,2,'a']"}
    assert {"[1,[2,3]]", "[2,3]", "'word'"} <= set(literals_in("with [1, (2, 3)] and 'word' it is 4, not ] or ("))

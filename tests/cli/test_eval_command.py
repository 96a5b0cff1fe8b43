from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
from cli_program import PROGRAM, Ended, Program, code

PROMPT = '''def plus_one(number: int) -> int:
    """ Add one.
    >>> plus_one(1)
    2
    """
'''
OTHER = '''def minus_one(number: int) -> int:
    """ Take one off.
    >>> minus_one(1)
    0
    """
'''
RIGHT = code("def plus_one(number):\n    return number + 1")
WRONG = code("def plus_one(number):\n    return number")
HALF = code("def plus_one(number):\n    return abs(number) + 1")
LESS = code("def minus_one(number):\n    return number - 1")


@pytest.fixture
def data(ocint: Program) -> str:
    rows = [
        {
            "task_id": f"HumanEval/{number}",
            "prompt": prompt,
            "entry_point": name,
            "canonical_solution": f"    return number {sign} 1\n",
            "base_input": [[1], [5]],
            "plus_input": [[-7], [40]],
            "atol": 0,
            "contract": "",
        }
        for number, (prompt, name, sign) in enumerate([(PROMPT, "plus_one", "+"), (OTHER, "minus_one", "-")])
    ]
    return ocint.file("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))


class Evaluation:
    """``ocint eval`` on the tiny data."""

    def __init__(self, ocint: Program, data: str) -> None:
        self.ocint, self.data = ocint, data

    def run(self, *words: str, replies: tuple[str, ...] = (), model: str | None = None) -> Ended:
        model = model or self.ocint.script(*replies)
        given = ["-b", "humaneval+", "--data-file", self.data, "-m", model, *words]
        return self.ocint("eval", "run", *given)

    def records(self, folder: str) -> list[dict]:
        return [json.loads(line) for line in (self.ocint.work / folder / "records.jsonl").read_text().splitlines()]


@pytest.fixture
def evaluation(ocint: Program, data: str) -> Evaluation:
    return Evaluation(ocint, data)


def test_a_run_says_its_class_and_both_scores_and_goes_on(evaluation: Evaluation) -> None:
    model = evaluation.ocint.script(HALF, LESS)
    first = evaluation.run("--limit", "1", "-o", "run", model=model)
    assert first.code == 0
    assert "humaneval+ single (L0, honest): base 100.0" in first.out
    assert "plus 0.0" in first.out
    assert len(evaluation.records("run")) == 1
    # The script begins anew, but the first answer is not asked for again.
    (Path(model.partition(":")[2])).write_text(json.dumps([LESS]))
    config = json.loads((evaluation.ocint.work / "run" / "config.json").read_text())
    assert (config["protocol"], config["leakage"], config["honest"]) == ("single", "L0", True)
    other = evaluation.run("-o", "run", model=model)
    assert other.code == 2
    assert "another configuration" in other.err
    assert "model_sha256" in other.err


def test_the_whole_way_from_run_to_report(evaluation: Evaluation) -> None:
    model = evaluation.ocint.script(WRONG, RIGHT, LESS)
    assert evaluation.run("-p", "visible", "-o", "visible", model=model).code == 0
    attempts = {record["problem"]: len(record["attempts"]) for record in evaluation.records("visible")}
    assert [attempts[problem] for problem in sorted(attempts)] == [2, 1]
    assert evaluation.run("-p", "single", "-o", "single", replies=(WRONG, LESS)).code == 0

    shown = evaluation.ocint("eval", "report", "visible", "single", "--data-file", evaluation.data)
    assert shown.code == 0
    assert re.search(r"visible\W+L2", shown.out)
    written = evaluation.ocint("eval", "report", "visible", "single", "--data-file", evaluation.data, "-o", "r.html")
    assert written.code == 0
    assert "<html" in (evaluation.ocint.work / "r.html").read_text().lower()
    as_json = evaluation.ocint("eval", "report", "single", "--data-file", evaluation.data, "--json")
    assert json.loads(as_json.out)

    compared = evaluation.ocint("eval", "compare", "single", "visible")
    assert compared.code == 0
    assert "HumanEval/0" in compared.out

    graded = evaluation.ocint("eval", "regrade", "visible", "--data-file", evaluation.data)
    assert graded.code == 0
    assert "2 records graded, 0 verdicts changed" in graded.out
    extracted = evaluation.ocint("eval", "extract", "visible", "--data-file", evaluation.data, "-o", "again")
    assert extracted.code == 0
    assert "3 replies, 0 with other code than recorded" in extracted.out
    assert evaluation.records("again") == evaluation.records("visible")


def test_a_leak_that_was_planted_makes_the_report_fail(evaluation: Evaluation) -> None:
    assert evaluation.run("-p", "visible", "-o", "run", replies=(RIGHT, LESS)).code == 0
    path = evaluation.ocint.work / "run" / "records.jsonl"
    lines = path.read_text().splitlines()
    record = json.loads(lines[0])
    record["attempts"][0]["messages"][0]["content"] += "\nInput: [40]\nExpected Output: 41"
    path.write_text("\n".join([json.dumps(record), *lines[1:]]) + "\n")
    shown = evaluation.ocint("eval", "report", "run", "--data-file", evaluation.data)
    assert shown.code == 1
    assert "LEAK" in shown.err
    assert "hidden input" in shown.err


def test_a_run_that_is_graded_again_is_searched_for_leaks_again(evaluation: Evaluation) -> None:
    assert evaluation.run("-p", "visible", "-o", "run", replies=(RIGHT, LESS)).code == 0
    path = evaluation.ocint.work / "run" / "records.jsonl"
    clean = path.read_text()
    first, *others = map(json.loads, clean.splitlines())
    first["attempts"][0]["messages"][0]["content"] += "\nInput: [40]\nExpected Output: 41"
    path.write_text("".join(json.dumps(record) + "\n" for record in (first, *others)))
    regrade = ("eval", "regrade", "run", "--data-file", evaluation.data)
    assert "attempt 0: hidden input: input : ( 40 ), unseen before" in evaluation.ocint(*regrade).out
    marked, *_ = evaluation.records("run")
    assert [leak["kind"] for leak in marked["notes"]["leaks"]] == ["hidden input"]
    path.write_text(path.read_text().replace("\\nInput: [40]\\nExpected Output: 41", ""))
    assert "hidden input: input : ( 40 ): none any more" in evaluation.ocint(*regrade).out
    assert evaluation.records("run") == [json.loads(line) for line in clean.splitlines()]


def test_a_leak_is_told_and_marked_while_the_run_goes_on(evaluation: Evaluation) -> None:
    person = evaluation.ocint.script("Look at what plus_one(40) gives.")
    words = ("-p", "human-visible", "--synthesizer", person, "--ids", "0", "-o", "run")
    ended = evaluation.run(*words, model=evaluation.ocint.script(WRONG, RIGHT))
    assert ended.code == 1
    line = "HumanEval/0 (sample 0), attempt 1: hidden input: plus_one ( 40 )"
    assert f"LEAK: {line}" in ended.err
    assert "LEAK: this run is not honest: 1 message" in ended.err
    [record] = evaluation.records("run")
    assert [leak["kind"] for leak in record["notes"]["leaks"]] == ["hidden input"]
    # Known without the data, and in the report itself.
    (evaluation.ocint.work / evaluation.data).unlink()
    shown = evaluation.ocint("eval", "report", "run")
    assert shown.code == 1
    assert "was not checked for leaks again" in shown.err
    assert line in shown.err
    assert "LEAK: 1 answer after a message with hidden content" in shown.out


def test_the_published_protocol_is_said_to_be_no_honest_one(evaluation: Evaluation) -> None:
    ended = evaluation.run("-p", "execution", "--limit", "1", "--gate", "base", replies=(WRONG, RIGHT))
    assert ended.code == 0
    assert "execution (L5, not honest)" in ended.out
    [folder] = (evaluation.ocint.work / "runs").iterdir()
    assert folder.name.startswith("humaneval+-override-execution-script-0-")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("-b", "humanevil"), "humaneval"),
        (("-p", "exection"), "did you mean execution?"),
        (("-m", "qwen2.5-coder-0.5"), "did you mean qwen2.5-coder-0.5b"),
        (("--data-version", "v9"), "v9"),
        (("--ids", "77"), "has no problem 77"),
        (("--prompt", "other"), "--prompt must be evalplus, evalplus-chat, qwen or original"),
        (("--refine", "hard"), "--refine must be plain, clear, cause, code or fresh"),
        (("-p", "human"), "needs --synthesizer"),
        (("--samples", "3"), "needs a --temperature above 0"),
        (("--ids", "HumanEval/0", "--failures-of", "run"), "--ids and --failures-of"),
    ],
)
def test_what_cannot_be_used_gets_one_sentence(evaluation: Evaluation, words: tuple[str, ...], sentence: str) -> None:
    ended = evaluation.run(*words, replies=(RIGHT, LESS))
    assert ended.code in (2, 3)
    assert sentence in ended.err
    assert len(ended.err.strip().splitlines()[-1]) < 400
    assert not (evaluation.ocint.work / "runs").exists()


def test_a_folder_without_a_run_gets_one_sentence(ocint: Program) -> None:
    for words in (("report", "nothing"), ("compare", "a", "b"), ("regrade", "nothing"), ("extract", "nothing")):
        ended = ocint("eval", *words)
        assert ended.code == 2
        assert "holds no run" in ended.err


def test_a_reference_that_fails_here_is_reported_before_any_score(ocint: Program, evaluation: Evaluation) -> None:
    path = ocint.work / evaluation.data
    path.write_text(path.read_text().replace("return number - 1", "return number / 0"))
    ended = evaluation.run(replies=(RIGHT, LESS))
    sentence = "the reference solution of HumanEval/1 fails on this machine: minus_one(1) raises ZeroDivisionError: "
    assert f"Warning: {sentence}division by zero\n" in ended.err


def test_a_model_that_ends_midway_keeps_what_was_done(evaluation: Evaluation) -> None:
    ended = evaluation.run("-o", "run", replies=(RIGHT,))
    assert ended.code == 3
    assert "what was done is kept in run, and the same command goes on from there" in ended.err
    assert len(evaluation.records("run")) == 1


def test_ctrl_c_keeps_what_was_done(evaluation: Evaluation) -> None:
    ocint = evaluation.ocint
    model = ocint.script(RIGHT, LESS + "x" * 4000, delta_characters=2, delay_seconds=0.02)
    words = ["eval", "run", "-b", "humaneval+", "--data-file", evaluation.data, "-m", model, "-o", "run"]
    running = subprocess.Popen(
        [*PROGRAM, *words], cwd=ocint.work, env=ocint.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    records = ocint.work / "run" / "records.jsonl"
    end = time.monotonic() + 120
    while time.monotonic() < end and not (records.exists() and records.stat().st_size):
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "Stopped: 1 answer kept in run; the same command goes on" in err
    assert len(evaluation.records("run")) == 1

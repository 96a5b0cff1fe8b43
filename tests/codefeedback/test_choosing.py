"""Problems as queries, and what becomes of their tests on the way to a verified dialog."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opencodeinterpreter.codefeedback.methods.checked_solutions import CHECKED, VERSION
from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Row
from opencodeinterpreter.codefeedback.stages import Around, make_stage

RIGHT = "def add(a, b):\n    return a + b"
WRONG = "def add(a, b):\n    return a - b"
TESTS = {"program": "assert add(1, 2) == 3\n"}
SENTENCES = ["Write a function add that adds two numbers.", "Write a function add that adds the two numbers given."]


def problem(number: int, code: str, **more: Any) -> Row:
    return {
        "id": f"p{number}",
        "statement": SENTENCES[number],
        "solutions": [{"code": code}],
        "language": "python",
        **more,
    }


def ran(folder: Path, rows: list[Row], *stages: tuple[str, dict[str, Any]]) -> tuple[list[Row], dict[str, int]]:
    """Run stages one after the other; return the last one's rows, and what it has dropped by reason."""
    path, drops = folder / "in.jsonl", {}
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    for name, settings in stages:
        out = folder / f"{name}.jsonl"
        drops = run_stage(Job(make_stage(name, settings, [path], Around()), [path], out)).manifest["drops"]
        path = out
    return [json.loads(line) for line in path.read_text().splitlines()], drops


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ({"count": 3}, ["p0", "p1", "p2"]),
        ({"count": 9, "difficulty": ["easy"]}, ["p1", "p4"]),
        ({"count": 3, "difficulty": ["easy", ""]}, ["p0", "p1", "p3"]),
        ({"count": 1, "seed": 1, "difficulty": "hard"}, ["p2"]),
        ({"count": 9, "seed": 1, "difficulty": ["easy", ""]}, ["p0", "p1", "p3", "p4"]),
        ({"count": 9, "difficulty": ["medium"]}, []),
    ],
)
def test_problems_are_taken_by_their_difficulty(settings: dict[str, Any], taken: list[str], tmp_path: Path) -> None:
    given = ({}, {"difficulty": "easy"}, {"difficulty": "hard"}, {"difficulty": ""}, {"difficulty": "easy"})
    rows: list[Row] = [{"id": f"p{number}", **more} for number, more in enumerate(given)]
    assert [row["id"] for row in ran(tmp_path, rows, ("take", settings))[0]] == taken


PACKED = (("queries", {}), ("pack", {"model": "tfidf", "floor": 0.1}))


@pytest.mark.parametrize("code", [RIGHT, WRONG], ids=["right", "wrong"])
def test_a_packed_answer_is_run_with_the_tests_of_its_problem(code: str, tmp_path: Path) -> None:
    rows = [problem(number, code, tests=TESTS) for number in range(2)]
    dialogs, drops = ran(tmp_path, rows, *PACKED, ("verify", {}))
    if code == WRONG:
        assert (dialogs, drops) == ([], {"the last code fails its tests": 1})
        return
    answers = [each["meta"] for each in dialogs[0]["messages"] if each["role"] == "assistant"]
    assert [(each["passed"], each["train"], each["executed"]) for each in answers] == [(True, True, True)] * 2


def test_an_answer_before_the_last_that_fails_its_tests_is_not_to_be_learned(tmp_path: Path) -> None:
    rows = [problem(number, WRONG if number == 0 else RIGHT, tests=TESTS) for number in range(2)]
    dialogs, _ = ran(tmp_path, rows, *PACKED, ("verify", {}))
    for dialog in dialogs:
        for each in dialog["messages"]:
            if each["role"] == "assistant":
                right = RIGHT in each["content"]
                assert (each["meta"]["passed"], each["meta"]["train"]) == (right, right)


def test_answers_without_tests_are_packed_as_before(tmp_path: Path) -> None:
    (dialog,), _ = ran(tmp_path, [problem(number, WRONG) for number in range(2)], *PACKED, ("verify", {}))
    assert [each["meta"]["passed"] for each in dialog["messages"] if each["role"] == "assistant"] == [None, None]


def test_the_whole_reply_of_a_source_is_the_answer_and_of_a_checked_solution_its_words_and_code(tmp_path: Path) -> None:
    solution = {"code": RIGHT, "language": "python"}
    reply = {**solution, "text": f"So:\n\n```python\n{RIGHT}\n```\nDone."}
    rows = [
        problem(0, "", solutions=[reply]),
        problem(1, "", solutions=[{**solution, "text": "The sum is returned."}], meta={CHECKED: VERSION}),
        problem(0, RIGHT),
    ]
    made, _ = ran(tmp_path, rows, ("queries", {}))
    assert [row["answer"] for row in made] == [
        reply["text"],
        f"The sum is returned.\n\n```python\n{RIGHT}\n```",
        f"```python\n{RIGHT}\n```",
    ]

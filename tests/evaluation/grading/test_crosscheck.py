"""The verdicts that EvalPlus 0.3.1 gave on the programs of ``evalplus_verdicts.json`` are ours, too.

``python -m benchmarks.grading.fixture`` writes them into the file; ``python -m benchmarks.grading.crosscheck`` compares
many more.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.grading import Grader, GradingLimits
from opencodeinterpreter.evaluation.problems import Dataset

STORED = json.loads(Path(__file__).with_name("evalplus_verdicts.json").read_text(encoding="utf-8"))
PROGRAMS = [
    pytest.param(family, program, id=f"{program['task_id']}, {program['name']}")
    for family in ("humaneval", "mbpp")
    for program in STORED[family]["programs"]
]
Graders = dict[str, tuple[Dataset, Grader]]


@pytest.fixture(scope="module")
def graders(tmp_path_factory: pytest.TempPathFactory) -> Graders:
    folder = tmp_path_factory.mktemp("crosscheck")
    made = {}
    for family in ("humaneval", "mbpp"):
        path = folder / f"{family}.jsonl"
        path.write_text("".join(json.dumps(row) + "\n" for row in STORED[family]["problems"]), encoding="utf-8")
        dataset = load_dataset(f"{family}+", path=path)
        made[family] = dataset, Grader(dataset, cache=folder / "cache", limits=GradingLimits(least_cpu_seconds=0.3))
    return made


@pytest.mark.parametrize(("family", "program"), PROGRAMS)
def test_a_program_has_the_verdicts_that_evalplus_gave(family: str, program: dict[str, Any], graders: Graders) -> None:
    dataset, grader = graders[family]

    grade = grader.grade(dataset[program["task_id"]], program["code"])

    theirs = (program["base"] == "pass", program["base"] == program["plus"] == "pass")
    ours = (grade.base.passed, grade.plus.passed)
    if "differs" in program:  # as docs/evaluation/grading.md says and why
        assert ours == (not theirs[0], not theirs[1])
    else:
        assert ours == theirs


def test_the_stored_verdicts_are_of_both_kinds() -> None:
    verdicts = [(one["base"], one["plus"]) for family in ("humaneval", "mbpp") for one in STORED[family]["programs"]]

    assert STORED["evalplus"] == "0.3.1"
    assert set(verdicts) >= {("pass", "pass"), ("pass", "fail"), ("fail", "fail")}

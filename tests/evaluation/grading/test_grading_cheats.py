"""Programs that cheat all fail, the machine survives them, and none is excused as a fault of the grader."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from cheats import CHEATS

from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.verdicts import Verdict
from opencodeinterpreter.sandbox.processes import descendants


@pytest.mark.parametrize("name", CHEATS)
def test_a_cheat_fails_and_leaves_nothing(name: str, grader: Grader, squares: Problem) -> None:
    before = set(descendants(os.getpid()))  # other tests' kernels, which are kept for the whole run

    grade = grader.grade(squares, CHEATS[name])

    assert grade.base.verdict not in (Verdict.PASS, Verdict.HARNESS, Verdict.NO_CODE)
    assert grade.plus.verdict not in (Verdict.PASS, Verdict.HARNESS, Verdict.NO_CODE)
    assert set(descendants(os.getpid())) <= before


@pytest.mark.parametrize(
    ("name", "verdict"),
    [
        ("always equal object", Verdict.WRONG),
        ("exit", Verdict.ERROR),
        ("hard exit", Verdict.ERROR),
        ("signal to itself", Verdict.ERROR),
        ("swallowed everything", Verdict.TIMEOUT),
        ("swallowed alarms", Verdict.TIMEOUT),
        ("own clock", Verdict.TIMEOUT),
        ("long sleep", Verdict.TIMEOUT),
        ("memory hog", Verdict.MEMORY),
        ("memory hog in children", Verdict.MEMORY),
        ("files without end", Verdict.ERROR),
        ("list in itself", Verdict.WRONG),
        ("huge text", Verdict.WRONG),
    ],
)
def test_the_verdict_names_what_happened(name: str, verdict: Verdict, grader: Grader, squares: Problem) -> None:
    assert grader.grade(squares, CHEATS[name]).base.verdict is verdict


def test_a_right_program_passes_after_all_of_them(grader: Grader, squares: Problem) -> None:
    grade = grader.grade(squares, squares.reference)

    assert (grade.base.verdict, grade.plus.verdict) == (Verdict.PASS, Verdict.PASS)


def test_what_one_program_left_the_next_does_not_see(grader: Grader, squares: Problem) -> None:
    writing = """
import os
def squares(values):
    for folder in ("/tmp", "/dev/shm", "/workspace", "/run/kernel"):
        open(folder + "/left", "w").write("here")
    raise ValueError("written")
"""
    reading = f"""
import os
{squares.reference.replace("squares", "right")}
def squares(values):
    folders = ("/tmp", "/dev/shm", "/workspace", "/run/kernel")
    return "seen" if any(os.path.exists(folder + "/left") for folder in folders) else right(values)
"""
    failure = grader.grade(squares, writing).base.failure
    assert failure is not None
    assert "written" in failure.error
    assert grader.grade(squares, reading).base.passed


def test_no_descriptor_is_left_open(grader: Grader, squares: Problem) -> None:
    grader.grade(squares, "def squares(values): return 1")
    before = len([*Path("/proc/self/fd").iterdir()])
    for number in range(5):
        grader.grade(squares, f"def squares(values): return {number + 10}")
    assert len([*Path("/proc/self/fd").iterdir()]) <= before

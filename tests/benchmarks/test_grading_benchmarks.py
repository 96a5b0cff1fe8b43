"""The measurements of the grader: mutants, reasons, reports, and what becomes of them without EvalPlus."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.grading import agreement, crosscheck, extraction, speed, steady
from benchmarks.grading.evalplus import LOST, EvalPlus, EvalPlusFailedError, EvalPlusMissingError, Theirs, ensure
from benchmarks.grading.mutants import mutants
from benchmarks.grading.programs import Program, spread, without_doubles
from benchmarks.grading.reasons import UNEXPLAINED, Difference, differs, reason
from benchmarks.speed.measure import Plan
from opencodeinterpreter.evaluation.extraction import Extraction
from opencodeinterpreter.evaluation.problems import Dataset, Problem
from opencodeinterpreter.evaluation.verdicts import Failure, Grade, SuiteResult, Verdict

SIGN = '''def sign(number, strict=True):
    """Return -1, 0 or 1."""
    step = number * 2
    if number < 0 and strict:
        return -1
    return (0, 1)[step > 0]
'''
PROBLEM = Problem("Own/1", "humaneval", "", "sign", SIGN, ((1,),), ((2,),), 0)
PASS = SuiteResult(Verdict.PASS, None, 0.0)
PASSES = Grade(PASS, PASS)


def failed(verdict: Verdict = Verdict.WRONG, actual: str = "1", expected: str = "2", error: str = "") -> Grade:
    result = SuiteResult(verdict, Failure(0, "1", expected, actual, error), 0.0)
    return Grade(result, result)


def difference(ours: Grade, theirs: Theirs, code: str = SIGN, **more: Any) -> Difference:
    found = differs(Program("mutants", "constant", PROBLEM, code), ours, theirs)
    assert found is not None
    return replace(found, **more)


def test_mutants_are_other_programs_of_several_kinds_and_the_same_for_the_same_seed() -> None:
    found = mutants(SIGN, 12, "seed")

    assert found == mutants(SIGN, 12, "seed")
    assert found != mutants(SIGN, 12, "another")
    assert len({mutant.code for mutant in found} | {SIGN}) == 13
    assert {mutant.kind for mutant in found} == {
        "comparison", "constant", "arithmetic", "dropped statement", "negation", "swapped returns"
    }  # fmt: skip
    for mutant in found:
        compile(mutant.code, "mutant", "exec")


def test_a_program_with_nothing_to_change_has_few_mutants() -> None:
    assert [mutant.kind for mutant in mutants("def f(x):\n    return x\n", 5, "seed")] == ["dropped statement"]


def test_problems_are_spread_and_doubles_left_out() -> None:
    problems = [replace(PROBLEM, id=f"Own/{number}") for number in range(10)]
    assert [problem.id for problem in spread(problems, 3)] == ["Own/0", "Own/3", "Own/6"]
    assert spread(problems, 20) == spread(problems, None) == problems

    same = [Program("references", "", PROBLEM, SIGN), Program("run", "sample 0", PROBLEM, SIGN)]
    assert list(without_doubles(same)) == same[:1]


def test_graders_differ_where_one_lets_pass_and_plus_counts_with_base_only() -> None:
    program = Program("references", "", PROBLEM, SIGN)

    assert differs(program, PASSES, Theirs("pass", "pass")) is None
    assert differs(program, failed(Verdict.TIMEOUT), Theirs("fail", "pass")) is None
    assert difference(PASSES, Theirs("pass", "timeout")).suite == "plus"
    assert difference(PASSES, Theirs("fail", "pass")).suite == "base"


FAIL = Theirs("fail", "fail")
WITH = Theirs("pass", "pass")
REASONS = [
    (difference(failed(Verdict.HARNESS), WITH), "ours could not do its work"),
    (difference(PASSES, Theirs(LOST, LOST)), "ended without a result"),
    (difference(PASSES, FAIL, again=(FAIL, WITH)), "asked again"),
    (difference(Grade(PASS, failed().plus), WITH, apart=Verdict.PASS), "state between"),
    (difference(PASSES, FAIL, "import time\ndef sign(n):\n    time.sleep(2)\n"), "sleeping"),
    (difference(PASSES, FAIL, "def sign(n):\n    open('x', 'w')\n"), "takes away"),
    (difference(PASSES, FAIL, "from dataclasses import dataclass\n"), "__name__"),
    (difference(PASSES, Theirs("timeout", "fail")), "wall clock"),
    (difference(failed(Verdict.TIMEOUT), WITH), "CPU seconds"),
    (difference(failed(Verdict.MEMORY), WITH), "2 GB"),
    (difference(failed(actual="<ndarray>"), WITH), "no data"),
    (difference(failed(actual="[[1.0], [2.0]]", expected="[1.0, 2.0]"), WITH), "another shape"),
    (difference(failed(Verdict.ERROR, error="…\nRecursionError: too deep"), WITH), "recursion"),
    (difference(failed(), WITH, "import random\n"), "random numbers"),
    (difference(failed(), WITH), UNEXPLAINED),
    (difference(PASSES, FAIL, "def sign(n):\n    return 'a'.replace('a', 'b')\n"), UNEXPLAINED),
]


@pytest.mark.parametrize(("found", "text"), REASONS, ids=[text for _, text in REASONS])
def test_a_reason_is_given_where_a_rule_tells_it(found: Difference, text: str) -> None:
    assert text in reason(found)


def test_the_report_counts_agreements_and_shows_every_difference() -> None:
    program = Program("mutants", "constant", PROBLEM, SIGN)
    pairs = [
        agreement.Pair("own", program, PASSES, WITH),
        agreement.Pair("own", program, failed(), FAIL),
        agreement.Pair("own", program, failed(Verdict.TIMEOUT), WITH),
    ]

    text = agreement.report(pairs, [difference(failed(Verdict.TIMEOUT), WITH, again=(WITH,))])

    assert "| own | mutants | 3 | 1 / 1 / 0 / 1 | 1 / 1 / 0 / 1 | 0 |" in text
    assert "| timeout | 1 | 0 |" in text
    assert "| time: CPU seconds here, the wall clock in EvalPlus | 1 |" in text
    assert "### Own/1, mutants constant: base" in text
    assert "asked again (base/plus): pass/pass" in text
    assert "def sign" in text


def test_flips_are_named_and_a_cut_file_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "steady.jsonl"
    grades = steady.Grades(path)
    for number, plus in enumerate(("pass", "timeout", "pass")):
        row = {"round": number, "problem": "Own/1", "source": "references", "base": "pass"}
        grades.add({**row, "key": "a", "plus": plus})
        grades.add({**row, "key": "b", "problem": "Own/2", "plus": "pass"})
    with path.open("a", encoding="utf-8") as file:
        file.write('{"round": 3, "key": "a", "pro')

    again = steady.Grades(path)

    assert again.rows == grades.rows
    assert path.read_text(encoding="utf-8").endswith("\n")
    assert again.done(2) == {"a", "b"}
    assert again.done(3) == set()
    text = steady.report(again.rows, 2)
    assert "| references | 2 | 3 | 2 | 1 | 1 |" in text
    assert "- Own/1, references: pass / pass (2 times), pass / timeout (1 times)" in text
    assert "Own/2" not in text


def test_programs_are_the_same_whatever_their_layout_and_docstrings() -> None:
    ours = Extraction("def f(x):\n    '''One.'''\n    return x", "fence", has_entry_point=True)
    same = extraction.Reply("run", "Own/1", PROBLEM, ours, "def f(x):\n  'Two.'\n  return x # x", PASSES, PASSES)
    other = replace(same, theirs="def f(x):\n    return", their_grade=failed())
    raised = replace(same, theirs=None, their_grade=failed())

    assert [reply.same_code for reply in (same, other, raised)] == [True, False, False]
    assert [reply.outcome for reply in (same, other, raised)] == ["same", "ours", "ours"]
    text = extraction.report([same, other, raised])
    assert "| better verdict with ours | 2 |" in text
    assert "| exception in EvalPlus's | 1 |" in text
    assert "+    return x" in text


def test_without_evalplus_one_sentence_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(EvalPlusMissingError, match=r"no working EvalPlus 0\.3\.1 in"):
        ensure(lambda _: None, tmp_path)

    assert crosscheck.main(["--evalplus", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    assert "no working EvalPlus" in capsys.readouterr().err


def test_speed_is_measured_without_evalplus_too(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> None:
        raise EvalPlusMissingError("There is no EvalPlus.")

    def timed(*_: object) -> tuple[float, dict[str, float]]:
        return 2.0, {"grading_seconds": 0.5}

    told: list[str] = []
    monkeypatch.setattr(speed.evalplus, "ensure", missing)
    monkeypatch.setattr(speed, "load_dataset", lambda name: Dataset(name, "own", "", (PROBLEM,)))
    monkeypatch.setattr(speed, "_ours", timed)

    rows = speed.rows(Plan(quick=True, model="", progress=told.append))

    assert [row.ours for row in rows] == [2, 2, 2, 2]
    assert [row.theirs for row in rows] == [None] * 4
    assert rows[0].note == "EvalPlus cannot be had here"
    assert told[0] == "There is no EvalPlus. Grading is measured without it."


def test_verdicts_that_were_kept_are_read_again(tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    program = Program("references", "", PROBLEM, SIGN)
    kept.write_text(json.dumps({"key": program.key, "base": "pass", "plus": "fail"}) + '\n{"key": "x', encoding="ascii")

    known = crosscheck.read_verdicts(kept)

    assert known == {program.key: Theirs("pass", "fail")}
    assert crosscheck.read_verdicts(tmp_path / "none") == {}


def _evalplus(folder: Path, script: str) -> EvalPlus:
    """Return an EvalPlus whose command is a script: what is tested is how it is spoken to."""
    program = folder / "venv" / "bin" / "evalplus.evaluate"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="ascii")
    program.chmod(0o755)
    return EvalPlus(folder / "venv")


def test_verdicts_come_in_the_order_of_the_samples_as_soon_as_they_are_whole(tmp_path: Path) -> None:
    rows = {
        "Own/1": [{"base_status": "pass", "plus_status": "pass"}, {"base_status": "fail", "plus_status": "timeout"}],
        "Own/2": [{"base_status": "pass", "plus_status": "fail"}],
    }
    result = json.dumps({"eval": rows})
    evalplus = _evalplus(tmp_path, f"echo '{result}' > samples_eval_results.json; touch ../outside; sleep 60")
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    found = evalplus.evaluate("mbpp", tmp_path / "data", [("Own/1", ""), ("Own/2", ""), ("Own/1", "")], scratch, 1)

    assert found.verdicts == (Theirs("pass", "pass"), Theirs("pass", "fail"), Theirs("fail", "timeout"))
    assert 0 < found.seconds < 30
    assert not (tmp_path / "outside").exists()


@pytest.mark.parametrize("script", ["echo no such option; exit 2", "echo BrokenProcessPool; sleep 60"])
def test_an_end_without_a_result_is_an_error(script: str, tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()

    with pytest.raises(EvalPlusFailedError, match=r"EvalPlus gave no result: (no such option|BrokenProcessPool)"):
        _evalplus(tmp_path, script).evaluate("mbpp", tmp_path / "data", [("Own/1", "")], scratch, 1)

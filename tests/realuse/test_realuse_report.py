"""Rates, intervals, paired tests and the report."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from scipy.stats import binomtest

from benchmarks.realuse.records import append
from benchmarks.realuse.report import cell, load, main, report
from benchmarks.realuse.statistics import clustered_p, difference_interval, mcnemar, rate_interval, sign_test

UP, DOWN, GOOD, BAD = (False, True), (True, False), (True, True), (False, False)


def test_the_interval_holds_the_rate_and_is_wider_for_few_tasks() -> None:
    many = {str(task): [task % 4 > 0] * 3 for task in range(40)}
    few = {str(task): [task % 4 > 0] * 3 for task in range(8)}
    rate, low, high = rate_interval(many)
    assert rate == 0.75
    # For 40 tasks whose seeds agree: the standard error of 40 draws, not of 120.
    assert low == pytest.approx(0.75 - 1.96 * (0.75 * 0.25 / 40) ** 0.5, abs=0.03)
    assert high == pytest.approx(0.75 + 1.96 * (0.75 * 0.25 / 40) ** 0.5, abs=0.03)
    _, wide_low, wide_high = rate_interval(few)
    assert wide_high - wide_low > high - low


def test_tasks_count_by_their_runs() -> None:
    assert rate_interval({"a": [True, True, True], "b": [False]})[0] == 0.75


def test_mcnemar_is_the_binomial_test_of_the_runs_that_changed() -> None:
    pairs = {"a": [UP, UP, GOOD], "b": [UP, DOWN, BAD], "c": [UP, UP, UP]}
    mended, spoiled, p = mcnemar(pairs)
    assert (mended, spoiled) == (6, 1)
    assert p == pytest.approx(binomtest(1, 7).pvalue)
    assert mcnemar({"a": [GOOD, BAD]}) == (0, 0, 1.0)


def test_the_sign_test_counts_tasks() -> None:
    pairs = {"a": [UP, UP, UP], "b": [UP, DOWN, GOOD], "c": [DOWN], "d": [UP, BAD]}
    assert sign_test(pairs) == (2, 1, 1.0)


def test_the_permutation_test_treats_the_seeds_of_a_task_as_one() -> None:
    independent = {str(task): [UP] for task in range(9)}
    clustered = {str(task): [UP] * 3 for task in range(3)}
    assert clustered_p(independent) == pytest.approx(2 / 2**9)
    assert clustered_p(clustered) == pytest.approx(2 / 2**3)
    assert mcnemar(clustered)[2] == pytest.approx(2 / 2**9)


def test_the_permutation_test_of_many_tasks_is_near_the_exact_one() -> None:
    pairs = {str(task): [UP if task < 14 else DOWN] for task in range(20)}
    assert clustered_p(pairs) == pytest.approx(binomtest(6, 20).pvalue, abs=0.02)
    assert 0 < clustered_p({str(task): [UP] for task in range(30)}) < 0.001
    assert clustered_p({"a": [GOOD]}) == 1.0


def test_the_difference_has_an_interval_above_nothing_where_all_gain() -> None:
    gain, low, high = difference_interval({str(task): [UP, GOOD] for task in range(20)})
    assert (gain, low, high) == (0.5, 0.5, 0.5)


def arm(passed: bool, kind: str = "", reason: str = "", rounds: int = 2) -> dict[str, Any]:
    cost = dict.fromkeys(
        ("prompt_tokens", "cached_prompt_tokens", "completion_tokens", "model_seconds", "sandbox_seconds", "seconds"),
        1.5,
    )
    ran = {"rounds": rounds, "executions": 1, "error": None, "cost": cost}
    return {"passed": passed, "kind": kind, "reason": reason, **ran}


def row(task: str, seed: int, before: bool, after: dict[str, Any], model: str = "small") -> dict[str, Any]:
    where = {
        "category": "tables",
        "language": "de",
        "turns": 1,
        "commit": "abc",
        "source": "0123456789",
        "versions": {"x": "1"},
    }
    settings = {"max_rounds": 5, "temperature": 0.2}
    arms = {"single": arm(before), "feedback": after}
    return {
        "format": 1,
        "key": f"{task}{seed}",
        "task": task,
        "seed": seed,
        "model": model,
        "settings": settings,
        **where,
        **arms,
    }


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    for one in rows:
        append(path, one)
    return path


def test_the_report_names_what_was_missed_and_what_flipped(tmp_path: Path) -> None:
    rows = [
        row("fit", 0, False, arm(True)),
        row("fit", 1, False, arm(True)),
        row("rain", 0, True, arm(False, "wrong answer", "the number: 46.2 not found | or so")),
        row("rain", 1, True, arm(True)),
        row("loan", 0, False, arm(False, "no code", "interest: 1 not found")),
    ]
    text = report(load([written(tmp_path / "a.jsonl", rows)]))
    assert "3 tasks, 2 seeds, 5 runs | 40.0 %" in text
    assert "| 60.0 % (" in text
    assert "+20.0 points" in text
    assert "| McNemar, exact, over runs | 2 mended | 1 spoiled | 1.000 |" in text
    assert "- Mended: fit (seeds 0, 1)" in text
    assert "- Spoiled: rain (seed 0)" in text
    assert "Missed with execution feedback: 2 of 5" in text
    assert "Wrong answer: 1" in text
    assert "No code: 1" in text
    assert "46.2 not found \\| or so" in text
    assert "| tables | 5 | 40.0 % | 60.0 % | 2.0 |" in text


def test_models_are_series_of_their_own_and_the_last_record_of_a_run_counts(tmp_path: Path) -> None:
    rows = [
        row("fit", 0, False, arm(False, "no code")),
        row("fit", 0, True, arm(True)),
        row("fit", 0, True, arm(True), "large"),
    ]
    series = load([written(tmp_path / "a.jsonl", rows[:1]), written(tmp_path / "b.jsonl", rows[1:])])
    assert [len(runs) for runs in series.values()] == [1, 1]
    assert all(runs[0]["feedback"]["passed"] for runs in series.values())


def test_suites_are_series_of_their_own(tmp_path: Path) -> None:
    easy = [{**row("everyday-power", seed, False, arm(True)), "suite": "everyday"} for seed in (0, 1)]
    hard = [row("fit", 0, False, arm(False, "no code"))]  # recorded before there were suites
    text = report(load([written(tmp_path / "a.jsonl", [*hard, *easy])]))
    head = [line for line in text.splitlines() if " tasks, small" in line and line.startswith("|")]
    assert [line.split()[1] for line in head] == ["everyday", "hard"]
    assert "1 tasks, 2 seeds, 2 runs" in head[0]
    assert "| 100.0 % (" in head[0]
    assert "1 tasks, 1 seeds, 1 runs" in head[1]
    assert "33.3 %" not in text


def test_cells_do_not_break_the_table() -> None:
    assert cell("a | b\nc_d <x>") == "a \\| b c\\_d &lt;x>"
    assert len(cell("x" * 500)) < 200


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(written(tmp_path / "a.jsonl", [row("fit", 0, False, arm(True))]))]) == 0
    assert capsys.readouterr().out.startswith("| series |")
    assert main([str(tmp_path / "none.jsonl")]) == 2
    (tmp_path / "empty.jsonl").touch()
    assert main([str(tmp_path / "empty.jsonl")]) == 1

"""The speed benchmarks: how they measure, how they report, and that they run."""

from __future__ import annotations

import json

import pytest

from benchmarks.speed import __main__ as program
from benchmarks.speed import report
from benchmarks.speed.measure import Plan, Row, Target, against, alone, interleave, ratio


def test_sides_take_turns_and_change_their_order() -> None:
    called: list[str] = []

    def side(name: str) -> float:
        called.append(name)
        return len(called)

    figures = interleave({"a": lambda: side("a"), "b": lambda: side("b")}, rounds=2, warmups=1)

    assert "".join(called) == "baabba"
    assert figures == {"a": [3, 6], "b": [4, 5]}


def test_ratio_is_of_medians_and_an_outlier_shows_in_the_interval() -> None:
    steady = ratio([2.0] * 9, [1.0] * 9)
    assert (steady.value, steady.low, steady.high) == (2, 2, 2)

    shaken = ratio([1.0, 1.1, 9.0, 1.0, 8.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    assert shaken.value == pytest.approx(1.1)
    assert shaken.low == pytest.approx(1.0)
    assert shaken.high > 7


def test_the_target_is_of_the_ratio_where_there_is_one() -> None:
    cold = against("cold", "ms", [0.3, 0.3], "bare", [0.2, 0.2], Target("at most", 1.2), scale=1000)
    assert (cold.ours, cold.theirs) == (300, 200)
    assert cold.met is False
    assert alone("warm", "ms", [0.03], Target("at most", 50), scale=1000).met is True
    assert against("rate", "tokens/s", [97, 98], "bare", [100, 100], Target("at least", 0.97)).met is True
    assert alone("memory", "MiB", [30.0]).met is None


def test_table_has_a_line_for_each_row_and_says_what_was_missed() -> None:
    rows = [
        alone("warm", "ms", [12.0, 14.0, 99.5], Target("at most", 50), "first answer"),
        against("cold start", "ms", [300.0, 300.0], "bare", [200.0, 200.0], Target("at most", 1.2)),
    ]

    head, rule, warm, cold = report.table(rows).splitlines()

    assert head.split("|")[1].strip() == "what"
    assert set(rule) == {"|", "-"}
    assert "14 ms (13 to 56.8)" in warm
    assert "at most 50 ms | yes" in warm
    assert "bare: 200 ms" in cold
    assert "1.50 (1.50 to 1.50)" in cold
    assert "at most 1.2×  | NO" in cold
    assert warm.index("at most") == cold.index("at most")


def test_quick_run_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--only", "roundtrip", "--quick", "--json"]) == 0

    printed = capsys.readouterr()
    told = json.loads(printed.out)
    assert told["quick"] is True
    assert {"cores", "python", "ipykernel", "xllamacpp"} <= told["machine"].keys()
    row = told["rows"][0]
    assert row["other"] == "bare jupyter_client"
    assert row["unit"] == "ms"
    assert 0 < row["ours"] < 5000
    assert row["ratio"]["low"] <= row["ratio"]["value"] <= row["ratio"]["high"]
    assert row["met"] == (row["ratio"]["value"] <= row["target"]["value"])


def test_unknown_names_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(["--only", "everything"])
    assert ended.value.code == 2
    assert "roundtrip" in capsys.readouterr().err

    assert program.main(["--only", "prompt", "--model", "qwen2.5-coder-0.5"]) == 1
    assert "qwen2.5-coder-0.5b" in capsys.readouterr().err


@pytest.mark.model
@pytest.mark.slow
def test_refinements_evaluate_little_more_than_what_is_new() -> None:
    from benchmarks.speed import prompt

    rows: list[Row] = prompt.rows(Plan(quick=True, model="qwen2.5-coder-0.5b", progress=lambda _: None))

    assert [row.met for row in rows] == [True]

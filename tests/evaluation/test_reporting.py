"""The figures of a run, the tables, the comparison, and the forms of a report."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from pathlib import Path

import pytest
from sample_runs import config, made_record, sample_run, single_attempt

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.records import LEAK_MARK, ProblemRecord
from opencodeinterpreter.evaluation.reporting import (
    build_report,
    compare,
    compare_paths,
    find_runs,
    render,
    render_comparison,
)
from opencodeinterpreter.evaluation.reporting.plots import panels, standalone
from opencodeinterpreter.evaluation.reporting.published import published_rows
from opencodeinterpreter.evaluation.run_folder import Run, write_run
from opencodeinterpreter.evaluation.statistics import mcnemar
from opencodeinterpreter.evaluation.summary import summarize
from opencodeinterpreter.evaluation.verdicts import Verdict
from opencodeinterpreter.models.response_cache import Tokens

PASS, WRONG, ERROR, HARNESS = Verdict.PASS, Verdict.WRONG, Verdict.ERROR, Verdict.HARNESS


def run_of(*records: ProblemRecord, protocol: str = "execution", **changes: object) -> Run:
    return Run(config(protocol, **{"problem_count": len(records), **changes}), records)  # type: ignore[arg-type]


def solving(count: int, total: int, **changes: object) -> Run:
    return run_of(
        *[made_record(f"HumanEval/{n}", PASS if n < count else WRONG) for n in range(total)],
        **{"protocol": "single", **changes},  # type: ignore[arg-type]
    )


# The figures of one run


def test_base_and_plus_come_from_the_same_answers() -> None:
    summary = summarize(
        run_of(made_record("a", (PASS, PASS)), made_record("b", (PASS, WRONG)), made_record("c", ERROR))
    )
    assert summary.rates["base"].value == pytest.approx(2 / 3)
    assert summary.rates["plus"].value == pytest.approx(1 / 3)
    assert summary.verdicts["plus"] == {PASS: 1, WRONG: 1, ERROR: 1}


def test_a_benchmark_without_plus_has_no_plus() -> None:
    summary = summarize(solving(3, 4, benchmark="humaneval"))
    assert set(summary.rates) == {"base"}
    assert (
        "("
        not in render(build_report([solving(3, 4, benchmark="humaneval")], published=False)).split("**single**")[1][:40]
    )


def test_a_harness_error_is_no_failure_of_the_model() -> None:
    summary = summarize(run_of(made_record("a", PASS), made_record("b", WRONG), made_record("c", HARNESS)))
    assert (summary.rates["base"].value, summary.rates["base"].total) == (0.5, 2)
    assert summary.harness_errors == 1
    assert "1 answer not gradable (harness error)" in render(build_report([run_of(made_record("c", HARNESS))]))


def test_an_answer_that_was_never_graded_is_in_no_rate() -> None:
    bare = ProblemRecord("b", (single_attempt(PASS, grade=None),), 0)
    summary = summarize(run_of(made_record("a", PASS), bare))
    assert (summary.ungraded, summary.rates["plus"].total) == (1, 1)


def test_rounds_say_what_was_fixed_broken_and_left() -> None:
    summary = summarize(
        run_of(
            made_record("solved", PASS),
            made_record("fixed", WRONG, PASS),
            made_record("broken", PASS, WRONG),
            made_record("stuck", WRONG, ERROR),
            made_record("late", WRONG, WRONG, PASS),
        )
    )
    assert [each.attempts for each in summary.rounds] == [5, 4, 1]
    assert [round(5 * each.rates["base"].value) for each in summary.rounds] == [2, 2, 3]
    first, second = (each.changes["base"] for each in summary.rounds[1:])
    assert (first.fixed, first.broken, first.unchanged) == (1, 1, 3)
    assert (second.fixed, second.broken, second.unchanged) == (1, 0, 4)
    assert summary.refinement["base"].fixed == ("fixed", "late")
    assert summary.refinement["base"].p == mcnemar(2, 1)


def test_a_refinement_that_was_not_accepted_changes_nothing() -> None:
    refused = replace(made_record("p", PASS, WRONG), final=0, standing=(0, 0))
    summary = summarize(run_of(refused, protocol="visible"))
    assert summary.rounds[1].rates["base"].value == 1
    assert summary.rounds[1].changes["base"].broken == 0


def test_what_a_draw_has_fixed_is_told_apart() -> None:
    def fixed(**notes: object) -> ProblemRecord:
        record = made_record("p", WRONG, PASS)
        first, second = record.attempts
        return replace(record, attempts=(first, replace(second, notes=notes)))

    summary = summarize(run_of(fixed(), replace(fixed(temperature=0.7, seed=2), problem="q")))
    change = summary.rounds[1].changes["base"]
    assert (change.fixed, change.drawn) == (2, 1)
    assert "| Fixed | by a draw |" in render(build_report([run_of(fixed(temperature=0.7))]))


def test_the_same_code_again_is_counted() -> None:
    first = single_attempt(WRONG, code="def f(): pass\n")
    repeated = single_attempt(WRONG, number=1, code="def f(): pass")
    other = single_attempt(WRONG, number=1, code="def f(): return")
    run = run_of(ProblemRecord("a", (first, repeated), 1), ProblemRecord("b", (first, other), 1))
    assert summarize(run).rounds[1].same_code == 1


def test_rates_of_no_code_and_no_entry_point() -> None:
    run = run_of(
        ProblemRecord("a", (single_attempt(Verdict.NO_CODE, code="  \n", has_entry_point=False),), 0),
        ProblemRecord("b", (single_attempt(ERROR, has_entry_point=False),), 0),
        made_record("c", PASS),
    )
    summary = summarize(run)
    assert (summary.no_code, summary.no_entry_point, summary.replies) == (1, 1, 3)


def test_cost_counts_every_reply_and_the_dialogs_beside_them() -> None:
    aside = {"kind": "feedback", "tokens": {"prompt": 10, "completion": 7}, "seconds": 1.0}
    run = run_of(replace(made_record("a", WRONG, PASS), notes={"asides": [aside]}), made_record("b", WRONG))
    cost = summarize(run).cost
    assert (cost.prompt_tokens, cost.completion_tokens, cost.seconds, cost.solved) == (310, 157, 7.0, 1)
    assert (cost.tokens_per_solved, cost.seconds_per_solved) == (157, 7.0)


def test_resampling_at_equal_budget_is_a_yardstick_and_no_cost_of_the_protocol() -> None:
    kinds = ("sample", "sample", "repair", "baseline", "baseline")
    attempts = tuple(single_attempt(PASS, number=int(kind == "repair"), kind=kind) for kind in kinds)
    run = run_of(ProblemRecord("a", attempts, 2), made_record("b", WRONG), protocol="select")
    summary = summarize(run)
    cost, spent = summary.cost, summary.baseline
    assert (cost.prompt_tokens, cost.completion_tokens, cost.seconds) == (400, 200, 8.0)
    assert (cost.tokens_per_solved, cost.seconds_per_solved) == (200, 8.0)
    assert spent is not None
    assert (spent.prompt_tokens, spent.completion_tokens, spent.seconds) == (200, 100, 4.0)
    assert [each.attempts for each in summary.rounds] == [3, 1]
    text = render(build_report([run], published=False))
    assert "| 1 | 1 | 400 | 200 | 8 | 200 | 8.0 |" in text
    assert "| 1, resampling | – | 200 | 100 | 4 | – | – |" in text
    row = json.loads(render(build_report([run], published=False), "json"))["runs"][0]
    assert (row["cost"]["seconds"], row["baseline"]["seconds"]) == (8.0, 4.0)
    assert "tokens of the resampling" in render(build_report([run], published=False), "html")


def test_a_run_without_resampling_has_no_cost_of_it() -> None:
    assert summarize(run_of(made_record("a", PASS))).baseline is None


def test_tokens_that_are_not_reported_are_not_made_up() -> None:
    silent = ProblemRecord("a", (single_attempt(WRONG, tokens=Tokens()),), 0)
    cost = summarize(run_of(silent, made_record("b", WRONG))).cost
    assert (cost.completion_tokens, cost.tokens_per_solved, cost.seconds_per_solved) == (None, None, None)


def test_several_samples_give_pass_at_k() -> None:
    records = [made_record("a", PASS if sample else WRONG, sample=sample) for sample in range(4)]
    records += [made_record("b", WRONG, sample=sample) for sample in range(4)]
    summary = summarize(run_of(*records, protocol="single", samples=4, problem_count=2))
    assert summary.rates["base"].value == pytest.approx(0.375)
    assert summary.rates["base"].total == 2
    assert summary.pass_at["base"] == pytest.approx({1: 0.375, 2: 0.5, 4: 0.5})


def test_the_steps_of_a_choice_are_scored_each() -> None:
    attempts = tuple(single_attempt(verdict, kind="sample") for verdict in (WRONG, PASS, WRONG))
    steps = {"greedy": 0, "visible filter": 1}
    run = run_of(ProblemRecord("a", attempts, 1, notes={"steps": steps}), protocol="select")
    scored = {step.name: step.rates["base"].value for step in summarize(run).steps}
    assert scored == {"greedy": 0, "visible filter": 1, "best of the samples, chosen by the hidden tests": 1}


def test_an_incomplete_run_says_so() -> None:
    run = solving(3, 5, problem_count=164)
    assert summarize(run).missing == 159
    text = render(build_report([run], published=False))
    assert "5 of 164 HumanEval+ v0.1.10" in text
    assert "incomplete: 5 of 164 problems are recorded" in text


def test_an_empty_run_can_be_reported() -> None:
    report = build_report([run_of(problem_count=164)])
    assert all(render(report, form) for form in ("md", "json", "html"))


# The tables


def test_honest_and_other_protocols_never_share_a_table() -> None:
    runs = [
        sample_run(protocol, problems=10)
        for protocol in ("single", "visible", "select", "execution", "human", "oracle")
    ]
    tables = {table.name: table for table in build_report(runs).tables}
    assert {row.leakage for row in tables["honest"].rows} == {"L0", "L2", "L2+L3"}
    assert {row.leakage for row in tables["upper"].rows} == {"L5", "L6", "L7"}
    assert all(row.honest is (table.name == "honest") for table in tables.values() for row in table.rows)


def test_every_row_names_protocol_leakage_and_data() -> None:
    text = render(build_report([sample_run("execution", problems=5)]))
    rows = [line for line in text.split("\n## Runs")[0].splitlines() if line.startswith("|") and "Model" not in line]
    rows = [row for row in rows if "---" not in row]
    assert len(rows) > 30
    assert all(re.search(r"\| \*{0,2}L\d", row) and re.search(r"v\d|not stated", row) for row in rows)


def test_runs_of_one_configuration_share_a_row_with_their_average() -> None:
    runs = [sample_run("single", benchmark) for benchmark in ("mbpp+", "humaneval+")]
    (row,) = [row for table in build_report(runs).tables for row in table.rows if row.source == "ours"]
    assert row.data == ("HumanEval+ v0.1.10", "MBPP+ v0.2.0")
    assert row.average is not None
    assert row.average.base.value == pytest.approx(
        (row.cells["humaneval"].base.value + row.cells["mbpp"].base.value) / 2
    )


def test_versions_of_the_data_and_settings_do_not_share_a_row() -> None:
    runs = [
        sample_run("execution", problems=5),
        sample_run("execution", "mbpp+", problems=5, dataset_version="v0.1.0"),
        sample_run("execution", "mbpp+", problems=5, settings={"flattened": True, "again": 2}),
        sample_run("execution", "mbpp+", problems=5),
    ]
    rows = [row for table in build_report(runs).tables for row in table.rows if row.source == "ours"]
    assert [(row.data, row.average is not None, "flattened" in row.remarks) for row in rows] == [
        (("HumanEval+ v0.1.10", "MBPP+ v0.2.0"), True, False),
        (("MBPP+ v0.1.0",), False, False),
        (("MBPP+ v0.2.0",), False, True),
    ]


def test_the_same_run_twice_is_two_rows() -> None:
    rows = [row for table in build_report([solving(1, 2), solving(2, 2)]).tables for row in table.rows]
    assert [row.cells["humaneval"].base.value for row in rows if row.source == "ours"] == [0.5, 1.0]


def test_published_rows_hold_together() -> None:
    rows = published_rows()
    assert len(rows) == 13 + 13 + 2 + 2 + 4
    for row in rows:
        for place in (0, 1):
            mean = (row.humaneval[place] + row.mbpp[place]) / 2
            assert row.average[place] == pytest.approx(mean, abs=0.11), row
        assert row.humaneval[1] <= row.humaneval[0]
        assert row.mbpp[1] <= row.mbpp[0]
    best = next(row for row in rows if row.model == "OCI-DS-33B" and row.protocol == "oracle")
    assert (best.humaneval, best.mbpp, best.average, best.leakage) == ((92.7, 89.7), (90.5, 79.5), (91.6, 84.6), "L7")


def test_the_notes_say_what_published_figures_are_out_of() -> None:
    text = render(build_report([solving(1, 2)]))
    assert "163 reachable problems" in text
    assert "HumanEval/32" in text
    assert "399 problems" in text


# The comparison


def test_a_winner_only_with_significance() -> None:
    weak, little, better = (
        solving(count, 100, model=name) for name, count in (("weak", 50), ("little", 55), ("better", 60))
    )
    none, some = compare([weak], [little]), compare([weak], [better])
    assert none.whole.results["plus"].winner is None
    assert "No winner" in none.sentence(none.whole, "plus")
    assert "better · single [L0] is better" in some.sentence(some.whole, "plus")
    assert "| none shown |" in render_comparison(none)
    assert (
        json.loads(render_comparison(some, "json"))["parts"][0]["results"]["plus"]["winner"] == "better · single [L0]"
    )
    assert "Fixed (plus): HumanEval/50, HumanEval/51" in render_comparison(some)


def test_benchmarks_are_pooled_for_evidence() -> None:
    sides = [
        [sample_run(protocol, benchmark, strength=0.5) for benchmark in ("humaneval+", "mbpp+")]
        for protocol in ("single", "execution")
    ]
    comparison = compare(*sides)
    assert [part.data for part in comparison.parts] == ["HumanEval+ v0.1.10", "MBPP+ v0.2.0", "all together"]
    assert comparison.whole.results["plus"].total == 542
    assert "One of the two sees the hidden tests" in comparison.notes[0]


def test_a_report_compares_what_belongs_together() -> None:
    runs = [
        sample_run(protocol, model=model, problems=20)
        for model in ("small", "large")
        for protocol in ("single", "visible", "execution")
    ]
    found = {(each.first.split(",")[0], each.second.split(",")[0]) for each in build_report(runs).comparisons}
    assert ("small · single [L0]", "small · visible [L2]") in found
    assert ("small · visible [L2]", "large · visible [L2]") in found
    assert ("small · single [L0]", "large · visible [L2]") not in found
    assert len(found) == 7


def test_a_report_compares_only_what_was_asked_in_the_same_way() -> None:
    visible = sample_run("visible", problems=20)
    asked = sample_run("single", problems=20)
    otherwise = [
        sample_run("single", problems=20, settings={"prompt": "qwen"}),
        sample_run("single", problems=20, temperature=0.2),
        sample_run("single", problems=20, prompts="2"),
        sample_run("single", problems=20, model_sha256="f" * 64),
    ]
    (found,) = build_report([*otherwise, visible, asked]).comparisons
    assert found.second.startswith(f"{visible.config.model} · visible")
    assert found.notes == ()
    # Who asks for one of the others by name is told.
    notes = compare([otherwise[0]], [visible]).notes
    assert "asked in different ways (prompt qwen and evalplus), which is part of the difference" in notes[0]


def test_a_further_run_of_the_same_thing_keeps_no_other_comparison_away() -> None:
    runs = [sample_run("single", problems=20, seed=seed) for seed in (1, 2)]
    assert len(build_report([*runs, sample_run("visible", problems=20)]).comparisons) == 2


def test_a_run_with_a_leak_says_so_wherever_it_stands() -> None:
    def leaked(record: ProblemRecord) -> ProblemRecord:
        return replace(record, notes={LEAK_MARK: [{"where": "attempt 1", "kind": "hidden input", "excerpt": "f(1)"}]})

    visible = sample_run("visible", problems=4)
    visible = replace(visible, records=tuple(map(leaked, visible.records)))
    report = build_report([sample_run("single", problems=4), visible], published=False)
    (row,) = [line for line in render(report).splitlines() if line.startswith("| **") and "visible" in line]
    assert "LEAK before 4 answers of HumanEval+ v0.1.10: not honest" in row
    assert "hidden content stood before 4 answers of the second" in report.comparisons[0].notes[0]


def test_runs_on_different_data_are_not_compared() -> None:
    with pytest.raises(EvaluationError, match=r"different data, HumanEval\+ v0.1.10 and HumanEval\+ v0.1.9"):
        compare([sample_run(problems=3)], [sample_run(problems=3, dataset_version="v0.1.9")])


def test_two_runs_on_the_same_data_on_one_side_are_refused() -> None:
    with pytest.raises(EvaluationError, match="name the one to compare"):
        compare([solving(1, 2), solving(1, 2)], [solving(2, 2)])


def test_runs_without_a_common_problem_are_not_compared() -> None:
    with pytest.raises(EvaluationError, match="no graded problem in common"):
        compare([run_of(made_record("a", PASS))], [run_of(made_record("b", PASS))])


def test_problems_of_one_side_only_are_said() -> None:
    comparison = compare([solving(2, 5)], [solving(2, 3, protocol="visible")])
    assert comparison.whole.results["base"].total == 3
    assert "2 problems only in the first and 0 only in the second" in comparison.notes[0]


def test_models_of_two_servers_are_compared_and_one_model_of_two_servers_is_not() -> None:
    one, other = {"endpoint": "a:1/v1"}, {"endpoint": "b:2/v1"}
    weak, strong = solving(1, 4, model="weak", settings=one), solving(3, 4, model="strong", settings=other)
    assert len(build_report([weak, strong]).comparisons) == 1
    visible = solving(3, 4, model="weak", protocol="visible", settings=other)
    assert build_report([weak, visible]).comparisons == ()
    visible = solving(3, 4, model="weak", protocol="visible", settings=one)
    assert len(build_report([weak, visible]).comparisons) == 1


def test_runs_that_are_named_alike_are_told_apart() -> None:
    first, second = solving(1, 2), replace(solving(2, 2), path=Path("again"))
    assert compare([first], [second]).second.endswith("(again)")


# The forms


def test_runs_are_found_in_folders_and_below(tmp_path: Path) -> None:
    for name in ("b", "a/x"):
        run = sample_run(problems=2)
        write_run(tmp_path / name, run.config, run.records, compressed=name == "b")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"hidden_size": 8}')
    assert [run.path.name for run in find_runs([tmp_path])] == ["x", "b"]
    assert len(find_runs([tmp_path, tmp_path / "b", tmp_path / "b" / "config.json"])) == 2
    assert compare_paths(tmp_path / "b", tmp_path / "a").whole.results["plus"].fixed == ()
    with pytest.raises(EvaluationError, match="holds no run"):
        find_runs([tmp_path / "nothing"])


def test_json_holds_the_figures_of_the_report() -> None:
    report = build_report([sample_run("execution", problems=20), sample_run("single", problems=20)])
    row = json.loads(render(report, "json"))
    assert row["runs"][0]["rates"]["plus"]["value"] == report.summaries[0].rates["plus"].value
    assert sum(row["runs"][0]["verdicts"]["plus"].values()) == 20
    assert row["runs"][0]["config"]["key"] == report.runs[0].config.key
    assert row["comparisons"][0]["parts"][0]["results"]["base"]["p"] <= 1
    assert {table["name"] for table in row["tables"]} == {"honest", "upper"}


def test_the_same_records_give_the_same_report() -> None:
    texts = {
        render(build_report([sample_run("execution", problems=10)]), form)
        for form in ("md", "json", "html")
        for _ in "12"
    }
    assert len(texts) == 3


def test_an_unknown_form_is_refused() -> None:
    with pytest.raises(EvaluationError, match="there are md, json, html"):
        render(build_report([]), "pdf")


def test_markdown_tables_are_whole_whatever_stands_in_them() -> None:
    text = render(build_report([solving(1, 2, model="a|b\n<script>", command="x | y")]))
    assert "<script>" not in text
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}) == 1


def test_plots_are_svg_and_of_three_kinds() -> None:
    runs = [sample_run(p, model=m, problems=20) for m in ("small", "l<arge") for p in ("single", "execution")]
    report = build_report(runs)
    drawn = panels(report.summaries, report.tables)
    assert {panel.plot for panel in drawn} == {"rounds", "protocols", "models"}
    for panel in drawn:
        root = ElementTree.fromstring(standalone(panel))
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        assert "l<arge" in "".join(root.itertext())

"""A report, or a comparison, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from opencodeinterpreter.evaluation.reporting.comparing import Comparison, p_text, refinement_sentence
from opencodeinterpreter.evaluation.reporting.report import Report
from opencodeinterpreter.evaluation.reporting.tables import (
    FAMILIES,
    FAMILY_NAMES,
    Cell,
    Figure,
    Row,
    Table,
    data_name,
    run_name,
)
from opencodeinterpreter.evaluation.statistics import PairedResult, Rate
from opencodeinterpreter.evaluation.summary import RoundSummary, Spent, Suite, Summary
from opencodeinterpreter.evaluation.verdicts import Verdict

_SECONDS = "Seconds are the sum over all replies; where several are generated at a time, they overlap."
_NONE = "–"
CHANGES = ("Fixed", "by a draw", "Broken", "Unchanged", "Same code again")
"""what is told of a round after the first"""


def report_markdown(report: Report) -> str:
    """Return the whole report."""
    sections = ["# Evaluation report", *[_table(table) for table in report.tables]]
    sections += _runs(report.summaries)
    if report.comparisons:
        sections += ["## Comparisons", *[comparison_markdown(each, level=3) for each in report.comparisons]]
    sections += ["## Configurations", *[_configuration(summary) for summary in report.summaries]]
    return "\n\n".join(sections) + "\n"


def comparison_markdown(comparison: Comparison, level: int = 1) -> str:
    """Return a comparison of two runs, down to the problems that changed."""
    title = f"{'#' * level} {_escaped(comparison.first)} → {_escaped(comparison.second)}"
    blocks = [title, _results(comparison)]
    if comparison.notes:
        blocks.append("\n".join(comparison.notes))
    if level == 1:
        for suite, result in comparison.whole.results.items():
            for name, problems in (("Fixed", result.fixed), ("Broken", result.broken)):
                if problems:
                    blocks.append(f"{name} ({suite}): {', '.join(problems)}")
    return "\n\n".join(blocks)


def percent(value: float) -> str:
    return f"{100 * value:.1f}"


def interval_text(rate: Rate | Figure) -> str:
    """Write a rate with its interval: ``67.1 [59.6, 73.8]``."""
    if rate.interval is None:
        return percent(rate.value)
    return f"{percent(rate.value)} [{percent(rate.interval.low)}, {percent(rate.interval.high)}]"


def cell_text(cell: Cell | None) -> str:
    """Write base and plus as the published tables do: ``67.1 (62.2)``."""
    if cell is None:
        return _NONE
    return percent(cell.base.value) + (f" ({percent(cell.plus.value)})" if cell.plus else "")


def _results(comparison: Comparison) -> str:
    heads = ["Data", "Tests", "First", "Second", "Difference", "Fixed", "Broken", "Unchanged", "p", "Better"]
    rows = []
    for part in comparison.parts:
        for suite, result in part.results.items():
            counts = [str(len(result.fixed)), str(len(result.broken)), str(result.unchanged)]
            rates = [percent(result.first), percent(result.second), difference_text(result)]
            rows.append([part.data, suite, *rates, *counts, p_text(result.p).removeprefix("= "), better_text(result)])
    return _grid(heads, rows)


def difference_text(result: PairedResult) -> str:
    """Write a difference in points with its interval: ``+2.4 [-1.1, +5.9]``."""
    low, high = 100 * result.interval.low, 100 * result.interval.high
    return f"{100 * result.difference:+.1f} [{low:+.1f}, {high:+.1f}]"


def better_text(result: PairedResult) -> str:
    """Name the better side, or none where chance could do the same."""
    return "none shown" if result.winner is None else ("first", "second")[result.winner]


def _table(table: Table) -> str:
    names = [FAMILY_NAMES[each] for each in FAMILIES]
    heads = ["Model", "Protocol", "Leakage", *[f"{name} ({name}+)" for name in names], "Average", "Data", "Remarks"]
    rows = [_row(row) for row in table.rows]
    return "\n\n".join([f"## {table.title}", _grid(heads, rows), _list(table.notes)])


def _row(row: Row) -> list[str]:
    figures = [*[cell_text(row.cells.get(each)) for each in FAMILIES], cell_text(row.average)]
    source = [row.model, row.protocol, row.leakage]
    if row.source == "published":
        said = ["published", *row.remarks]
        return [*source, *figures, ", ".join(row.data), ", ".join(said)]
    return [
        *[f"**{text}**" for text in source],
        *[text if text == _NONE else f"**{text}**" for text in figures],
        ", ".join(row.data),
        ", ".join(row.remarks),
    ]


def _runs(summaries: Sequence[Summary]) -> list[str]:
    numbered = list(enumerate(summaries, start=1))
    sections = ["## Runs", "\n".join(f"{number}. {_escaped(run_name(s.config))}" for number, s in numbered)]
    sections += ["### Pass rates with 95 % intervals", _rates(numbered)]
    sections += ["### Verdicts", _verdicts(numbered)]
    if any(len(summary.rounds) > 1 for summary in summaries):
        sections += ["### Pass by round", _rounds(numbered)]
    for number, summary in numbered:
        if summary.refinement:
            said = [f"{suite}: {refinement_sentence(summary, suite)}" for suite in summary.refinement]
            sections.append(f"Run {number}, from its first answers to those handed over:\n\n{_list(said)}")
    if any(summary.steps for summary in summaries):
        sections += ["### Steps of the choice", _steps(numbered)]
    if any(summary.pass_at for summary in summaries):
        sections += ["### pass@k", _pass_at(numbered)]
    sections += ["### Cost", _costs(numbered), _SECONDS]
    warnings = [f"Run {number}: {said}" for number, summary in numbered for said in warnings_of(summary)]
    if warnings:
        sections += ["### To be known", _list(warnings)]
    return sections


def warnings_of(summary: Summary) -> list[str]:
    """Say what keeps the figures of a run from being the whole story."""
    said = []
    if summary.leaked:
        said.append(f"LEAK: {_answers(summary.leaked)} after a message with hidden content, so this run is not honest")
    if summary.missing:
        said.append(f"incomplete: {summary.problems} of {summary.config.problem_count} problems are recorded")
    if summary.harness_errors:
        said.append(f"{_answers(summary.harness_errors)} not gradable (harness error), and in no rate")
    if summary.ungraded:
        said.append(f"{_answers(summary.ungraded)} without any grade, and in no rate")
    said += summary.faults
    return said


def _answers(count: int) -> str:
    return f"{count} answer{'' if count == 1 else 's'}"


def _rates(numbered: Iterable[tuple[int, Summary]]) -> str:
    heads = ["Run", "Problems", "base", "base and plus", "No code", "No entry point", "Replies"]
    rows = []
    for number, s in numbered:
        plus = s.rates.get("plus")
        shares = [_share(s.no_code, s.replies), _share(s.no_entry_point, s.replies), str(s.replies)]
        rows.append(
            [
                str(number),
                str(s.problems),
                interval_text(s.rates["base"]),
                interval_text(plus) if plus else _NONE,
                *shares,
            ]
        )
    return _grid(heads, rows)


def _share(count: int, total: int) -> str:
    return f"{count} ({percent(count / total)} %)" if total else _NONE


def _verdicts(numbered: Iterable[tuple[int, Summary]]) -> str:
    rows = [
        [str(number), suite, *[str(counts.get(verdict, 0)) for verdict in Verdict]]
        for number, summary in numbered
        for suite, counts in summary.verdicts.items()
    ]
    return _grid(["Run", "Tests", *[str(verdict) for verdict in Verdict]], rows)


def _rounds(numbered: Iterable[tuple[int, Summary]]) -> str:
    rows = [
        [str(number), str(each.number), suite, str(each.attempts), interval_text(rate), *change_cells(each, suite)]
        for number, summary in numbered
        if len(summary.rounds) > 1
        for each in summary.rounds
        for suite, rate in each.rates.items()
    ]
    return _grid(["Run", "Round", "Tests", "Replies", "Pass rate", *CHANGES], rows)


def change_cells(done: RoundSummary, suite: Suite) -> list[str]:
    """Write what a round has changed, under ``CHANGES``."""
    change = done.changes.get(suite)
    if change is None:
        return [_NONE] * len(CHANGES)
    return list(map(str, (change.fixed, change.drawn, change.broken, change.unchanged, done.same_code)))


def _steps(numbered: Iterable[tuple[int, Summary]]) -> str:
    rows = [
        [str(number), step.name, *[interval_text(rate) for rate in step.rates.values()]]
        for number, summary in numbered
        for step in summary.steps
    ]
    width = max(len(row) for row in rows)
    return _grid(["Run", "Step", "base", "base and plus"][:width], [row + [_NONE] * (width - len(row)) for row in rows])


def _pass_at(numbered: Iterable[tuple[int, Summary]]) -> str:
    rows = [
        [str(number), suite, ", ".join(f"pass@{k} {percent(value)}" for k, value in values.items())]
        for number, summary in numbered
        for suite, values in summary.pass_at.items()
    ]
    return _grid(["Run", "Tests", "Unbiased estimates"], rows)


def _costs(numbered: Iterable[tuple[int, Summary]]) -> str:
    heads = [
        "Run",
        "Solved",
        "Prompt tokens",
        "Completion tokens",
        "Seconds",
        "Tokens per solved",
        "Seconds per solved",
    ]
    rows = []
    for number, summary in numbered:
        cost = summary.cost
        each = (_figure(cost.tokens_per_solved), _figure(cost.seconds_per_solved, 1))
        rows.append([str(number), str(cost.solved), *_spent(cost), *each])
        if summary.baseline is not None:
            rows.append([f"{number}, resampling", _NONE, *_spent(summary.baseline), _NONE, _NONE])
    return _grid(heads, rows)


def _spent(spent: Spent) -> list[str]:
    return [_figure(figure) for figure in (spent.prompt_tokens, spent.completion_tokens, spent.seconds)]


def _figure(figure: float | None, digits: int = 0) -> str:
    return _NONE if figure is None else f"{figure:,.{digits}f}"


def configuration_lines(summary: Summary) -> list[tuple[str, str]]:
    """Return what identifies a run, as names and texts."""
    config = summary.config
    lines = [
        ("data", f"{data_name(config)}, SHA-256 {config.dataset_sha256}"),
        ("protocol", f"{config.protocol} [{config.leakage}], {'honest' if config.honest else 'not honest'}"),
        ("model", config.model + (f", SHA-256 {config.model_sha256}" if config.model_sha256 else "")),
    ]
    if config.synthesizer:
        hashed = f", SHA-256 {config.synthesizer_sha256}" if config.synthesizer_sha256 else ""
        lines.append(("synthesizer", config.synthesizer + hashed))
    greedy = "greedy" if not config.temperature else f"temperature {config.temperature:g}, top-p {config.top_p:g}"
    seed = "" if config.seed is None else f", seed {config.seed}"
    lines.append(("decoding", f"{greedy}{seed}, at most {config.max_tokens} tokens"))
    lines.append(("rounds, samples", f"{config.rounds}, {config.samples}"))
    for name, mapping in (("settings", config.settings), ("machine", config.machine)):
        if mapping:
            lines.append((name, ", ".join(f"{key} = {value}" for key, value in mapping.items())))
    lines += [
        (name, value)
        for name, value in (
            ("prompts", config.prompts),
            ("version", config.package_version),
            ("started", config.started),
            ("command", config.command),
        )
        if value
    ]
    return [*lines, ("key", config.key)]


def _configuration(summary: Summary) -> str:
    lines = [f"{name}: {_escaped(text)}" for name, text in configuration_lines(summary)]
    return f"### {_escaped(run_name(summary.config))}\n\n{_list(lines)}"


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join("| " + " | ".join(_escaped(text) for text in line) + " |" for line in lines)


def _list(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("<", "&lt;")

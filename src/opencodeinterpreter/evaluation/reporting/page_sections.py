"""The sections of the HTML page that need no script: tables, plots, runs, comparisons. Every text is escaped here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape

from opencodeinterpreter.evaluation.reporting.comparing import Comparison, p_text, refinement_sentence
from opencodeinterpreter.evaluation.reporting.markdown import (
    CHANGES,
    better_text,
    cell_text,
    change_cells,
    configuration_lines,
    difference_text,
    interval_text,
    percent,
    warnings_of,
)
from opencodeinterpreter.evaluation.reporting.plots import panels
from opencodeinterpreter.evaluation.reporting.report import Report
from opencodeinterpreter.evaluation.reporting.tables import (
    FAMILIES,
    FAMILY_NAMES,
    Cell,
    Row,
    Table,
    run_name,
    summary_cell,
)
from opencodeinterpreter.evaluation.summary import Summary
from opencodeinterpreter.evaluation.verdicts import Verdict

_PLOTS = {
    "rounds": ("By round", "What would have been handed over after each round, on the strictest tests."),
    "protocols": ("By protocol", "Full dots: base and plus tests. Rings: base tests. Lines: 95 % intervals."),
    "models": ("By model", "Published rows are grey; they are on other versions of the data, see the table."),
}


def results_section(tables: Sequence[Table]) -> str:
    return "".join(_table(table) for table in tables)


def plots_section(report: Report) -> str:
    drawn = panels(report.summaries, report.tables)
    parts = []
    for plot, (title, note) in _PLOTS.items():
        figures = [
            f"<figure><figcaption>{escape(panel.title)}</figcaption>{panel.svg}</figure>"
            for panel in drawn
            if panel.plot == plot
        ]
        if figures:
            parts.append(f'<h3>{title}</h3><p class="note">{note}</p><div class="plots">{"".join(figures)}</div>')
    return "".join(parts)


def runs_section(summaries: Sequence[Summary]) -> str:
    return "".join(_run(number, summary) for number, summary in enumerate(summaries))


def comparisons_section(comparisons: Sequence[Comparison]) -> str:
    if not comparisons:
        why = "they are on different data, or were asked in different ways"
        return f'<p class="note">No two of these runs can be compared: {why}.</p>'
    return "".join(_comparison(comparison) for comparison in comparisons)


def _table(table: Table) -> str:
    heads = [
        "Model",
        "Protocol",
        *[f"{FAMILY_NAMES[each]} <small>(plus)</small>" for each in FAMILIES],
        "Average",
        "Data",
    ]
    ours = [_row(row) for row in table.rows if row.source == "ours"]
    theirs = [_row(row) for row in table.rows if row.source == "published"]
    head = "".join(f"<th scope=col>{text}</th>" for text in heads)
    body = f"<tbody>{''.join(ours)}</tbody>" if ours else ""
    if theirs:
        body += (
            f'<tbody class="published"><tr class="divider"><th colspan={len(heads)}>Published, on the versions of the '
            f"data that each row names</th></tr>{''.join(theirs)}</tbody>"
        )
    notes = "".join(f"<li>{escape(note)}</li>" for note in table.notes)
    return (
        f'<section class="card {table.name}"><h3>{escape(table.title)}</h3>'
        f'<div class="scroll" tabindex=0 role="region" aria-label="{escape(table.title)}">'
        f'<table class="results"><thead><tr>{head}</tr></thead>{body}</table></div>'
        f'<ul class="notes">{notes}</ul></section>'
    )


def _row(row: Row) -> str:
    figures = [*[_cell(row.cells.get(each)) for each in FAMILIES], _cell(row.average)]
    data, small = "<br>".join(escape(text) for text in row.data), ""
    if row.source == "published":
        data = escape(f"{', '.join(row.data)} · {', '.join(row.remarks)}")
    elif row.remarks:
        small = f"<small>{escape(', '.join(row.remarks))}</small>"
    return (
        f"<tr><th scope=row>{escape(row.model)}{small}</th>"
        f"<td>{escape(row.protocol)} {_leakage(row.leakage, honest=row.honest)}</td>"
        f"{''.join(figures)}<td class=data>{data}</td></tr>"
    )


def _leakage(leakage: str, *, honest: bool) -> str:
    return f'<span class="chip {"good" if honest else "leak"}">{escape(leakage)}</span>'


def _cell(cell: Cell | None) -> str:
    if cell is None:
        return '<td class="figure none">–</td>'
    plus = f" <span>({percent(cell.plus.value)})</span>" if cell.plus else ""
    ends = [
        f"{percent(figure.interval.low)}–{percent(figure.interval.high)}"
        for figure in (cell.base, cell.plus)
        if figure and figure.interval
    ]
    interval = ends[0] + (f" ({ends[1]})" if ends[1:] else "") if ends else ""
    small = f'<small title="95 % interval">{interval}</small>' if interval else ""
    return f'<td class="figure"><b>{percent(cell.base.value)}</b>{plus}{small}</td>'


def _run(number: int, summary: Summary) -> str:
    rates = list(summary.rates.values())
    figures = cell_text(summary_cell(summary))
    warned = "".join(f"<li>{escape(said)}</li>" for said in warnings_of(summary))
    strictest = list(summary.verdicts)[-1]
    head = (
        f'<summary><span class="name">{escape(run_name(summary.config))}</span>'
        f"<b>{figures}</b>{_bar(summary.verdicts[strictest], summary.records)}</summary>"
    )
    body = [f'<ul class="warnings">{warned}</ul>' if warned else ""]
    body.append(_grid(["Tests", "Pass rate, 95 %", *map(str, Verdict)], _verdict_rows(summary)))
    if len(summary.rounds) > 1:
        heads = ["Round", "Tests", "Replies", "Pass rate, 95 %", *CHANGES]
        body.append("<h4>By round</h4>" + _grid(heads, _round_rows(summary)))
        said = [f"{suite}: {refinement_sentence(summary, suite)}" for suite in summary.refinement]
        body.append(f'<p class="note">From the first answers to those handed over: {escape("; ".join(said))}.</p>')
    if summary.steps:
        rows = [[step.name, *[interval_text(rate) for rate in step.rates.values()]] for step in summary.steps]
        body.append("<h4>Steps of the choice</h4>" + _grid(["Step", "Base", "Base and plus"][: 1 + len(rates)], rows))
    if summary.pass_at:
        rows = [[suite, *map(percent, values.values())] for suite, values in summary.pass_at.items()]
        ks = [f"pass@{k}" for k in next(iter(summary.pass_at.values()))]
        body.append("<h4>Unbiased pass@k</h4>" + _grid(["Tests", *ks], rows))
    body.append("<h4>Replies and cost</h4>" + _facts(_costs(summary)))
    body.append("<h4>Configuration</h4>" + _facts(configuration_lines(summary), "wide"))
    link = f'<p><a href="#log/{number}">Read its records in the log</a></p>'
    return f'<details class="card run">{head}{"".join(body)}{link}</details>'


def _verdict_rows(summary: Summary) -> list[list[str]]:
    return [
        [suite, interval_text(summary.rates[suite]), *[str(counts.get(verdict, 0)) for verdict in Verdict]]
        for suite, counts in summary.verdicts.items()
    ]


def _round_rows(summary: Summary) -> list[list[str]]:
    return [
        [str(each.number), suite, str(each.attempts), interval_text(rate), *change_cells(each, suite)]
        for each in summary.rounds
        for suite, rate in each.rates.items()
    ]


def _costs(summary: Summary) -> list[tuple[str, str]]:
    cost = summary.cost
    facts = [
        ("replies", f"{summary.replies:,}"),
        ("without code", _share(summary.no_code, summary.replies)),
        ("without the entry point", _share(summary.no_entry_point, summary.replies)),
        ("solved, on the strictest tests", f"{cost.solved:,}"),
    ]
    figures: list[tuple[str, float | None]] = [
        ("prompt tokens", cost.prompt_tokens),
        ("completion tokens", cost.completion_tokens),
        ("completion tokens per solved", cost.tokens_per_solved),
        ("seconds of generation", cost.seconds),
        ("seconds per solved", cost.seconds_per_solved),
    ]
    if (spent := summary.baseline) is not None:
        figures.append(("completion tokens of the resampling", spent.completion_tokens))
        figures.append(("seconds of the resampling", spent.seconds))
    for name, value in figures:
        facts.append((name, "not reported" if value is None else f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"))
    return facts


def _share(count: int, total: int) -> str:
    return f"{count} ({percent(count / total)} %)" if total else "–"


def _bar(counts: Mapping[Verdict, int], total: int) -> str:
    """Draw the verdicts as one bar; what has no grade stays empty."""
    parts, x = [], 0.0
    for verdict in Verdict:
        count = counts.get(verdict, 0)
        width = 100 * count / total if total else 0
        if count:
            title = f"<title>{escape(verdict)}: {count}</title>"
            parts.append(f'<rect class="v{_place(verdict)}" x="{x:.2f}" width="{width:.2f}" height="8">{title}</rect>')
        x += width
    said = ", ".join(f"{verdict} {counts.get(verdict, 0)}" for verdict in Verdict)
    return (
        f'<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" role="img" aria-label="{escape(said)}">'
        f"{''.join(parts)}</svg>"
    )


def _place(verdict: Verdict) -> int:
    return list(Verdict).index(verdict)


def _comparison(comparison: Comparison) -> str:
    heads = ["Data", "Tests", "First", "Second", "Difference, 95 %", "Fixed", "Broken", "Unchanged", "p", "Better"]
    rows = [
        [
            *(part.data, suite, percent(result.first), percent(result.second), difference_text(result)),
            *(str(len(result.fixed)), str(len(result.broken)), str(result.unchanged)),
            *(p_text(result.p).removeprefix("= "), better_text(result)),
        ]
        for part in comparison.parts
        for suite, result in part.results.items()
    ]
    notes = "".join(f"<li>{escape(note)}</li>" for note in comparison.notes)
    suite, strictest = list(comparison.whole.results.items())[-1]
    said = "no winner" if strictest.winner is None else f"the {better_text(strictest)} is better"
    short = f"{comparison.whole.data}, {suite}: {difference_text(strictest)}, p {p_text(strictest.p)}, {said}"
    return (
        f'<details class="card comparison"><summary><h3>{escape(comparison.first)} <span class="arrow">→</span> '
        f'{escape(comparison.second)}</h3><span class="short">{escape(short)}</span></summary>{_grid(heads, rows)}'
        + (f'<ul class="notes">{notes}</ul>' if notes else "")
        + "</details>"
    )


def _grid(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th scope=col>{escape(text)}</th>" for text in heads)
    body = "".join("<tr>" + "".join(f"<td>{escape(text)}</td>" for text in row) + "</tr>" for row in rows)
    return (
        '<div class="scroll" tabindex=0 role="region" aria-label="table">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _facts(lines: Iterable[tuple[str, str]], kind: str = "narrow") -> str:
    facts = "".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in lines)
    return f'<dl class="{kind}">{facts}</dl>'

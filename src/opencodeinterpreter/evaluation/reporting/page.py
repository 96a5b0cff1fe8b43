"""The report as one HTML file that asks nobody for anything: opens from disk, light or dark, with a log viewer."""

from __future__ import annotations

from html import escape
from typing import Final

from opencodeinterpreter import __version__
from opencodeinterpreter.evaluation.reporting.page_data import index_data, pieces
from opencodeinterpreter.evaluation.reporting.page_sections import (
    comparisons_section,
    plots_section,
    results_section,
    runs_section,
)
from opencodeinterpreter.evaluation.reporting.report import Report
from opencodeinterpreter.pages import assemble, embedded, piece, text_of

_SHARED: Final = ("elements.js", "lines.js", "listing.js", "theme.js")
_OWN: Final = ("records.js", "highlight.js", "detail.js", "log.js")


def report_page(report: Report, title: str = "Evaluation report") -> str:
    """Return the page, in which the tables can be read without scripts, and the log with them."""
    packs = (
        piece(data, f"piece-{run}-{number}")
        for run, records in enumerate(report.runs)
        for number, data in enumerate(pieces(records))
    )
    return assemble(
        title,
        _template("report.html"),
        style="\n".join((text_of("page.css"), text_of("listing.css"), _template("report.css"))),
        scripts=[*map(text_of, _SHARED), *map(_template, _OWN)],
        holes={
            "SUBTITLE": escape(_subtitle(report)),
            "RESULTS": results_section(report.tables),
            "PLOTS": plots_section(report),
            "RUNS": runs_section(report.summaries),
            "COMPARISONS": comparisons_section(report.comparisons),
            "INDEX": embedded(index_data(report.runs), "index"),
            "PIECES": "\n".join(packs),
        },
    )


def _subtitle(report: Report) -> str:
    models = dict.fromkeys(run.config.model for run in report.runs)
    records = sum(len(run.records) for run in report.runs)
    runs = f"{len(report.runs)} run{'s' if len(report.runs) != 1 else ''}"
    return f"{runs} of {', '.join(models)}; {records:,} records; opencodeinterpreter {__version__}"


def _template(name: str) -> str:
    return text_of(name, __package__)

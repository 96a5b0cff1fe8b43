"""The report as one HTML file that asks nobody for anything: opens from disk, light or dark, with a log viewer."""

from __future__ import annotations

import base64
import hashlib
import json
from html import escape
from importlib.resources import files

from opencodeinterpreter import __version__
from opencodeinterpreter.evaluation.reporting.page_data import index_data, pieces
from opencodeinterpreter.evaluation.reporting.page_sections import (
    comparisons_section,
    plots_section,
    results_section,
    runs_section,
)
from opencodeinterpreter.evaluation.reporting.report import Report

_SCRIPTS = ("elements.js", "records.js", "highlight.js", "detail.js", "log.js", "theme.js")


def report_page(report: Report, title: str = "Evaluation report") -> str:
    """Return the page.

    Its policy forbids every request and every script and style but its own, so that nothing that a model wrote can
    act in it, should a text ever escape its escaping.
    """
    style = _template("report.css")
    script = "(() => {\n'use strict';\n" + "\n".join(_template(name) for name in _SCRIPTS) + "\n})();\n"
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'"
    )
    holes = {
        "TITLE": escape(title),
        "POLICY": policy,
        "STYLE": style,
        "SUBTITLE": escape(_subtitle(report)),
        "RESULTS": results_section(report.tables),
        "PLOTS": plots_section(report),
        "RUNS": runs_section(report.summaries),
        "COMPARISONS": comparisons_section(report.comparisons),
        "INDEX": _embedded(index_data(report.runs)),
        "PIECES": "\n".join(
            f'<script type="text/plain" id="piece-{run}-{number}">{piece}</script>'
            for run, records in enumerate(report.runs)
            for number, piece in enumerate(pieces(records))
        ),
        "SCRIPT": script,
    }
    parts = []
    # In one pass over the template: a text that looks like a hole must not be filled.
    for number, part in enumerate(_template("report.html").split("%%")):
        parts.append(holes[part] if number % 2 else part)
    return "".join(parts)


def _subtitle(report: Report) -> str:
    models = dict.fromkeys(run.config.model for run in report.runs)
    records = sum(len(run.records) for run in report.runs)
    runs = f"{len(report.runs)} run{'s' if len(report.runs) != 1 else ''}"
    return f"{runs} of {', '.join(models)}; {records:,} records; opencodeinterpreter {__version__}"


def _template(name: str) -> str:
    return (files(__package__) / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def _embedded(row: object) -> str:
    """Return JSON that cannot end the element that it stands in, whatever the texts in it are."""
    text = json.dumps(row, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")

"""Reports of runs: tables beside the published rows, Markdown, JSON, one static HTML page; comparison of two runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, TypeVar

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.reporting.comparing import Comparison, Part, compare
from opencodeinterpreter.evaluation.reporting.json_form import comparison_json, report_json
from opencodeinterpreter.evaluation.reporting.markdown import comparison_markdown, report_markdown
from opencodeinterpreter.evaluation.reporting.report import Report, build_report, find_runs

Form = Literal["md", "json", "html"]
Chosen = TypeVar("Chosen")

__all__ = [
    "Comparison",
    "Form",
    "Part",
    "Report",
    "build_report",
    "compare",
    "compare_paths",
    "comparison_json",
    "comparison_markdown",
    "find_runs",
    "render",
    "render_comparison",
    "report_json",
    "report_markdown",
]


def render(report: Report, form: str = "md") -> str:
    """Return a report in one of its forms: ``md``, ``json`` or ``html``.

    Raises:
        EvaluationError: if there is no such form.
    """
    return _chosen(_FORMS, form)(report)


def compare_paths(first: Path, second: Path) -> Comparison:
    """Compare the run, or the runs of several benchmarks, in two folders.

    Raises:
        EvaluationError: if they cannot be compared.
    """
    return compare(find_runs([first]), find_runs([second]))


def render_comparison(comparison: Comparison, form: str = "md") -> str:
    """Return a comparison as ``md`` or ``json``.

    Raises:
        EvaluationError: if there is no such form.
    """
    forms: Mapping[str, Callable[[Comparison], str]] = {
        "md": lambda given: comparison_markdown(given) + "\n",
        "json": lambda given: _dumped(comparison_json(given)),
    }
    return _chosen(forms, form)(comparison)


def _html(report: Report) -> str:
    # Here, for the page alone needs the highlighter.
    from opencodeinterpreter.evaluation.reporting.page import report_page

    return report_page(report)


def _dumped(row: object) -> str:
    return json.dumps(row, indent=2, ensure_ascii=False) + "\n"


_FORMS: Mapping[str, Callable[[Report], str]] = {
    "md": report_markdown,
    "json": lambda report: _dumped(report_json(report)),
    "html": _html,
}


def _chosen(forms: Mapping[str, Chosen], form: str) -> Chosen:
    if form not in forms:
        raise EvaluationError(f"there is no form {form!r}; there are {', '.join(forms)}")
    return forms[form]

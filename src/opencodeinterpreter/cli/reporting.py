"""Shows what evaluations have given: tables, pages and comparisons."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opencodeinterpreter.cli.consoles import err_console, out_console
from opencodeinterpreter.cli.evaluating import print_leaks
from opencodeinterpreter.cli.text import one_line, short_path
from opencodeinterpreter.errors import EvaluationError, OcintError
from opencodeinterpreter.evaluation.protocols.leakage import Leak, check_records, marked_leaks
from opencodeinterpreter.evaluation.reporting.json_form import comparison_json, report_json
from opencodeinterpreter.evaluation.reporting.markdown import comparison_markdown, report_markdown
from opencodeinterpreter.evaluation.reporting.report import Report, build_report, find_runs

if TYPE_CHECKING:
    from rich.console import Console

    from opencodeinterpreter.evaluation.run_folder import Run

_FORMS = (".md", ".json", ".html")


def report(paths: Sequence[Path], out: Path | None, data_file: Path | None, *, as_json: bool) -> int:
    """Show or write a report; return 1 if a run that calls itself honest has leaked."""
    if out is not None and out.suffix.lower() not in _FORMS:
        raise EvaluationError(f"a report ends in {', '.join(_FORMS[:-1])} or {_FORMS[-1]}, not in {out.suffix!r}")
    err = err_console()
    runs = find_runs(paths)
    leaks = [leak for run in runs if run.config.honest for leak in _checked(run, data_file, err)]
    print_leaks(leaks, err)
    built = build_report(runs)
    if out is not None:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(_text(built, out.suffix.lower()), encoding="utf-8")
        out_console().print(f"written to {short_path(out)}", soft_wrap=True)
    else:
        print(_text(built, ".json" if as_json else ".md"))  # noqa: T201
    return 1 if leaks else 0


def compare(first: Path, second: Path, *, as_json: bool) -> int:
    """Compare two runs, or two folders with one run a benchmark each."""
    from opencodeinterpreter.evaluation.reporting.comparing import compare as compared

    comparison = compared(find_runs([first]), find_runs([second]))
    if as_json:
        print(json.dumps(comparison_json(comparison), indent=2))  # noqa: T201
    else:
        print(comparison_markdown(comparison))  # noqa: T201
    return 0


def _text(built: Report, form: str) -> str:
    if form == ".json":
        return json.dumps(report_json(built), indent=2) + "\n"
    if form == ".md":
        return report_markdown(built)
    from opencodeinterpreter.evaluation.reporting.page import report_page

    return report_page(built)


def _checked(run: Run, data_file: Path | None, err: Console) -> list[Leak]:
    """Check an honest run; where its data cannot be had here, say so and go by the marks in its records."""
    from opencodeinterpreter.evaluation.offline import dataset_of

    marks = [leak for record in run.records for leak in marked_leaks(record)]
    try:
        dataset = dataset_of(run.config, data_file)
    except OcintError as error:
        err.print(f"Note: {run.path.name} was not checked for leaks again: {one_line(str(error))}", soft_wrap=True)
        return marks
    # A mark may tell more: the reference solution was there to be asked when it was made.
    return list(dict.fromkeys([*check_records(run.records, dataset.problems), *marks]))

"""A report as data; the forms it is shown in are in the modules beside this one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.reporting.comparing import Comparison, natural_comparisons
from opencodeinterpreter.evaluation.reporting.tables import Table, build_tables
from opencodeinterpreter.evaluation.run_folder import COMPRESSED_FILE, CONFIG_FILE, RECORDS_FILE, Run, read_run
from opencodeinterpreter.evaluation.summary import Summary, summarize


@dataclass(frozen=True)
class Report:
    """Everything that a report shows."""

    runs: tuple[Run, ...] = field(repr=False)
    summaries: tuple[Summary, ...]
    """one a run, in the same order"""
    tables: tuple[Table, ...]
    comparisons: tuple[Comparison, ...]


def find_runs(paths: Iterable[Path]) -> list[Run]:
    """Read the runs that lie in the given folders or below them, in the order of their names.

    Raises:
        EvaluationError: if a path holds none, or a run cannot be read.
    """
    found: dict[Path, Run] = {}
    for path in paths:
        start = path.parent if path.is_file() else path
        here = [start] if (start / CONFIG_FILE).is_file() else sorted(_runs_below(start))
        if not here:
            raise EvaluationError(f"{path} holds no run: there is no {CONFIG_FILE} in it or below it")
        for folder in here:
            found.setdefault(folder.resolve(), read_run(folder))
    return list(found.values())


def _runs_below(folder: Path) -> Iterator[Path]:
    # Models have a config.json too, and may lie beside the runs that were made with them.
    for file in folder.rglob(CONFIG_FILE):
        if any((file.parent / name).is_file() for name in (RECORDS_FILE, COMPRESSED_FILE)):
            yield file.parent


def build_report(runs: Sequence[Run], *, published: bool = True) -> Report:
    """Compute a report.

    Args:
        runs: in the order in which they are to be shown.
        published: with the published rows beside ours.
    """
    summaries = tuple(summarize(run) for run in runs)
    return Report(
        runs=tuple(runs),
        summaries=summaries,
        tables=build_tables(summaries, published=published),
        comparisons=tuple(natural_comparisons(runs)),
    )

"""Grades stored runs again and extracts their code again, without any model."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opencodeinterpreter.cli.consoles import err_console, out_console
from opencodeinterpreter.cli.evaluating import check_references
from opencodeinterpreter.cli.text import count, short_path
from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.offline import (
    dataset_of,
    extracted_again,
    graded_again,
    leak_changes,
    verdict_changes,
)
from opencodeinterpreter.evaluation.run_folder import (
    RECORDS_FILE,
    Run,
    held,
    must_be_replaceable,
    read_run,
    write_run,
)

if TYPE_CHECKING:
    from rich.console import Console


def regrade(path: Path, out: Path | None, data_file: Path | None, workers: int | None) -> int:
    """Grade a run's code again, search an honest run for leaks again, and write it with what was found."""
    err = err_console()
    target = out or (path.parent if path.is_file() else path)
    with held(target):
        run = _read(path, out, err)
        dataset = dataset_of(run.config, data_file)
        recorded = {record.problem for record in run.records}
        problems = tuple(problem for problem in dataset.problems if problem.id in recorded)
        with Grader(dataset, workers) as grader, _counted(err, "regrading") as progress:
            check_references(dataset, problems, workers, err)
            records = tuple(graded_again(run, dataset, grader, progress))
        write_run(target, run.config, records, compressed=not (run.path / RECORDS_FILE).exists())
    changes = verdict_changes(run.records, records)
    console = out_console()
    for change in changes:
        console.print(change, soft_wrap=True)
    for change in leak_changes(run.records, records):
        console.print(f"LEAK: {change}", soft_wrap=True)
    console.print(
        f"{count(len(records), 'record')} graded, {count(len(changes), 'verdict')} changed; written to "
        f"{short_path(target)}",
        soft_wrap=True,
    )
    return 0


def _read(path: Path, out: Path | None, err: Console) -> Run:
    """Read a run that is to be written to ``out``, if that is given, and tell what of it could not be read."""
    run = read_run(path)
    for fault in run.faults:
        err.print(f"Note: {fault}", soft_wrap=True)
    if out is not None:
        must_be_replaceable(out, run)
    return run


@contextmanager
def _counted(err: Console, what: str) -> Iterator[Any]:
    with err.status(what) as status:
        yield lambda done, total: status.update(f"{what}: {done} of {total}")


def extract(path: Path, out: Path | None, data_file: Path | None, *, as_json: bool) -> int:
    """Extract the code of a run's replies again; write the run elsewhere if that is wanted."""
    run = _read(path, None, err_console())
    dataset = dataset_of(run.config, data_file)
    found = extracted_again(run, dataset)
    if out is not None:
        if out.resolve() == run.path.resolve():
            raise EvaluationError("the new code goes to another folder than the run's own, which stays as it is")
        with held(out):
            must_be_replaceable(out, run)
            write_run(out, run.config, found.records)
    if as_json:
        row = {"attempts": found.attempts, "changed": found.changed, "rules": found.rules}
        row |= {"no_code": found.no_code, "no_entry_point": found.no_entry_point}
        print(json.dumps(row))  # noqa: T201
        return 0
    console = out_console()
    console.print(f"{count(found.attempts, 'reply', 'replies')}, {len(found.changed)} with other code than recorded")
    for rule, number in found.rules.items():
        console.print(f"  {rule or 'no code'}: {number}", soft_wrap=True)
    console.print(f"no code: {found.no_code}; code without the function asked for: {found.no_entry_point}")
    for change in found.changed:
        console.print(f"changed: {change}", soft_wrap=True)
    if out is not None:
        console.print(f"written to {short_path(out)}: ocint eval regrade {short_path(out)} grades it", soft_wrap=True)
    return 0

"""Runs a stage from files to files: resumable, many rows at a time, with a manifest at the end."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, cast

from opencodeinterpreter import __version__
from opencodeinterpreter.codefeedback.files.jsonl import Record, read_records
from opencodeinterpreter.codefeedback.files.row_files import Measured, measure
from opencodeinterpreter.codefeedback.pipeline.bad_records import MaxBad
from opencodeinterpreter.codefeedback.pipeline.crew import Crew, Threads
from opencodeinterpreter.codefeedback.pipeline.entries import Entry, Stored
from opencodeinterpreter.codefeedback.pipeline.journal import Journal, OtherRunError, differences
from opencodeinterpreter.codefeedback.pipeline.manifest import (
    dropped_path,
    is_whole,
    key_of,
    manifest_path,
    read_manifest,
)
from opencodeinterpreter.codefeedback.pipeline.outputs import Outputs
from opencodeinterpreter.codefeedback.pipeline.stage import MapStage, Summarising, TableStage
from opencodeinterpreter.codefeedback.pipeline.tables import TableFolder, build_table, work_path
from opencodeinterpreter.errors import InputError, ModelError, OcintError, SandboxError


class Progress(Protocol):
    """Is told how a stage goes, from the thread that called ``run_stage``."""

    def begin(self, total: int | None, what: str = "", done: int = 0) -> None:
        """Start to count to ``total``, if that is known, from what an earlier run has ``done``."""
        ...

    def advance(self, number: int = 1, kept: int = 0, dropped: int = 0) -> None:
        """Count input rows that are done, and the rows that came of them."""
        ...

    def tick(self) -> None:
        """Show that time passes."""
        ...


class Silent:
    """Shows nothing."""

    def begin(self, total: int | None, what: str = "", done: int = 0) -> None: ...

    def advance(self, number: int = 1, kept: int = 0, dropped: int = 0) -> None: ...

    def tick(self) -> None: ...


@dataclass(frozen=True)
class Job:
    """A stage, and what it is run on."""

    stage: MapStage | TableStage
    inputs: Sequence[Path]
    out: Path
    """rows; the dropped ones, the manifest and the journal are beside it"""
    workers: int = 1
    """rows at a time"""
    max_bad: MaxBad = field(default_factory=MaxBad)
    restart: bool = False
    """throw away what there is of this output"""
    command: str = ""
    """what was typed, for the manifest"""
    records: Callable[[Path], Iterator[Record]] = read_records
    """how an input file is read"""
    crew: Crew = field(default_factory=Threads)
    """who does the rows of a map stage"""


@dataclass(frozen=True)
class Ended:
    """How a stage ended."""

    manifest: Mapping[str, Any]
    resumed: int = 0
    """input rows that an earlier run had done"""
    already: bool = False
    """the very output was there, and nothing was done"""


def run_stage(job: Job, progress: Progress | None = None) -> Ended:
    """Run a stage, or go on with it.

    Whatever ends it early (an error, Ctrl-C, a kill) leaves a journal, with which the same job goes on: nothing is lost
    and nothing doubled, and the output is the same, byte for byte.

    Raises:
        InputError: if an input cannot be read, there are too many bad records, or the output is another run's.
        ModelError, SandboxError: what could not be mended by trying again; all that was done is kept.
    """
    progress = progress or Silent()
    if not job.inputs:
        raise InputError(f"the stage {job.stage.name} needs at least one input file")
    _must_be_rows(job.out)
    _must_not_be_input(job)
    inputs = [measure(path) for path in job.inputs]
    deciding = {
        "stage": job.stage.name,
        "version": __version__,
        "inputs": [each.sha256 for each in inputs],
        "settings": dict(job.stage.settings),
    }
    if not job.restart and (manifest := _finished(job.out, deciding)) is not None:
        return Ended(manifest, already=True)
    job.out.parent.mkdir(parents=True, exist_ok=True)
    if _is_map(job.stage):
        return _map(job, inputs, deciding, progress)
    return _table(job, inputs, deciding, progress)


def journal_path(out: Path) -> Path:
    return out.with_name(out.name + ".journal")


def _is_map(stage: MapStage | TableStage) -> bool:
    return hasattr(stage, "prepare")


def _must_be_rows(out: Path) -> None:
    if not out.name.endswith((".jsonl", ".jsonl.gz")):
        raise InputError(
            f"the output of a stage must end in .jsonl or .jsonl.gz, not as {out.name}; export gives Parquet"
        )


def _must_not_be_input(job: Job) -> None:
    written = {path.resolve() for path in (job.out, dropped_path(job.out), manifest_path(job.out))}
    for path in job.inputs:
        if path.resolve() in written:
            raise InputError(f"{path} is an input and would be overwritten; give the output another name")


def _finished(out: Path, deciding: dict[str, Any]) -> dict[str, Any] | None:
    """Return the manifest if the output is there as it would be made; None if there is none yet.

    Raises:
        InputError: if what is there was made otherwise, and would be lost.
    """
    manifest = read_manifest(out)
    if manifest is None:
        if out.exists() and not journal_path(out).exists() and not work_path(out).exists():
            raise OtherRunError(f"{out} is there already, and no manifest says how it was made; --restart replaces it")
        return None
    if manifest.get("key") != key_of(deciding):
        found = differences(deciding, manifest["deciding"])
        raise OtherRunError(
            f"{out} was made by another run, which differs in {found}; give another name, or --restart makes it anew"
        )
    if not is_whole(out, manifest):
        raise OtherRunError(f"{out} is not what its manifest says: it was changed; --restart makes it anew")
    # A kill between the manifest and the end leaves these.
    journal_path(out).unlink(missing_ok=True)
    shutil.rmtree(work_path(out), ignore_errors=True)
    return manifest


def _map(job: Job, inputs: list[Measured], deciding: dict[str, Any], progress: Progress) -> Ended:
    stage = cast("MapStage", job.stage)
    if job.restart:
        manifest_path(job.out).unlink(missing_ok=True)
    with Journal(journal_path(job.out), deciding, restart=job.restart) as journal:
        resumed = len(journal)
        known = [each.rows for each in inputs]
        total = None if None in known else sum(cast("list[int]", known))
        progress.begin(total, "rows", resumed)
        job.max_bad.check(journal.bad, len(journal), "")
        try:
            counts = _work(job, stage, journal, progress)
        except OcintError as error:
            raise _explained(error, journal) from error
        job.max_bad.check(journal.bad, len(journal), "", at_end=True)
        outputs = Outputs(job.out)
        with outputs:
            for stored in journal.entries():
                outputs.add(stored)
            manifest = _manifest(job, _counted(inputs, counts), deciding, outputs, journal.started)
            outputs.finish(manifest)
        journal.remove()
    return Ended(manifest, resumed)


def _work(job: Job, stage: MapStage, journal: Journal, progress: Progress) -> list[int]:
    """Do every row that is not done yet; return the number of records of each input."""
    counts = [0] * len(job.inputs)

    def todo() -> Iterator[tuple[int, Record]]:
        index = 0
        for number, path in enumerate(job.inputs):
            for record in job.records(path):
                counts[number] += 1
                if index not in journal:
                    yield index, record
                index += 1

    def done(entry: Entry) -> None:
        journal.append(entry)
        outcome = entry.outcome
        progress.advance(1, len(outcome.rows), len(outcome.drops))
        if entry.bad:
            job.max_bad.check(journal.bad, len(journal), outcome.drops[0].detail)

    def waiting() -> None:
        journal.flush()
        progress.tick()

    job.crew.work(stage, todo(), job.workers, done, waiting)
    return counts


def _table(job: Job, inputs: list[Measured], deciding: dict[str, Any], progress: Progress) -> Ended:
    with TableFolder(job.out, deciding, restart=job.restart) as folder:
        if job.restart:
            manifest_path(job.out).unlink(missing_ok=True)
        outputs, counts = Outputs(job.out), [0] * len(job.inputs)
        with outputs:
            entries: Iterable[Entry] = build_table(
                cast("TableStage", job.stage), job.inputs, job.records, job.max_bad, folder.path, progress, counts
            )
            for entry in entries:
                outputs.add(Stored.of(entry))
            manifest = _manifest(job, _counted(inputs, counts), deciding, outputs, folder.started)
            outputs.finish(manifest)
        folder.remove()
    return Ended(manifest)


def _counted(inputs: list[Measured], counts: list[int]) -> list[Measured]:
    return [Measured(each.name, each.sha256, count) for each, count in zip(inputs, counts, strict=True)]


def _manifest(
    job: Job, inputs: list[Measured], deciding: dict[str, Any], outputs: Outputs, started: str
) -> dict[str, Any]:
    settings = deciding["settings"]
    told = outputs.told()
    if isinstance(job.stage, Summarising):
        told["notes"] = {**told["notes"], **job.stage.summary(told["notes"])}
    return {
        "stage": job.stage.name,
        "package_version": __version__,
        "started": started,
        "command": job.command,
        "key": key_of(deciding),
        "seed": settings.get("seed"),
        "prompts": settings.get("prompts"),
        "models": settings.get("models", {}),
        "inputs": [{"name": each.name, "sha256": each.sha256, "rows": each.rows} for each in inputs],
        "rows_in": sum(each.rows or 0 for each in inputs),
        "deciding": deciding,
        **told,
    }


def _explained(error: OcintError, journal: Journal) -> OcintError:
    """Say of an error that ends a run that everything so far is kept."""
    if not isinstance(error, ModelError | SandboxError) or not len(journal):
        return error
    kept = f"what was done is kept in {journal.path}, and the same command goes on from there"
    try:
        return type(error)(f"{str(error).rstrip('.')}; {kept}")
    except TypeError:  # a class that wants more than a sentence
        return error

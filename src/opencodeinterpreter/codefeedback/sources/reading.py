"""The stage ``read``: records of files as they are become queries, problems and bugs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from opencodeinterpreter.codefeedback.files.jsonl import Record, read_records
from opencodeinterpreter.codefeedback.files.row_files import measure
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Process, Row
from opencodeinterpreter.codefeedback.rows import Problem
from opencodeinterpreter.codefeedback.sources.base import UNKNOWN, Format, Given
from opencodeinterpreter.codefeedback.sources.formats import find_format, recognised
from opencodeinterpreter.codefeedback.verification.code_blocks import language_name
from opencodeinterpreter.errors import ConfigError, InputError


@dataclass(frozen=True)
class ReadSettings:
    """How sources are read."""

    format: str | None = None
    """None: seen from the fields of each record"""
    source: str | None = None
    """what the data set is called; None: as its format says, else as the file is named"""
    licence: str | None = None
    """None: as its format says, else unknown"""
    language: str | None = None
    """of every record; None: seen from each"""
    join: tuple[Path, ...] = ()
    """files of problems that bring statements and tests to the records of the same name"""
    evaluation: bool = False
    """read benchmarks too; their rows are marked"""
    encoding: str | None = None


def read_files(path: Path, encoding: str | None = None) -> Iterator[Record]:
    """Yield the records of a source, each in an object that says where it is from: file, number, record."""
    for number, record in enumerate(read_records(path, encoding=encoding), start=1):
        if record.row is None:
            yield record
        else:
            yield replace(record, row={"file": record.file, "number": number, "record": record.row})


class SourceStage:
    """A map stage over what ``read_files`` yields.

    Args:
        settings: how the sources are read.
        inputs: the files, whose names are part of what decides the ids.

    Raises:
        ConfigError: if there is no such format.
        InputError: if a file to join cannot be read.
    """

    name = "read"

    def __init__(self, settings: ReadSettings, inputs: Sequence[Path]) -> None:
        self._settings = settings
        self._format = None if settings.format is None else find_format(settings.format)
        self._names = [path.name for path in inputs]
        self._joined = [measure(path) for path in settings.join]

    @property
    def settings(self) -> Mapping[str, Any]:
        given = self._settings
        return {
            "format": given.format,
            "source": given.source,
            "licence": given.licence,
            "language": given.language,
            "join": [{"name": each.name, "sha256": each.sha256} for each in self._joined],
            "evaluation": given.evaluation,
            "encoding": given.encoding,
            "files": self._names,
        }

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        """Read the problems to join."""
        joined = _problems(self._settings)
        yield lambda row: self._made(row, joined)

    def stop(self) -> None:
        """Do nothing: no row takes long."""

    def _made(self, row: Row, joined: Mapping[str, Problem]) -> Outcome:
        record = row["record"]
        format_ = self._format or recognised(record)
        if self._format is not None and (missing := sorted(format_.fields - record.keys())):
            raise InputError(f"a record of the format {format_.name} must have {missing[0]}")
        if format_.evaluation and not self._settings.evaluation:
            raise ConfigError(
                f"{row['file']}: {format_.evaluation}, so nothing may be trained on it; --evaluation reads it for "
                "measuring and decontamination, and marks its rows"
            )
        made = format_.read(self._given(row, format_, joined))
        notes = {"formats": {format_.name: 1}}
        if isinstance(made, Drop):
            return Outcome(drops=(replace(made, row=record),), notes=notes)
        if format_.evaluation:
            made = replace(made, meta={**made.meta, "evaluation_only": True})
        notes["languages"] = {made.language or "unknown": 1}
        return Outcome((made.to_json(),), notes=notes)

    def _given(self, row: Row, format_: Format, joined: Mapping[str, Problem]) -> Given:
        stem = row["file"].partition(".")[0] or row["file"]
        return Given(
            row=row["record"],
            id=f"{stem}/{row['number']}",
            source=self._settings.source or format_.source or stem,
            licence=self._settings.licence or format_.licence or UNKNOWN,
            language=language_name(self._settings.language or ""),
            joined=joined,
        )


def stage(settings: ReadSettings, inputs: Sequence[Path]) -> SourceStage:
    """Return the stage that reads these files."""
    return SourceStage(settings, inputs)


def _problems(settings: ReadSettings) -> dict[str, Problem]:
    """Read the problems to join, by their name.

    Raises:
        InputError: if a file holds something else.
    """
    found: dict[str, Problem] = {}
    for path in settings.join:
        reader = SourceStage(ReadSettings(encoding=settings.encoding), [path])
        for record in map(partial(_read, reader), read_files(path, settings.encoding)):
            if record is not None:
                found.setdefault(str(record.meta.get("slug") or record.title), record)
    return found


def _read(reader: SourceStage, record: Record) -> Problem | None:
    if record.row is None:
        return None  # a broken record joins nothing
    outcome = reader._made(record.row, {})
    if not outcome.rows:
        return None
    try:
        # Only what is joined is kept: the solutions are those of the other source.
        return replace(Problem.from_json(outcome.rows[0]), solutions=())
    except InputError as error:
        raise InputError(f"{record.place}: only problems can be joined: {error}") from error

"""Runs a table stage: its rows read anew as often as it asks, and a folder for what must survive a kill."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opencodeinterpreter.codefeedback.files.jsonl import Record
from opencodeinterpreter.codefeedback.pipeline.bad_records import MaxBad, bad_entry
from opencodeinterpreter.codefeedback.pipeline.entries import Entry
from opencodeinterpreter.codefeedback.pipeline.journal import Journal
from opencodeinterpreter.codefeedback.pipeline.stage import Row, Table, TableStage, Told
from opencodeinterpreter.errors import InputError

Reader = Callable[[Path], Iterator[Record]]


def work_path(out: Path) -> Path:
    """Return the folder in which a table stage keeps what must survive a kill."""
    return out.with_name(out.name + ".work")


class TableFolder:
    """What a table stage keeps while it is under way. Use it in a ``with`` block.

    Args:
        out: the output of the stage.
        deciding: all that decides the result.
        restart: throw away what is there.

    Raises:
        InputError: if it is of another run, or another program uses it.
    """

    def __init__(self, out: Path, deciding: Mapping[str, Any], *, restart: bool = False) -> None:
        self.path = work_path(out)
        self.path.mkdir(parents=True, exist_ok=True)
        # The journal of a table has no rows: it says whose the folder is, and keeps others out.
        self._journal = Journal(self.path / "run.journal", deciding, restart=restart)
        self.started = self._journal.started
        if restart:
            for path in self.path.iterdir():
                if path != self._journal.path:
                    shutil.rmtree(path) if path.is_dir() else path.unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._journal.close()

    def remove(self) -> None:
        """Delete the folder: the stage is done."""
        shutil.rmtree(self.path)
        self._journal.close()


class _Rows:
    """The rows that can be used, read anew each time."""

    def __init__(self, inputs: Sequence[Path], read: Reader, bad: frozenset[int], count: int) -> None:
        self._inputs, self._read, self._bad, self._count = inputs, read, bad, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Row]:
        index = 0
        for path in self._inputs:
            for record in self._read(path):
                if index not in self._bad and record.row is not None:
                    yield record.row
                index += 1


def build_table(
    stage: TableStage,
    inputs: Sequence[Path],
    read: Reader,
    max_bad: MaxBad,
    folder: Path,
    told: Told,
    counts: list[int],
) -> Iterator[Entry]:
    """Yield the bad records first, then what the stage makes of the others.

    Args:
        stage: a table stage; a row for which its ``check``, if it has one, raises ``InputError`` is a bad one.
        inputs: files of rows.
        read: how one is read.
        max_bad: how many bad records are borne.
        folder: for what the stage keeps.
        told: is told how far it is.
        counts: is given the number of records of each input.

    Raises:
        InputError: if there are too many bad records, or the stage cannot use a row.
    """
    check: Callable[[Row], None] | None = getattr(stage, "check", None)
    bad: set[int] = set()
    index = 0
    for number, path in enumerate(inputs):
        for record in read(path):
            counts[number] += 1
            fault = record.fault or (_fault(check, record.row) if check and record.row is not None else "")
            if fault:
                bad.add(index)
                yield bad_entry(index, record, fault)
                max_bad.check(len(bad), index + 1, f"{record.place}: {fault}")
            index += 1
    max_bad.check(len(bad), index, "", at_end=True)
    rows = _Rows(inputs, read, frozenset(bad), index - len(bad))
    for outcome in stage.build(Table(rows, folder, told)):
        yield Entry(index, outcome)
        index += 1


def _fault(check: Callable[[Row], None], row: Row) -> str:
    try:
        check(row)
    except InputError as error:
        return str(error)
    return ""

"""The folder of a run: ``config.json`` and the append-only ``records.jsonl`` (or ``records.jsonl.gz``)."""

from __future__ import annotations

import gzip
import json
import os
import threading
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import BinaryIO

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.records import ProblemRecord, RunConfig

CONFIG_FILE = "config.json"
RECORDS_FILE = "records.jsonl"
COMPRESSED_FILE = RECORDS_FILE + ".gz"


@dataclass(frozen=True)
class Run:
    """A run as it was read."""

    config: RunConfig
    records: tuple[ProblemRecord, ...] = field(repr=False)
    """in the order of the file, one a problem and sample"""
    path: Path = Path()
    faults: tuple[str, ...] = ()
    """a sentence for each line that was dropped or replaced"""


def read_run(path: Path) -> Run:
    """Read a run, also one that is still being written or was cut off.

    A line that is no record is dropped and named in ``faults``; of two records of one problem and sample the later
    counts.

    Args:
        path: the folder, or a file in it.

    Raises:
        EvaluationError: if there is no run, or its configuration cannot be read.
    """
    folder = path.parent if path.is_file() else path
    config = _read_config(folder)
    records: dict[tuple[str, int], ProblemRecord] = {}
    faults: list[str] = []
    for record in _records(folder, faults):
        identity = (record.problem, record.sample)
        if identity in records:
            faults.append(f"{record.problem} (sample {record.sample}) is recorded twice, and the later record counts")
        records[identity] = record
    return Run(config, tuple(records.values()), folder, tuple(faults))


def write_run(path: Path, config: RunConfig, records: Iterable[ProblemRecord], *, compressed: bool = False) -> None:
    """Write a whole run at once, as regrading and publishing do; a run already there is replaced.

    The same records give the same bytes, compressed too.
    """
    path.mkdir(parents=True, exist_ok=True)
    data = b"".join(_line(record) for record in records)
    kept, other = (COMPRESSED_FILE, RECORDS_FILE) if compressed else (RECORDS_FILE, COMPRESSED_FILE)
    _replace(path / kept, gzip.compress(data, mtime=0) if compressed else data)
    _write_config(path, config)
    (path / other).unlink(missing_ok=True)


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Keep other programs from writing a run that is there already, while it is replaced.

    Raises:
        EvaluationError: if another program is writing it at this moment.
    """
    records = path / (COMPRESSED_FILE if (path / COMPRESSED_FILE).exists() else RECORDS_FILE)
    if not records.exists():
        yield
        return
    with records.open("ab") as file:
        _lock(file, path)
        yield


def must_be_replaceable(path: Path, run: Run) -> None:
    """See that a folder into which a run is to be written holds nothing, or the same replies.

    Raises:
        EvaluationError: if it holds something else, which would be lost.
    """
    if not any((path / name).exists() for name in (CONFIG_FILE, RECORDS_FILE, COMPRESSED_FILE)):
        return
    there = read_run(path)
    if there.config.key != run.config.key or not _replies(there) <= _replies(run):
        raise EvaluationError(f"{path} holds another run, which would be lost; give another folder")


def _replies(run: Run) -> set[tuple[str, int, tuple[str, ...]]]:
    return {(it.problem, it.sample, tuple(attempt.reply for attempt in it.attempts)) for it in run.records}


class RunFolder:
    """A run that is being written. Use it in a ``with`` block; ``append`` may be called from any thread.

    Opening a folder that has records goes on with them: ``done`` says which. A torn last line, which a power cut
    leaves, is removed first and named in ``faults``.

    Args:
        path: the folder; made if it is not there.
        config: of the run that is to be written.

    Raises:
        EvaluationError: if the folder holds a run of another configuration, a compressed one, or one that another
            program is writing at this moment.
    """

    def __init__(self, path: Path, config: RunConfig) -> None:
        self.path = path
        self._append_lock = threading.Lock()
        path.mkdir(parents=True, exist_ok=True)
        if (path / COMPRESSED_FILE).exists():
            raise EvaluationError(f"{path} holds a finished, compressed run; give another folder")
        # The records are opened and locked first: of two programs that start at once only one sees no configuration.
        self._file: BinaryIO = (path / RECORDS_FILE).open("ab", buffering=0)
        try:
            _lock(self._file, path)
            self.config = _agreed_config(path, config)
            run = read_run(path)
            _mend_end(path / RECORDS_FILE)
        except BaseException:
            self._file.close()
            raise
        self.records: dict[tuple[str, int], ProblemRecord] = {(r.problem, r.sample): r for r in run.records}
        """by problem and sample: what is on disk"""
        self.faults = run.faults

    def __enter__(self) -> RunFolder:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def done(self) -> frozenset[tuple[str, int]]:
        """Problem and sample of every record."""
        return frozenset(self.records)

    def append(self, record: ProblemRecord) -> None:
        """Add a record; it is on the disk when this returns."""
        data = _line(record)
        with self._append_lock:
            written = self._file.write(data)
            while written < len(data):
                written += self._file.write(data[written:])
            os.fsync(self._file.fileno())
            self.records[record.problem, record.sample] = record

    def close(self) -> None:
        self._file.close()


def _read_config(folder: Path) -> RunConfig:
    path = folder / CONFIG_FILE
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise EvaluationError(f"{folder} holds no run: there is no {CONFIG_FILE} in it") from error
    except OSError as error:
        raise EvaluationError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise EvaluationError(f"{path} is not JSON: {error}") from error
    try:
        return RunConfig.from_json(row)
    except EvaluationError as error:
        raise EvaluationError(f"{path}: {error}") from error


def _agreed_config(folder: Path, config: RunConfig) -> RunConfig:
    if not (folder / CONFIG_FILE).exists():
        if (folder / RECORDS_FILE).stat().st_size:
            raise EvaluationError(f"{folder} holds records without a {CONFIG_FILE}; give another folder")
        _write_config(folder, config)
        return config
    stored = _read_config(folder)
    if differences := stored.differences(config):
        raise EvaluationError(
            f"{folder} holds a run of another configuration, which differs in {', '.join(differences)}; "
            "give another folder"
        )
    return stored


def _write_config(folder: Path, config: RunConfig) -> None:
    text = json.dumps(config.to_json(), indent=2)
    _replace(folder / CONFIG_FILE, (text + "\n").encode("ascii"))


def _replace(path: Path, data: bytes) -> None:
    partial = path.with_name(path.name + ".partial")
    with partial.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _line(record: ProblemRecord) -> bytes:
    # ASCII: a reply may hold half of a surrogate pair, which UTF-8 cannot store, and separators that some readers
    # take for the end of a line.
    return (json.dumps(record.to_json(), separators=(",", ":")) + "\n").encode("ascii")


def _records(folder: Path, faults: list[str]) -> Iterator[ProblemRecord]:
    for number, line in enumerate(_lines(folder, faults), start=1):
        if not line.strip():
            continue
        try:
            yield ProblemRecord.from_json(json.loads(line))
        except (ValueError, EvaluationError) as error:
            torn = "the last line is torn" if not line.endswith(b"\n") else f"line {number} is no record ({error})"
            faults.append(f"{folder.name}: {torn}, and was dropped")


def _lines(folder: Path, faults: list[str]) -> Iterator[bytes]:
    plain, compressed = folder / RECORDS_FILE, folder / COMPRESSED_FILE
    try:
        if not compressed.exists():
            with plain.open("rb") as file:
                yield from file
            return
        with gzip.open(compressed, "rb") as unpacked:
            yield from unpacked
    except FileNotFoundError:
        return  # a run that has begun and has nothing yet
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        faults.append(f"{compressed.name} is damaged, and what comes after the damage was dropped: {error}")
    except OSError as error:
        raise EvaluationError(f"the records in {folder} cannot be read: {error.strerror}") from error


def _mend_end(path: Path) -> None:
    """See that the file ends with a whole line, so that the next record does not become part of a torn one."""
    data = path.read_bytes()
    if not data or data.endswith(b"\n"):
        return
    start = data.rfind(b"\n") + 1
    # In place: the lock is on this very file.
    with path.open("r+b") as file:
        try:
            ProblemRecord.from_json(json.loads(data[start:]))
        except (ValueError, EvaluationError):
            file.truncate(start)
        else:
            file.seek(0, os.SEEK_END)
            file.write(b"\n")
        os.fsync(file.fileno())


def _lock(file: BinaryIO, folder: Path) -> None:
    try:
        import fcntl
    except ImportError:  # Windows: running is for Linux; stored records are read without a lock
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise EvaluationError(f"another program is writing the run in {folder}") from error

"""The journal of a stage that is under way: what became of each input row, so that a stopped stage goes on.

The first line holds what decides the result; then comes one line an input row, in the order in which they were done.
The runner starts a row only when all those far before it are done, so that putting them in order needs little memory.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final

from opencodeinterpreter.codefeedback.pipeline.entries import Entry, Stored, index_of, line_of, stored_of
from opencodeinterpreter.errors import InputError

FORMAT: Final = 1
_FLUSH_SECONDS: Final = 0.2
_SYNC_SECONDS: Final = 5.0
"""How much work a power cut may cost; a kill costs none that was flushed."""


class OtherRunError(InputError):
    """The output is there, or half there, by other settings, from other input, or damaged: it has to be made anew."""


def now() -> str:
    """Return the time in ISO form with its offset, to the second."""
    return datetime.now().astimezone().isoformat(timespec="seconds")


class Journal:
    """A journal being written. Use it in a ``with`` block, from one thread.

    Opening one that is there goes on with it; a torn last line, which a kill leaves, is removed.

    Args:
        path: of the journal.
        deciding: all that decides the result, as JSON values.
        restart: throw away what is there.

    Raises:
        InputError: if the journal is of another input or of other settings, or another program is writing it.
    """

    def __init__(self, path: Path, deciding: Mapping[str, Any], *, restart: bool = False) -> None:
        self.path = path
        self.bad = 0
        """records that could not be used, so far"""
        self.kept = self.dropped = 0
        """rows given and rows dropped, so far"""
        self.started = now()
        self._next, self._later = 0, set[int]()
        self._flushed = self._synced = time.monotonic()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: BinaryIO = path.open("a+b")
        try:
            lock(self._file, path)
            if restart:
                self._file.truncate(0)
            self._begin(json.loads(json.dumps(deciding)))
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __contains__(self, index: int) -> bool:
        return index < self._next or index in self._later

    def __len__(self) -> int:
        return self._next + len(self._later)

    @property
    def first_missing(self) -> int:
        """The lowest row that is not done."""
        return self._next

    def append(self, entry: Entry) -> None:
        """Add what became of a row; one that is there already is not added again."""
        if entry.index in self:
            return
        self._file.write(line_of(Stored.of(entry)))
        self._count(entry.index, entry.bad, len(entry.outcome.rows), len(entry.outcome.drops))
        if (passed := time.monotonic()) - self._flushed >= _FLUSH_SECONDS:
            self._file.flush()
            self._flushed = passed
            if passed - self._synced >= _SYNC_SECONDS:
                os.fsync(self._file.fileno())
                self._synced = passed

    def flush(self) -> None:
        """See that a kill costs nothing of what has been added; to be called before a wait."""
        self._file.flush()
        self._flushed = time.monotonic()

    def entries(self) -> Iterator[Stored]:
        """Yield all entries in the order of the input."""
        self.flush()
        waiting: dict[int, bytes] = {}
        wanted = 0
        with self.path.open("rb") as file:
            file.readline()
            for line in file:
                index = index_of(line)
                if index is None or index < wanted or index in waiting:
                    continue
                waiting[index] = line
                while wanted in waiting:
                    yield stored_of(waiting.pop(wanted))
                    wanted += 1

    def close(self) -> None:
        """Write everything to the disk and let go of the file."""
        if not self._file.closed:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def remove(self) -> None:
        """Delete the journal: what it holds is in the output files."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _begin(self, deciding: dict[str, Any]) -> None:
        self._file.seek(0)
        first = self._file.readline()
        if not first.endswith(b"\n"):
            # Empty, or killed while the first line was written.
            self._file.truncate(0)
            row = {"format": FORMAT, "started": self.started, "deciding": deciding}
            self._file.write((json.dumps(row) + "\n").encode("ascii"))
            self._file.flush()
            os.fsync(self._file.fileno())
            return
        position = self._file.tell()
        if found := differences(deciding, self._deciding(first)):
            if self._file.read(1):
                raise OtherRunError(
                    f"{self.path} is of another run, which differs in {found}; --restart throws away its "
                    "work and begins anew"
                )
            # It has done nothing that could be lost.
            self._file.truncate(0)
            self._begin(deciding)
            return
        self._file.seek(position)
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            position += len(line)
            self._known(line)
        self._file.truncate(position)
        self._file.seek(0, os.SEEK_END)

    def _deciding(self, first: bytes) -> Mapping[str, Any]:
        """Return what decides the result of the run whose journal begins so."""
        try:
            row = json.loads(first)
            written, stored = row["format"], row["deciding"]
            self.started = str(row["started"])
        except (ValueError, KeyError, TypeError) as error:
            raise OtherRunError(f"{self.path} is no journal of a stage; --restart begins anew") from error
        if written != FORMAT:
            raise OtherRunError(f"{self.path} is of another version of this program; --restart begins anew")
        if not isinstance(stored, Mapping):
            raise OtherRunError(f"{self.path} is no journal of a stage; --restart begins anew")
        return stored

    def _known(self, line: bytes) -> None:
        """Count a line of an earlier run; one that a broken disk has spoilt is passed over, and its row done again."""
        try:
            stored = stored_of(line)
        except (ValueError, KeyError, TypeError):
            return
        if stored.index not in self:
            self._count(stored.index, stored.bad, len(stored.lines), len(stored.drops))

    def _count(self, index: int, bad: bool, rows: int, drops: int) -> None:
        self.bad += bad
        self.kept += rows
        self.dropped += drops
        if index != self._next:
            self._later.add(index)
            return
        self._next += 1
        while self._next in self._later:
            self._later.remove(self._next)
            self._next += 1


def differences(mine: Mapping[str, Any], theirs: Mapping[str, Any]) -> str:
    """Name what keeps two descriptions of a run from being the same: ``settings.seed (1, not 2)``; empty if nothing."""
    here, there = dict(_leaves("", mine)), dict(_leaves("", theirs))
    names = [name for name in {**here, **there} if here.get(name, _NOTHING) != there.get(name, _NOTHING)]
    shown = [f"{name} ({_shown(here.get(name))}, not {_shown(there.get(name))})" for name in names]
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


_NOTHING = object()


def _leaves(prefix: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and (value or not prefix):
        for name, inner in value.items():
            yield from _leaves(f"{prefix}.{name}" if prefix else str(name), inner)
    else:
        yield prefix, value


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return text if len(text) <= 60 else text[:28] + " … " + text[-28:]


def lock(file: BinaryIO, path: Path) -> None:
    """Keep other programs from writing a file until it is closed.

    Raises:
        InputError: if another one is writing it.
    """
    try:
        import fcntl
    except ImportError:  # Windows: two programs at once are the user's own care
        return
    try:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        raise InputError(f"another program is writing {path}") from error

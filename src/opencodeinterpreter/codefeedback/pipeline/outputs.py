"""The files that a stage writes: its rows, the dropped ones, and the manifest, which all appear together."""

from __future__ import annotations

import gzip
import os
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, cast

from opencodeinterpreter.codefeedback.files.row_files import measure, row_bytes
from opencodeinterpreter.codefeedback.pipeline.bad_records import BAD
from opencodeinterpreter.codefeedback.pipeline.entries import Stored
from opencodeinterpreter.codefeedback.pipeline.journal import now
from opencodeinterpreter.codefeedback.pipeline.manifest import add_notes, dropped_path, write_manifest


class Outputs:
    """The output files being written, under names of their own until ``finish``. Use it in a ``with`` block.

    Args:
        out: where the rows will be; compressed if its name ends in ``.gz``.
    """

    def __init__(self, out: Path) -> None:
        self._out, self._dropped = out, dropped_path(out)
        self._stack = ExitStack()
        self._rows_out = self._rows_dropped = 0
        self._reasons: dict[str, int] = {}
        self._notes: dict[str, Any] = {}
        self._files: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._kept_file = self._opened(self._out)
        self._dropped_file = self._opened(self._dropped)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()
        if kind is not None:
            for path in (self._out, self._dropped):
                _partial(path).unlink(missing_ok=True)

    def add(self, stored: Stored) -> None:
        """Write what became of a row."""
        for line in stored.lines:
            self._kept_file.write(line)
        self._rows_out += len(stored.lines)
        for drop in stored.drops:
            identity = drop.row.get("id") if drop.row is not None else None
            told = {"id": identity, "reason": drop.reason, "detail": drop.detail, "row": drop.row}
            self._dropped_file.write(row_bytes(told))
            self._rows_dropped += 1
            self._reasons[drop.reason] = self._reasons.get(drop.reason, 0) + 1
        add_notes(self._notes, stored.notes)

    def told(self) -> dict[str, Any]:
        """Return what the manifest says of the outputs; the files are closed by this."""
        self._stack.close()
        for path, rows in ((self._out, self._rows_out), (self._dropped, self._rows_dropped)):
            self._files.append({"name": path.name, "sha256": measure(_partial(path)).sha256, "rows": rows})
        return {
            "outputs": self._files,
            "rows_out": self._rows_out,
            "rows_dropped": self._rows_dropped,
            "bad_records": self._reasons.get(BAD, 0),
            "drops": dict(sorted(self._reasons.items(), key=lambda each: (-each[1], each[0]))),
            "notes": self._notes,
            "ended": now(),
        }

    def finish(self, manifest: Mapping[str, Any]) -> None:
        """Give the files their names, the manifest last: where it is, all is there."""
        for path in (self._dropped, self._out):
            _partial(path).replace(path)
        write_manifest(self._out, manifest)

    def _opened(self, path: Path) -> IO[bytes]:
        raw = self._stack.enter_context(_partial(path).open("wb", buffering=1 << 20))
        self._stack.push(lambda *_: _sync(raw))
        if path.suffix == ".gz":
            packed = gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0)
            return cast("IO[bytes]", self._stack.enter_context(packed))
        return raw


def _partial(path: Path) -> Path:
    return path.with_name(path.name + ".partial")


def _sync(file: IO[bytes]) -> None:
    file.flush()
    os.fsync(file.fileno())

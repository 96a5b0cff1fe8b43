"""What a stage has worked out so far, so that after a kill nothing is worked out twice."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self


class KeptLines:
    """A file of JSON values, one a line. Use it in a ``with`` block: read what is there to its end, then add.

    Args:
        path: of the file; made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("a+b")
        self._file.seek(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def earlier(self) -> Iterator[Any]:
        """Yield what was kept before; what a kill has left half written at the end is cut off."""
        while True:
            begin = self._file.tell()
            line = self._file.readline()
            if not line.endswith(b"\n"):
                self._file.truncate(begin)
                return
            yield json.loads(line)

    def add(self, values: Iterable[Any]) -> None:
        """Keep values behind those that are there; they are on their way to the disk when this returns."""
        for value in values:
            self._file.write(json.dumps(value).encode("ascii") + b"\n")
        self._file.flush()

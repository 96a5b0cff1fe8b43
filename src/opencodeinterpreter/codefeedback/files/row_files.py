"""Files of rows as bytes: opened, unpacked, hashed, counted, and one row as a line."""

from __future__ import annotations

import bz2
import gzip
import hashlib
import json
import lzma
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

from opencodeinterpreter.dialog import json_line
from opencodeinterpreter.errors import InputError, MissingExtraError

_BLOCK: Final = 1 << 20
DAMAGED: Final = (EOFError, zlib.error, gzip.BadGzipFile, lzma.LZMAError)
"""What unpacking raises for a file that is cut off or changed."""
_PACKED: Final = ((b"\x1f\x8b", "gzip"), (b"BZh", "bzip2"), (b"\xfd7zX", "xz"))


def row_bytes(row: Mapping[str, Any]) -> bytes:
    """Return a row as one line of a file, with its end."""
    try:
        return (json_line(row) + "\n").encode("utf-8")
    except UnicodeEncodeError:
        # Half of a surrogate pair, as models write it now and then: UTF-8 cannot store it.
        return (json.dumps(row, allow_nan=False) + "\n").encode("ascii")


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading.

    Raises:
        InputError: if it is not there or cannot be read.
    """
    try:
        file = path.open("rb", buffering=_BLOCK)
    except FileNotFoundError as error:
        raise InputError(f"{path} is not there") from error
    except IsADirectoryError as error:
        raise InputError(f"{path} is a folder, not a file") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}") from error
    with file:
        yield file


@contextmanager
def unpacked(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, and unpack it if it is compressed, which is seen from its bytes.

    Reading may raise one of ``DAMAGED``.

    Raises:
        InputError: if it is not there or cannot be read.
    """
    with opened(path) as raw:
        start = raw.read(4)
        raw.seek(0)
        match _packing(start):
            case "gzip":
                with gzip.GzipFile(fileobj=raw) as file:
                    yield cast("IO[bytes]", file)
            case "bzip2":
                with bz2.BZ2File(raw) as file:
                    yield file
            case "xz":
                with lzma.LZMAFile(raw) as file:
                    yield file
            case _:
                yield raw


def is_parquet(path: Path) -> bool:
    """Hold for a file that begins as Parquet does.

    Raises:
        InputError: if it cannot be read.
    """
    with opened(path) as raw:
        return raw.read(4) == b"PAR1"


def parquet_file(path: Path) -> Any:
    """Open a Parquet file.

    Raises:
        MissingExtraError: if ``pyarrow`` is not installed.
        InputError: if it is not whole.
    """
    try:
        from pyarrow import lib, parquet
    except ImportError as error:
        raise MissingExtraError("Parquet", "data") from error
    try:
        return parquet.ParquetFile(path)
    except (lib.ArrowException, OSError) as error:
        raise InputError(f"{path} is no whole Parquet file: {error}") from error


@dataclass(frozen=True)
class Measured:
    """A file as it was found."""

    name: str
    """without its folder"""
    sha256: str
    rows: int | None
    """lines, or rows of a Parquet file; None for a JSON list, which has to be read for that"""


def measure(path: Path) -> Measured:
    """Hash a file and count its rows.

    Raises:
        InputError: if it cannot be read.
    """
    hashed = hashlib.sha256()
    with opened(path) as raw:
        start = raw.read(4)
        raw.seek(0)
        # One pass for both where the bytes are the text.
        told = _packing(start) is None and start != b"PAR1"
        counted = _Lines()
        while block := raw.read(_BLOCK):
            hashed.update(block)
            if told:
                counted.add(block)
    rows = counted.number
    if start == b"PAR1":
        rows = int(parquet_file(path).metadata.num_rows)
    elif not told:
        rows = _lines_inside(path)
    return Measured(path.name, hashed.hexdigest(), rows)


class _Lines:
    def __init__(self) -> None:
        self._lines, self._last, self._first = 0, b"\n", b""

    def add(self, block: bytes) -> None:
        self._first = self._first or block[:64].lstrip()[:1]
        self._lines += block.count(b"\n")
        self._last = block[-1:]

    @property
    def number(self) -> int | None:
        return None if self._first == b"[" else self._lines + (self._last != b"\n")


def _lines_inside(path: Path) -> int | None:
    counted = _Lines()
    with unpacked(path) as file:
        try:
            while block := file.read(_BLOCK):
                counted.add(block)
        except DAMAGED:
            return None  # reading it will say so
    return counted.number


def _packing(start: bytes) -> str | None:
    return next((name for mark, name in _PACKED if start.startswith(mark)), None)

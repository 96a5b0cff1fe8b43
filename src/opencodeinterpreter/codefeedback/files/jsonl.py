"""Reading files of records one at a time, each with its place; what cannot be used is named, and the next is read.

JSON Lines, a JSON list of objects, one JSON object, and Parquet; compressed by gzip, bzip2 or xz. No more than one
record is kept in memory, and none that is longer than ``LONGEST``.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final, cast

from opencodeinterpreter.codefeedback.fields import kind_of
from opencodeinterpreter.codefeedback.files.json_list import DECODER, read_items
from opencodeinterpreter.codefeedback.files.row_files import DAMAGED, is_parquet, parquet_file, unpacked
from opencodeinterpreter.codefeedback.pipeline.stage import Row
from opencodeinterpreter.errors import InputError

LONGEST: Final = 16 << 20
"""Bytes of one record at most: far above any dialog that a model can be trained on."""
_BLOCK: Final = 1 << 20
_SHOWN: Final = 2000
"""Characters of a broken record that are kept."""
_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
"""UTF-32 first: its mark begins with that of UTF-16."""


@dataclass(frozen=True)
class Record:
    """One record of a file, or what stands in its place."""

    file: str
    """the name of the file, without its folder"""
    line: int
    """where the record begins, from 1; of a Parquet file the row"""
    row: Row | None
    """None if it cannot be used"""
    fault: str = ""
    """why not"""
    text: str = ""
    """how the broken record begins"""

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}"


def read_records(path: Path, *, encoding: str | None = None, longest: int = LONGEST) -> Iterator[Record]:
    """Yield every record of a file, the broken ones too; blank lines are passed over.

    Args:
        path: of the file; how it is compressed and which form it has is seen from its bytes.
        encoding: of the text; UTF-8 unless the file begins with the mark of another.
        longest: bytes of a record, above which it is passed over.

    Raises:
        InputError: if the file is not there, cannot be opened, or the encoding is not known.
        MissingExtraError: for Parquet without ``pyarrow``.
    """
    if encoding is not None:
        _must_be_known(encoding)
    if is_parquet(path):
        yield from _parquet(path)
        return
    line = 0
    with unpacked(path) as file:
        try:
            for record in _records(path.name, file, encoding, longest):
                line = record.line
                yield record
        except DAMAGED as error:
            yield Record(path.name, line + 1, None, f"the compressed file is damaged from here on: {error}")
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}") from error


def _must_be_known(encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError as error:
        raise InputError(f"no encoding is called {encoding!r}; utf-8, utf-16, cp1252 and gb18030 are some") from error


def _records(name: str, file: IO[bytes], encoding: str | None, longest: int) -> Iterator[Record]:
    buffered = cast("io.BufferedReader", file)
    start = buffered.peek(64)
    marked = next((each for mark, each in _MARKS if start.startswith(mark)), None)
    chosen = encoding or marked or "utf-8"
    plain = marked is None and codecs.lookup(chosen).name == "utf-8"
    begun = start.decode(chosen, "ignore").lstrip()
    if begun.startswith("["):
        with _text(buffered, chosen) as text:
            yield from _listed(name, text, chosen, longest)
        return
    lines = _lines(name, buffered, longest) if plain else _decoded_lines(name, buffered, chosen, longest)
    if begun.partition("\n")[0].strip() == "{" and "\n" in begun:
        # An object that is spread over lines, as people write them: the file is that one object.
        yield _spread(name, lines, longest)
        return
    for number, line in lines:
        if isinstance(line, Record):
            yield line
        elif line.strip():
            yield _record(name, number, line)


_Line = tuple[int, str | Record]
"""Its number, and its text or what is wrong with it."""


def _lines(name: str, file: io.BufferedReader, longest: int) -> Iterator[_Line]:
    number = 0
    while line := file.readline(longest + 1):
        number += 1
        if len(line) > longest and not line.endswith(b"\n"):
            shown = line[:_SHOWN].decode("utf-8", "replace")
            while (line := file.readline(_BLOCK)) and not line.endswith(b"\n"):
                pass
            yield number, Record(name, number, None, _too_long(longest), shown)
            continue
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError:
            shown = line[:_SHOWN].decode("utf-8", "replace")
            yield number, Record(name, number, None, _not_utf8(line), shown)


def _decoded_lines(name: str, raw: io.BufferedReader, encoding: str, longest: int) -> Iterator[_Line]:
    number = 0
    with _text(raw, encoding) as file:
        while line := file.readline(longest + 1):
            number += 1
            if len(line) > longest and not line.endswith("\n"):
                shown = line[:_SHOWN]
                while (line := file.readline(_BLOCK)) and not line.endswith("\n"):
                    pass
                yield number, Record(name, number, None, _too_long(longest), shown)
            elif _undecoded(line, encoding):
                yield number, Record(name, number, None, f"the text is not {encoding.upper()}", _shown(line))
            else:
                yield number, line


def _text(file: io.BufferedReader, encoding: str) -> io.TextIOWrapper:
    return io.TextIOWrapper(file, encoding, _on_error(encoding), newline="\n")


def _on_error(encoding: str) -> str:
    # With the first, a replacement character that the text really has is told from bytes that could not be decoded;
    # encodings of two and four bytes do not have it.
    return "replace" if codecs.lookup(encoding).name.startswith(("utf-16", "utf-32")) else "surrogateescape"


def _shown(text: str) -> str:
    return _ESCAPED.sub("\ufffd", text[:_SHOWN])


def _undecoded(text: str, encoding: str) -> bool:
    if text.isascii():
        return False
    return _ESCAPED.search(text) is not None or (_on_error(encoding) == "replace" and "\ufffd" in text)


_ESCAPED: Final = re.compile("[\udc80-\udcff]")


def _too_long(longest: int) -> str:
    return f"the record is longer than {longest / (1 << 20):g} MB"


def _not_utf8(line: bytes) -> str:
    from charset_normalizer import from_bytes

    found = from_bytes(line[: 64 << 10]).best()
    guess = f"; it may be {found.encoding}: --encoding {found.encoding}" if found is not None else ""
    return f"the text is not UTF-8{guess}"


def _record(name: str, line: int, text: str) -> Record:
    try:
        row = DECODER.decode(text)
    except RecursionError:
        return Record(name, line, None, "broken JSON: nested too deeply", text[:_SHOWN])
    except ValueError as error:
        return Record(name, line, None, f"broken JSON: {error}", text[:_SHOWN])
    return _checked(name, line, row, text)


def _checked(name: str, line: int, row: Any, text: str) -> Record:
    if not isinstance(row, dict):
        return Record(name, line, None, f"the record must be an object, not {kind_of(row)}", text[:_SHOWN])
    if "\\ud" in text or "\\uD" in text:
        try:
            json.dumps(row, ensure_ascii=False).encode("utf-8")
        except UnicodeEncodeError:
            return Record(name, line, None, "a text holds half of a surrogate pair", text[:_SHOWN])
    return Record(name, line, row)


def _spread(name: str, lines: Iterator[_Line], longest: int) -> Record:
    parts, length = [], 0
    for _, line in lines:
        if isinstance(line, Record):
            return line
        parts.append(line)
        length += len(line)
        if length > longest:
            return Record(name, 1, None, _too_long(longest), "".join(parts)[:_SHOWN])
    return _record(name, 1, "".join(parts))


def _listed(name: str, file: io.TextIOWrapper, encoding: str, longest: int) -> Iterator[Record]:
    for item in read_items(file, longest):
        if item.fault:
            yield Record(name, item.line, None, item.fault, item.text[:_SHOWN])
        elif _undecoded(item.text, encoding):
            yield Record(name, item.line, None, f"the text is not {encoding.upper()}", _shown(item.text))
        else:
            yield _checked(name, item.line, item.value, item.text)


def _parquet(path: Path) -> Iterator[Record]:
    number = 0
    for batch in parquet_file(path).iter_batches(batch_size=256):
        for row in batch.to_pylist():
            number += 1
            try:
                json.dumps(row, ensure_ascii=False, allow_nan=False).encode("utf-8")
            except (TypeError, ValueError) as error:
                yield Record(path.name, number, None, f"a value that JSON does not have: {error}", repr(row)[:_SHOWN])
            else:
                yield Record(path.name, number, row)

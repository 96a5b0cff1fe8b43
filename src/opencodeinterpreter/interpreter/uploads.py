"""Describes an uploaded file to the model: its name, size, columns and first rows."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePosixPath

from opencodeinterpreter.interpreter.tables import profile, read_table, reading_call

_HEAD_BYTES = 1_000_000
_GUESS_BYTES = 20_000
_ROWS = 3
_LINE_CHARACTERS = 160
_COLUMNS = 20
_SHORT_CHARACTERS = 1500
"""A text or program no longer than this is shown whole."""
READ_BYTES = 5_000_000
"""Of each file no more than this is read."""


@dataclass(frozen=True)
class Upload:
    """A file that came with a task, as it is in the workspace."""

    name: str
    size: int
    """bytes"""
    head: bytes
    """its first ``READ_BYTES``"""


def describe_uploads(uploads: Iterable[Upload]) -> str:
    """Return the paragraph that is put before a task that came with files; empty without files."""
    described = [_describe(upload) for upload in uploads]
    if not described:
        return ""
    return "Files in the current folder:\n" + "\n".join(described)


def _describe(upload: Upload) -> str:
    size, head = upload.size, upload.head[:_HEAD_BYTES]
    name = json.dumps(upload.name, ensure_ascii=False)[1:-1]  # a line break in a name must not end the line
    title = f"- {name} ({size:,} bytes"
    suffix = PurePosixPath(upload.name).suffix.lower()
    if suffix in {".xlsx", ".xlsm"} and size <= READ_BYTES:
        return f"{title}, Excel)" + _indent(_sheets(upload.head))
    if b"\0" in head:
        return f"{title}, binary)"
    text, encoding = _decode(head), None
    if text is None:
        encoding = _guessed_encoding(head)
        text = head.decode(encoding, "replace")
        title += f", not UTF-8, probably {encoding}"
    lines = text.splitlines()
    if len(head) < size:
        lines = lines[:-1]  # the last one may be cut
        title += ", described by its first part)"
    else:
        title += f", {len(lines)} lines)"
    if suffix in {".csv", ".tsv"} or (suffix in {".txt", ".dat"} and _is_table(lines)):
        return title + _indent(_table(lines, upload.name, encoding))
    if suffix in {".json", ".geojson"} and len(head) == size:
        return title + _indent(_json_shape(text))
    if len(text) <= _SHORT_CHARACTERS:
        return title + _indent(["content:", *lines] if lines else [])
    return title + _indent(["first lines:", *lines[:_ROWS]])


def _decode(head: bytes) -> str | None:
    """Return the text of the head of a file in UTF-8, or None if it is in another encoding."""
    try:
        return head.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if error.start > len(head) - 4 and len(head) == _HEAD_BYTES:  # a character cut by the end of the head
            return head[: error.start].decode("utf-8-sig")
        return None


def _guessed_encoding(head: bytes) -> str:
    from charset_normalizer import from_bytes

    best = from_bytes(head[:_GUESS_BYTES]).best()
    encoding = best.encoding if best is not None else "latin-1"
    # The wider one of a family reads all that the narrower one does.
    return {"gb2312": "gb18030", "gbk": "gb18030", "cp1250": "cp1252"}.get(encoding, encoding)


def _is_table(lines: list[str]) -> bool:
    """Tell a table from prose, whose lines hold commas too."""
    table = read_table(lines)
    return table is not None and table.ragged * 20 <= len(table.rows)


def _table(lines: list[str], name: str, encoding: str | None) -> list[str]:
    table = read_table(lines)
    if table is None:
        return ["first lines:", *lines[:_ROWS]] if lines else []
    described = []
    call = reading_call(table, name, encoding)
    if call is not None:
        described.append(f"read it with: {call}")
    if table.preamble:
        described.append(f"{table.preamble} lines before the header: {' / '.join(lines[: table.preamble][:3])}")
    described += ["columns:", *(f"  {line}" for line in profile(table, _COLUMNS))]
    if table.ragged:
        described.append(f"{table.ragged} rows do not have {len(table.header)} fields")
    return [*described, "first rows:", *lines[table.preamble : table.preamble + _ROWS + 1]]


def _json_shape(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        lines = text.splitlines()
        whole = (
            "one JSON object a line, as pd.read_json(..., lines=True) reads it; "
            if all(_is_object(line) for line in lines if line.strip())
            else ""
        )
        return [f"{whole}first lines:", *lines[:_ROWS]]
    if isinstance(value, list):
        first = json.dumps(value[0], ensure_ascii=False) if value else ""
        return [f"a list of {len(value)}; the first: {first}"]
    if isinstance(value, dict):
        return ["an object with the keys " + ", ".join(map(repr, list(value)[:_COLUMNS]))]
    return [f"one {type(value).__name__}"]


def _is_object(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except (json.JSONDecodeError, RecursionError):
        return False


def _sheets(content: bytes) -> list[str]:
    # openpyxl takes a while to import and few tasks bring a workbook.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    except (InvalidFileException, zipfile.BadZipFile, KeyError, ValueError, OSError):
        return ["not readable as an Excel workbook"]
    try:
        described = []
        for sheet in book.worksheets[:5]:
            described.append(f"sheet {sheet.title!r}, {sheet.max_row} rows:")
            for row in sheet.iter_rows(max_row=_ROWS + 1, values_only=True):
                described.append(", ".join("" if cell is None else str(cell) for cell in row[:_COLUMNS]))
        return described
    finally:
        book.close()


def _indent(lines: list[str]) -> str:
    cut = (line if len(line) <= _LINE_CHARACTERS * 2 else line[: _LINE_CHARACTERS * 2] + "…" for line in lines)
    return "".join(f"\n  {line}" for line in cut)

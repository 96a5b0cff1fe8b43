"""Describes an uploaded file to the model: its name, size, columns and first rows."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path

_HEAD_BYTES = 64_000
_ROWS = 3
_LINE_CHARACTERS = 160
_COLUMNS = 40
_WHOLE_FILE_BYTES = 5_000_000
"""Past this size only the head of a file is read."""


def describe_uploads(paths: Iterable[Path]) -> str:
    """Return the paragraph that is put before a task that came with files; empty without files."""
    described = [_describe(path) for path in paths]
    if not described:
        return ""
    return "Files in the current folder:\n" + "\n".join(described)


def _describe(path: Path) -> str:
    size = path.stat().st_size
    name = json.dumps(path.name, ensure_ascii=False)[1:-1]  # a line break in a name must not end the line
    title = f"- {name} ({size:,} bytes"
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if path.suffix.lower() in {".xlsx", ".xlsm"} and size <= _WHOLE_FILE_BYTES:
        return f"{title}, Excel)" + _indent(_sheets(path))
    text = _decode(head)
    if text is None:
        return f"{title}, binary)"
    lines = text.splitlines()
    if len(head) < size:
        lines = lines[:-1]  # the last one may be cut
        title += ")"
    else:
        title += f", {len(lines)} lines)"
    suffix = path.suffix.lower()
    if suffix in {".csv", ".tsv"}:
        return title + _indent(_table(lines))
    if suffix in {".json", ".geojson"} and len(head) == size:
        return title + _indent(_json_shape(text))
    return title + _indent(["first lines:", *lines[:_ROWS]] if lines else [])


def _decode(head: bytes) -> str | None:
    if b"\0" in head:
        return None
    for encoding in ("utf-8-sig", "utf-8"):
        try:
            return head.decode(encoding)
        except UnicodeDecodeError as error:
            if error.start > len(head) - 4:  # a character cut by the end of the head
                return head[: error.start].decode(encoding)
    return head.decode("latin-1")


def _table(lines: list[str]) -> list[str]:
    if not lines:
        return []
    described = []
    try:
        dialect: type[csv.Dialect] | csv.Dialect = csv.Sniffer().sniff("\n".join(lines[:20]), delimiters=",;\t|")
        columns = next(csv.reader(io.StringIO(lines[0]), dialect), [])
        if dialect.delimiter != ",":
            described.append(f"separator: {dialect.delimiter!r}")
    except csv.Error:
        columns = []
    if 1 < len(columns) <= _COLUMNS:
        described.append("columns: " + ", ".join(repr(column) for column in columns))
    elif len(columns) > _COLUMNS:
        described.append(f"{len(columns)} columns")
    return [*described, "first rows:", *lines[: _ROWS + 1]]


def _json_shape(text: str) -> list[str]:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError):
        return ["first lines:", *text.splitlines()[:_ROWS]]
    if isinstance(value, list):
        first = json.dumps(value[0], ensure_ascii=False) if value else ""
        return [f"a list of {len(value)}; the first: {first}"]
    if isinstance(value, dict):
        return ["an object with the keys " + ", ".join(map(repr, list(value)[:_COLUMNS]))]
    return [f"one {type(value).__name__}"]


def _sheets(path: Path) -> list[str]:
    # openpyxl takes a while to import and few tasks bring a workbook.
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
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

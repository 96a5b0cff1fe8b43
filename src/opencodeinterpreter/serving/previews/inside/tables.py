"""Tables in text and in columns: CSV, TSV, JSON lines, Parquet. A part of the rows, from any on."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from .parts import LONGEST_TEXT, MOST_ROWS, CannotShowError, Parts

_SNIFFED = 200_000
_MOST_JSON = 30_000_000


def read_separated(path: Path, parts: Parts, start: int, separator: str | None) -> int:
    """Read CSV, or what is like it; return how many rows there are under the header."""
    csv.field_size_limit(10_000_000)
    encoding = _encoding(path)
    with path.open(encoding=encoding, errors="replace", newline="") as file:
        head = file.read(_SNIFFED)
        file.seek(0)
        rows = csv.reader((line.replace("\0", " ") for line in file), delimiter=separator or _separator(head))
        header = next((row for row in rows if row), [])
        return _page(parts, header, (row for row in rows if row), start)


def read_json(path: Path, parts: Parts, start: int) -> int:
    """Read JSON: a list of objects is a table, all else is text."""
    with path.open(encoding=_encoding(path), errors="replace") as file:
        text = file.read(_MOST_JSON + 1)
    if len(text) > _MOST_JSON:
        parts.text("code", text[:LONGEST_TEXT], language="json")
        parts.cut = True
        return 0
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        parts.text("code", text, language="json")
        return 0
    if isinstance(data, list) and data and all(isinstance(row, dict) for row in data):
        return _records(parts, data, start)
    try:
        parts.text("code", json.dumps(data, ensure_ascii=False, indent=2), language="json")
    except RecursionError:
        parts.text("code", text, language="json")
    return 0


def read_json_lines(path: Path, parts: Parts, start: int) -> int:
    """Read JSON lines; return how many there are."""
    with path.open(encoding=_encoding(path), errors="replace") as file:
        shown, total = [], 0
        for line in file:
            if not line.strip():
                continue
            total += 1
            if start < total <= start + MOST_ROWS:
                row = json.loads(line)
                shown.append(row if isinstance(row, dict) else {"": row})
    columns = list(dict.fromkeys(str(name) for row in shown for name in row))
    parts.table(columns, [[_plain(row.get(name)) for name in columns] for row in shown], total=total)
    return total


def read_parquet(path: Path, parts: Parts, start: int) -> int:
    """Read Parquet; return how many rows there are."""
    try:
        from pyarrow import parquet
    except ImportError:
        raise CannotShowError("package", 'pip install "opencodeinterpreter[data]"') from None
    with parquet.ParquetFile(path) as file:
        total = int(file.metadata.num_rows)
        names = list(file.schema_arrow.names)
        rows: list[list[object]] = []
        passed = 0
        for batch in file.iter_batches(batch_size=10_000):
            first = max(start - passed, 0)
            passed += batch.num_rows
            if first < batch.num_rows:
                part = batch.slice(first, MOST_ROWS - len(rows)).to_pydict()
                columns = [part[name] for name in names]
                rows += [[_plain(value) for value in row] for row in zip(*columns, strict=True)]
            if len(rows) >= MOST_ROWS:
                break
    parts.table(names, rows, total=total)
    return total


def _records(parts: Parts, records: list[dict[str, Any]], start: int) -> int:
    columns = list(dict.fromkeys(name for row in records[:1000] for name in row))
    shown = records[start : start + MOST_ROWS]
    parts.table(columns, [[_plain(row.get(name)) for name in columns] for row in shown], total=len(records))
    return len(records)


def _page(parts: Parts, header: list[str], rows: Iterator[list[str]], start: int) -> int:
    passed = sum(1 for _ in islice(rows, start))
    shown = list(islice(rows, MOST_ROWS))
    total = passed + len(shown) + sum(1 for _ in rows)
    parts.table(header, shown, total=total)
    return total


def _plain(value: object) -> object:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    if isinstance(value, bool):
        return str(value).lower()
    return value


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        head = file.read(_SNIFFED)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        head.decode("utf-8")
    except UnicodeDecodeError as error:
        return "utf-8-sig" if len(head) == _SNIFFED and error.start >= len(head) - 3 else "cp1252"
    return "utf-8-sig"


def _separator(head: str) -> str:
    """Return what parts most lines into equally many fields."""
    lines = [line for line in head.splitlines()[:100] if line.strip()]

    def agreeing(separator: str) -> tuple[int, int]:
        counts = [line.count(separator) for line in lines]
        usual = max(set(counts), key=counts.count, default=0)
        return (counts.count(usual), usual) if usual else (0, 0)

    return max(_candidates(), key=agreeing)


def _candidates() -> Iterable[str]:
    return (",", ";", "\t", "|")

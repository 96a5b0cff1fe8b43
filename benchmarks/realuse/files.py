"""Needs that files in the workspace must meet: pictures, tables, JSON, sheets, lines, scripts."""

from __future__ import annotations

import ast
import csv
import io
import json
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
from PIL import Image, UnidentifiedImageError

from benchmarks.realuse.outcome import Outcome
from benchmarks.realuse.values import numbers

Cell = str | float | int | None


def find_file(folder: Path, name: str) -> Path | None:
    """Return the file of that name, upper and lower case alike, at the top or anywhere below."""
    found = [path for path in folder.rglob("*") if path.is_file() and path.name.lower() == name.lower()]
    return min(found, key=lambda path: len(path.parts), default=None)


def _text(path: Path) -> str | None:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return None


def same(found: Any, wanted: Any) -> bool:
    """Compare two cells: numbers by value to half a cent, whatever form they have; the rest as text."""
    if wanted is None or wanted == "":
        return found is None or str(found).strip().lower() in ("", "nan", "none", "null")
    if isinstance(wanted, int | float) and not isinstance(wanted, bool):
        if isinstance(found, bool) or found is None:
            return False
        readings = [found] if isinstance(found, int | float) else [float(n) for n in numbers(str(found))]
        return any(abs(number - wanted) < 0.005 for number in readings)
    return str(found).strip() == str(wanted).strip()


def _compare(found: Sequence[Sequence[Any]], wanted: Sequence[Sequence[Cell]]) -> str | None:
    """Return the first difference of two tables, headers in row 0."""
    header = [str(cell).strip().lower() for cell in found[0]] if found else []
    if header != [str(cell).lower() for cell in wanted[0]]:
        return f"its columns are {header}"
    if len(found) != len(wanted):
        return f"it has {len(found) - 1} rows, not {len(wanted) - 1}"
    for number, (left, right) in enumerate(zip(found[1:], wanted[1:], strict=True), start=1):
        if len(left) != len(right) or not all(map(same, left, right)):
            return f"row {number} is {list(left)}, not {list(right)}"
    return None


@dataclass(frozen=True)
class Picture:
    """An image that shows something: not blank, and more than the empty frame of a chart."""

    name: str

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        try:
            with Image.open(path) as image:
                pixels = np.asarray(image.convert("RGBA").convert("RGB"), dtype=np.int16)
        except (UnidentifiedImageError, OSError, SyntaxError):
            return f"{self.name} is not an image"
        if min(pixels.shape[:2]) < 100:
            return f"{self.name} is too small to be read"
        spread = pixels.max(axis=2) - pixels.min(axis=2)
        coloured = float((spread > 40).mean())
        background = np.median(pixels.reshape(-1, 3), axis=0)
        inked = float((np.abs(pixels - background).max(axis=2) > 60).mean())
        # A frame with ticks and labels in black takes 1 to 2 % and has no colour.
        if coloured < 0.0005 and inked < 0.03:
            return f"{self.name} shows nothing"
        return None

    def phrase(self) -> str:
        return ""


@dataclass(frozen=True)
class Table:
    """A delimited text file with exactly these columns and rows."""

    name: str
    rows: Sequence[Sequence[Cell]]
    """The header first."""
    separator: str = ","

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        text = _text(path)
        if text is None:
            return f"{self.name} is not UTF-8"
        found = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=self.separator) if row]
        difference = _compare(found, self.rows)
        return difference and f"{self.name}: {difference}"

    def phrase(self) -> str:
        return ""


@dataclass(frozen=True)
class Markdown:
    """A file that holds a Markdown table with these columns and rows; a column of row numbers may stand before."""

    name: str
    rows: Sequence[Sequence[Cell]]
    """The header first."""

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        lines = [line.strip() for line in (_text(path) or "").splitlines()]
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if "|" in line]
        if len(rows) < 2 or not all(re.fullmatch(r":?-+:?", cell) for cell in rows[1]):
            return f"{self.name} has no Markdown table"
        found = [rows[0], *rows[2:]]
        if found[0][0] == "":
            found = [row[1:] for row in found]
        difference = _compare(found, self.rows)
        return difference and f"{self.name}: {difference}"

    def phrase(self) -> str:
        return ""


@dataclass(frozen=True)
class Sheets:
    """A workbook with exactly these sheets, each with these rows."""

    name: str
    sheets: dict[str, Sequence[Sequence[Cell]]]

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        try:
            book = openpyxl.load_workbook(path, data_only=True)
        except (zipfile.BadZipFile, KeyError, OSError, ValueError):
            return f"{self.name} is not a workbook"
        if sorted(book.sheetnames) != sorted(self.sheets):
            return f"{self.name} has the sheets {book.sheetnames}"
        for title, wanted in self.sheets.items():
            difference = _compare(list(book[title].iter_rows(values_only=True)), wanted)
            if difference:
                return f"{self.name}, sheet {title}: {difference}"
            if any(isinstance(cell, str) for row in _numeric(book[title], wanted) for cell in row):
                return f"{self.name}, sheet {title}: numbers are stored as text"
        return None

    def phrase(self) -> str:
        return ""


def _numeric(sheet: Any, wanted: Sequence[Sequence[Cell]]) -> list[list[Any]]:
    """Return the cells that ought to be numbers."""
    rows = zip(sheet.iter_rows(values_only=True), wanted, strict=True)
    return [[f for f, w in zip(found, want, strict=True) if isinstance(w, int | float)] for found, want in rows]


@dataclass(frozen=True)
class Json:
    """A JSON file with exactly this content."""

    name: str
    content: Any

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        text = _text(path)
        try:
            found = json.loads(text or "")
        except json.JSONDecodeError:
            return f"{self.name} is not JSON"
        return None if _equal(found, self.content) else f"{self.name} has other content"

    def phrase(self) -> str:
        return ""


def _equal(found: Any, wanted: Any) -> bool:
    """Compare JSON values; unlike in a table, a number must be a number."""
    if isinstance(wanted, dict):
        return (
            isinstance(found, dict)
            and found.keys() == wanted.keys()
            and all(_equal(found[key], wanted[key]) for key in wanted)
        )
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_equal, found, wanted))
    if isinstance(wanted, int | float):
        return isinstance(found, int | float) and abs(found - wanted) < 0.005
    return bool(found == wanted)


@dataclass(frozen=True)
class Lines:
    """A text file with exactly these lines; blank ones and spaces at the ends do not matter."""

    name: str
    lines: Sequence[str]

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        found = [line.strip() for line in (_text(path) or "").splitlines() if line.strip()]
        if found == list(self.lines):
            return None
        return f"{self.name}: {len(found)} lines, of which {len(set(found) & set(self.lines))} are right"

    def phrase(self) -> str:
        return ""


@dataclass(frozen=True)
class Script:
    """A Python file that parses, and is not the one that was given. It is not run: it is foreign code."""

    name: str
    given: str

    def missing(self, outcome: Outcome) -> str | None:
        path = find_file(outcome.files, self.name)
        if path is None:
            return f"no file {self.name}"
        text = _text(path)
        try:
            tree = ast.parse(text or "")
        except (SyntaxError, ValueError):
            return f"{self.name} is not a Python program"
        if not tree.body or ast.dump(tree) == ast.dump(ast.parse(self.given)):
            return f"{self.name} repairs nothing"
        return None

    def phrase(self) -> str:
        return ""

"""Workbooks (.xlsx): each sheet as a table, with the values that the program which saved it had computed."""

from __future__ import annotations

import datetime
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from .extent import extent
from .package import Package
from .parts import MOST_ROWS, Parts

_MOST_SHEETS = 20
_MOST_COLUMNS_READ = 80
"""To column CB; those after it are known to ``extent``."""
_LOOK_SECONDS = 10.0
"""For the ends of all sheets of a workbook: enough for a full one, and a part of the time that a jail has."""


def read(path: Path, parts: Parts) -> int:
    """Read a workbook; return how many sheets it has."""
    with Package(path):
        pass  # says what is wrong with an encrypted or an old one
    import openpyxl

    warnings.simplefilter("ignore")  # of styles and extensions that it does not read
    # As open files: of a name it would look at the ending.
    with path.open("rb") as first, path.open("rb") as second:
        values = openpyxl.load_workbook(first, read_only=True, data_only=True)
        formulas = openpyxl.load_workbook(second, read_only=True)
        try:
            _sheets(values, formulas, parts)
            return len(values.sheetnames)
        finally:
            values.close()
            formulas.close()


def _sheets(values: Any, formulas: Any, parts: Parts) -> None:
    shown, until = 0, time.monotonic() + _LOOK_SECONDS
    for name in values.sheetnames:
        if shown >= _MOST_SHEETS or parts.full:
            parts.cut = True
            break
        sheet = values[name]
        if not hasattr(sheet, "iter_rows"):  # a sheet that is a chart
            continue
        shown += 1
        rows = list(_rows(sheet, formulas[name]))
        width = max((len(row) for row in rows), default=0)
        with sheet.parent._archive.open(sheet._worksheet_path) as file:
            found = extent(file, until)
        parts.cut |= found.more
        parts.table(_letters(width), rows, title=name, total=max(len(rows), found.last))


def _rows(sheet: Any, formulas: Any) -> Iterator[list[object]]:
    """Yield rows without the empty cells at their ends; a formula without a stored value shows itself."""
    for each in (sheet, formulas):
        each.reset_dimensions()  # which are what the file says of itself, and may be anything
    bounds = {"max_row": MOST_ROWS, "max_col": _MOST_COLUMNS_READ}
    kept: list[list[object]] = []
    pairs = zip(
        sheet.iter_rows(values_only=True, **bounds), formulas.iter_rows(values_only=True, **bounds), strict=False
    )
    for values, written in pairs:
        kept.append(_trimmed([_value(value, formula) for value, formula in zip(values, written, strict=False)]))
        if kept[-1]:
            yield from kept
            kept = []


def _value(value: object, formula: object) -> object:
    if value is None:
        return _written(formula)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date()
    return value


def _written(formula: Any) -> object:
    """Return a formula as it is written; those over many cells are objects."""
    if hasattr(formula, "text"):  # one that gives many values
        return formula.text
    if getattr(formula, "t", "") == "dataTable":
        return f"=TABLE({', '.join(filter(None, (formula.r1, formula.r2)))})"
    return formula


def _trimmed(row: Sequence[object]) -> list[object]:
    end = len(row)
    while end and row[end - 1] is None:
        end -= 1
    return list(row[:end])


def _letters(count: int) -> list[str]:
    from openpyxl.utils import get_column_letter

    return [get_column_letter(number) for number in range(1, count + 1)]

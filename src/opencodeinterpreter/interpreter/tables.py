"""Profiles a text table: where it begins, and what each of its columns really holds.

First rows do not show what breaks a program: an amount with a currency sign in row 40, a second way of writing a date.
So every value is reduced to its **shape** (digits to 9, letters to a, runs to one), and a column is told by its shapes.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_SHAPES_TOLD = 4
_CATEGORIES_TOLD = 6
_EXAMPLE_CHARACTERS = 40
_MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "--", "?", "."})

_DISGUISED = re.compile(r"(?:[^\W\d_]{2,3} |[^\w.,-]{1,2})?(-?\d[\d.,]*)(?: ?[^\W\d_]{1,4}| ?[^\w.,-]{1,2})?")
"""A number with a sign of currency or a unit around it."""
_DECIMAL_COMMA = re.compile(r"[-+]?\d[\d.]*(,\d+)?|")
_DATE = re.compile(
    r"\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{4}-\d{1,2}-\d{1,2}"
    r"|\d{1,2}\.? [^\W\d_]{3,9}\.?,? \d{4}|[^\W\d_]{3,9}\.? \d{1,2},? \d{4}"
)


@dataclass(frozen=True)
class Table:
    """A text table as it was read."""

    separator: str
    preamble: int
    """Lines before the header."""
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    ragged: int
    """Rows that do not have as many fields as the header."""


def read_table(lines: Sequence[str]) -> Table | None:
    """Read lines as a table with a header; None if they are none."""
    separator = _separator(lines)
    if separator is None:
        return None
    try:
        records = [tuple(record) for record in csv.reader(io.StringIO("\n".join(lines)), delimiter=separator)]
    except csv.Error:
        return None
    widths = Counter(len(record) for record in records if len(record) > 1)
    if not widths:
        return None
    width = widths.most_common(1)[0][0]
    start = next(number for number, record in enumerate(records) if len(record) == width)
    body = [record for record in records[start + 1 :] if any(record)]
    return Table(
        separator,
        start,
        records[start],
        tuple(record for record in body if len(record) == width),
        sum(len(record) != width for record in body),
    )


def profile(table: Table, columns: int) -> list[str]:
    """Return a line for each of the first ``columns`` columns."""
    lines = []
    for number, name in enumerate(table.header[:columns]):
        values = [row[number] for row in table.rows]
        read = table.separator != "," and all(_DECIMAL_COMMA.fullmatch(value.strip()) for value in values)
        how = None if read else conversion(name, values)
        lines.append(f"{name!r}: {_values(values)}" + (f"; convert with: {how}" if how else ""))
    if len(table.header) > columns:
        lines.append(f"and {len(table.header) - columns} more columns")
    return lines


def reading_call(table: Table, name: str, encoding: str | None) -> str | None:
    """Return the pandas call that reads the table as it is meant; None if the plain call does."""
    arguments = []
    if table.separator != ",":
        arguments.append(f"sep={table.separator!r}")
    if table.preamble:
        arguments.append(f"skiprows={table.preamble}")
    if encoding is not None:
        arguments.append(f"encoding={encoding!r}")
    values = [value.strip() for row in table.rows for value in row]
    if table.separator != "," and any(re.fullmatch(r"[-+]?\d+,\d+", value) for value in values):
        arguments.append("decimal=','")
        if any(re.fullmatch(r"[-+]?\d{1,3}(\.\d{3})+,\d+", value) for value in values):
            arguments.append("thousands='.'")
    return f"pd.read_csv({name!r}, {', '.join(arguments)})" if arguments else None


def conversion(name: str, values: Sequence[str]) -> str | None:
    """Return how a text column that holds numbers or dates is made into such; None where nothing need be done.

    Only told where it is certain: numbers with signs and units around them, and dates in several forms none of which
    pandas would read the wrong way round.
    """
    values = [value.strip() for value in values if value.strip().lower() not in _MISSING]
    if not values or all(_is_number(value) for value in values):
        return None
    column = f"df[{name!r}]"
    if all(_is_number(value) or not re.search(r"\d", value) for value in values):
        return f"pd.to_numeric({column}, errors='coerce')" if any(map(_is_number, values)) else None
    numbers = [match[1] for value in values if (match := _DISGUISED.fullmatch(value))]
    if 2 * len(numbers) > len(values) and not any(_DATE.fullmatch(value) for value in values):
        if any(re.search(r",\d{1,2}$", number) for number in numbers):
            if any(re.search(r"\.\d{1,2}$", number) for number in numbers):
                return None  # both ways of writing decimals
            plain = f"{column}.str.replace(r'[^0-9,-]', '', regex=True).str.replace(',', '.')"
        else:
            plain = f"{column}.str.replace(r'[^0-9.-]', '', regex=True)"
        return f"pd.to_numeric({plain}, errors='coerce')"
    dates = [value for value in values if _DATE.fullmatch(value)]
    forms = {_shape(value) for value in dates}
    if len(dates) == len(values) and len(forms) > 1 and not any(form.startswith("9-9-9") for form in forms):
        day_first = ", dayfirst=True" if any(re.fullmatch(r"\d{1,2}\..*", value) for value in dates) else ""
        return f"pd.to_datetime({column}, format='mixed'{day_first})"
    return None


def _separator(lines: Sequence[str]) -> str | None:
    """Return the separator that cuts most lines into equally many fields."""
    sample = [line for line in lines[:200] if line.strip()]
    best: tuple[float, int, str] | None = None
    for separator in (",", ";", "\t", "|"):
        counts = Counter(line.count(separator) for line in sample)
        counts.pop(0, None)
        if counts:
            fields, agreeing = max(counts.items(), key=lambda item: (item[1], item[0]))
            candidate = (agreeing / len(sample), fields, separator)
            best = max(best, candidate) if best else candidate
    return best[2] if best and best[0] > 0.5 else None


def _values(values: Iterable[str]) -> str:
    given = list(values)
    missing = [value for value in given if value.strip().lower() in _MISSING]
    present = [value for value in given if value.strip().lower() not in _MISSING]
    told = _present(present)
    if missing:
        written = ", ".join(repr(value) for value in sorted(set(missing))[:3])
        told.append(f"{len(missing)} missing ({written})")
    return "; ".join(told) or "nothing"


def _present(values: Sequence[str]) -> list[str]:
    if not values:
        return []
    numbers = [value for value in values if _is_number(value)]
    if len(numbers) == len(values):
        low, high = min(numbers, key=float), max(numbers, key=float)
        return [f"numbers from {low.strip()} to {high.strip()}"]
    distinct = Counter(values)
    if len(distinct) <= _CATEGORIES_TOLD:
        return ["text: " + ", ".join(f"{_example(value)} ({count})" for value, count in distinct.most_common())]
    shapes: dict[str, list[str]] = {}
    for value in values:
        shapes.setdefault("number" if _is_number(value) else _shape(value), []).append(value)
    ordered = sorted(shapes.values(), key=len, reverse=True)
    if len(ordered) > 3 * _SHAPES_TOLD and len(ordered) > len(distinct) / 10:
        return [f"text such as {_example(values[0])}"]  # names, sentences: shapes say nothing there
    kinds = ["numbers like" if _is_number(group[0]) else "like" for group in ordered]
    told = [f"{len(group)} {kind} {_example(group[0])}" for group, kind in zip(ordered, kinds, strict=True)][
        :_SHAPES_TOLD
    ]
    if len(ordered) > _SHAPES_TOLD:
        told.append(f"{sum(map(len, ordered[_SHAPES_TOLD:]))} others like {_example(ordered[-1][0])}")
    return told


def _shape(value: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "9", value))


def _is_number(value: str) -> bool:
    return re.fullmatch(r"\s*[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?\s*", value) is not None


def _example(value: str) -> str:
    return repr(value if len(value) <= _EXAMPLE_CHARACTERS else value[:_EXAMPLE_CHARACTERS] + "…")

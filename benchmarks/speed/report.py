"""The figures as one table, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from benchmarks.speed.measure import Row

_HEAD = ("what", "ours", "beside", "ratio (95 %)", "target", "met", "n", "remarks")


def table(rows: Sequence[Row]) -> str:
    """Return a Markdown table whose columns are aligned for reading as it is."""
    cells = [_HEAD, *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    widths[-1] = len(_HEAD[-1])  # the last column may be as long as it likes
    lines = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) + " |" for row in cells
    ]
    rule = "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def machine(parts: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {value}" for name, value in parts.items())


def as_json(rows: Sequence[Row], parts: Mapping[str, str], quick: bool) -> str:
    return json.dumps(
        {"quick": quick, "machine": dict(parts), "rows": [{**asdict(row), "met": row.met} for row in rows]}, indent=1
    )


def _cells(row: Row) -> tuple[str, ...]:
    ours = f"{_figure(row.ours)} {row.unit}"
    if row.spread is not None:
        ours += f" ({_figure(row.spread[0])} to {_figure(row.spread[1])})"
    beside = "" if row.theirs is None else f"{row.other}: {_figure(row.theirs)} {row.unit}"
    ratio = "" if row.ratio is None else f"{row.ratio.value:.2f} ({row.ratio.low:.2f} to {row.ratio.high:.2f})"
    unit = "×" if row.ratio is not None else f" {row.unit}"
    target = "" if row.target is None else f"{row.target.bound} {row.target.value:g}{unit}"
    met = {None: "", True: "yes", False: "NO"}[row.met]
    return row.name, ours, beside, ratio, target, met, str(row.count), row.note


def _figure(value: float) -> str:
    return (
        f"{value:.0f}"
        if abs(value) >= 100 or value == int(value)
        else f"{value:.2f}"
        if abs(value) < 10
        else f"{value:.1f}"
    )

"""Tasks whose first attempt cannot know what it would have to know."""

from __future__ import annotations

import sqlite3
from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def library(folder: Path) -> tuple[Need, ...]:
    base = sqlite3.connect(folder / "library.db")
    query = "select sum(fine_cents) from loan join member on member.id = member_id where town = 'Gotha'"
    (cents,) = base.execute(query).fetchone()
    base.close()
    return (Number(Fraction(cents, 100), 2),)


def polars(folder: Path) -> tuple[Need, ...]:
    values = sorted(Fraction(row["value"]) for row in rows_of(folder / "readings.csv"))
    trimmed = values[40:-40]
    return (Number(sum(trimmed, Fraction(0)) / len(trimmed), 3),)


TASKS = (
    single(
        "library",
        "surprises",
        "library.db is the SQLite database of our library. What are the fines of the members from Gotha in total, in "
        "euros with two decimals? I do not know how its tables are built: look at them first.",
        ("library.db",),
        library,
    ),
    single(
        "polars",
        "surprises",
        "Use polars to read readings.csv, leave out the 40 smallest and the 40 greatest numbers of the column value, "
        "and give me the mean of the rest with three decimals. If polars cannot be had, any other way is fine.",
        ("readings.csv",),
        polars,
    ),
)

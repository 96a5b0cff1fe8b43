"""More plain jobs on clean files: a sum, a mean, a figure, a file."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.realuse.files import Cell, Picture, Table
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import everyday
from benchmarks.realuse.tasks.conversion import write_table
from benchmarks.realuse.tasks.everyday.surprises import mean
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number, Word


def rooms(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(int(row["rooms"]) for row in rows_of(folder / "hotels.csv"))),)


def italy(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "hotels.csv")
    return (Number(mean([Fraction(row["price"]) for row in rows if row["country"] == "Italy"]), 2),)


def points(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(int(row["points"]) for row in rows_of(folder / "scores.csv") if row["team"] == "red")),)


def dearest(folder: Path) -> tuple[Need, ...]:
    row = max(rows_of(folder / "catalogue.csv"), key=lambda row: Fraction(row["price"]))
    return (Word(row["name"]), Number(Fraction(row["price"]), 2))


def average_month(folder: Path) -> tuple[Need, ...]:
    return (Number(mean([Fraction(row["sales"]) for row in rows_of(folder / "months.csv")]), 2),)


def distance(folder: Path) -> tuple[Need, ...]:
    return (Number(sum((Fraction(row["km"]) for row in rows_of(folder / "rides.csv")), Fraction(0)), 1),)


def foxes(folder: Path) -> tuple[Need, ...]:
    clubs = {row["runner"]: row["club"] for row in rows_of(folder / "runners.csv")}
    laps = rows_of(folder / "laps.csv")
    return (Number(sum((Fraction(r["minutes"]) for r in laps if clubs[r["runner"]] == "Foxes"), Fraction(0)), 2),)


def scatter(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "people.csv")
    figure = Figure()
    figure.subplots().scatter([float(row["height"]) for row in rows], [float(row["weight"]) for row in rows])
    figure.savefig(folder / "people.png")
    return (Picture("people.png"),)


def semicolons(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "hotels.csv")
    table: list[list[Cell]] = [[*row] for row in (rows[0], *(row.values() for row in rows))]
    write_table(folder / "semicolons.csv", table, ";")
    return (Table("semicolons.csv", table, ";"),)


def largest_first(folder: Path) -> tuple[Need, ...]:
    rows = sorted(rows_of(folder / "planets.csv"), key=lambda row: -int(row["diameter"]))
    table: list[list[Cell]] = [[*row] for row in (rows[0], *(row.values() for row in rows))]
    write_table(folder / "sorted.csv", table)
    return (Table("sorted.csv", table),)


def wages(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(int(row["工资"]) for row in rows_of(folder / "员工.csv"))),)


TASKS = (
    everyday(
        "everyday-rooms", "tables", "How many rooms do the hotels in hotels.csv have in total?", ("hotels.csv",), rooms
    ),
    everyday(
        "everyday-italy",
        "tables",
        "What is the mean price of the hotels in Italy in hotels.csv? Two decimals.",
        ("hotels.csv",),
        italy,
    ),
    everyday(
        "everyday-points",
        "tables",
        "How many points did the red team score in total in scores.csv?",
        ("scores.csv",),
        points,
    ),
    everyday(
        "everyday-dearest",
        "tables",
        "Which product in catalogue.csv has the highest price, and what is the price?",
        ("catalogue.csv",),
        dearest,
    ),
    everyday(
        "everyday-average-month",
        "tables",
        "What is the mean of the sales in months.csv? Two decimals.",
        ("months.csv",),
        average_month,
    ),
    everyday(
        "everyday-distance",
        "tables",
        "How many km are all the rides in rides.csv together? One decimal.",
        ("rides.csv",),
        distance,
    ),
    everyday(
        "everyday-foxes",
        "joins",
        "Join laps.csv and runners.csv on the column runner. What is the sum of minutes for the club Foxes? Two "
        "decimals.",
        ("laps.csv", "runners.csv"),
        foxes,
    ),
    everyday(
        "everyday-scatter",
        "plots",
        "Draw a scatter plot of height and weight from people.csv and save it as people.png.",
        ("people.csv",),
        scatter,
    ),
    everyday(
        "everyday-semicolons",
        "conversion",
        "Save hotels.csv with semicolons instead of commas as semicolons.csv.",
        ("hotels.csv",),
        semicolons,
    ),
    everyday(
        "everyday-sorted",
        "conversion",
        "Sort planets.csv by diameter, the largest first, and save it as sorted.csv.",
        ("planets.csv",),
        largest_first,
    ),
    everyday("everyday-wages", "tables", "员工.csv里所有人的工资总和是多少?", ("员工.csv",), wages, "zh"),
)

"""Several messages, the later ones about what the earlier ones made."""

from __future__ import annotations

from collections import defaultdict
from fractions import Fraction
from pathlib import Path
from statistics import median

from matplotlib.figure import Figure

from benchmarks.realuse.files import Cell, Picture, Table
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import Task, Turn
from benchmarks.realuse.tasks.conversion import write_table
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def passengers(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "passengers.csv")
    ages = defaultdict(list)
    for row in rows:
        if row["age"]:
            ages[row["class"]].append(float(row["age"]))
    filled = [(row, float(row["age"]) if row["age"] else median(ages[row["class"]])) for row in rows]
    mean = sum(age for _, age in filled) / len(filled)
    older = [(row, age) for row, age in filled if age > mean]
    table: list[list[Cell]] = [["name", "class", "age", "fare"]]
    table += [[row["name"], int(row["class"]), age, float(row["fare"])] for row, age in older]
    write_table(folder / "older.csv", table)
    return (Table("older.csv", table), Number(sum((Fraction(row["fare"]) for row, _ in older), Fraction(0)), 2))


def euros(folder: Path) -> tuple[Need, ...]:
    months: defaultdict[str, Fraction] = defaultdict(Fraction)
    for row in rows_of(folder / "revenue.csv"):
        months[row["date"][:7]] += Fraction(row["dollars"]) * Fraction("0.9137")
    figure = Figure()
    figure.subplots().bar(list(months), [float(total) for total in months.values()])
    figure.savefig(folder / "euros.png")
    return (Picture("euros.png"), Number(max(months.values()) - min(months.values()), 2, within=0.015))


def valid(isbn: str) -> bool:
    digits = isbn.replace("-", "")
    values = [10 if digit == "X" else int(digit) for digit in digits]
    return sum((10 - place) * value for place, value in enumerate(values)) % 11 == 0


def isbns(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(map(valid, (folder / "isbns.txt").read_text().split()))),)


TASKS = (
    Task(
        "passengers",
        "follow-ups",
        (
            Turn("Load passengers.csv into a table. How many passengers have no age?", ("passengers.csv",)),
            Turn("Fill each missing age with the median age of the passenger's class. What is the mean age now?"),
            Turn(
                "Save the passengers that are older than this mean as older.csv, in the order of the table and with "
                "the columns name, class, age and fare. How much did they pay in total? Two decimals."
            ),
        ),
        passengers,
    ),
    Task(
        "euros",
        "follow-ups",
        (
            Turn("revenue.csv has the revenue of each day in dollars. Add it up by month.", ("revenue.csv",)),
            Turn(
                "Now in euros, please: a dollar is 0.9137 euros. Draw the months as bars and save that as euros.png. "
                "What is the difference between the best and the worst month in euros? Two decimals."
            ),
        ),
        euros,
    ),
    Task(
        "isbns",
        "follow-ups",
        (
            Turn(
                "Write a function is_isbn10(text). Hyphens do not count; what remains are ten characters, digits, "
                "the last one may be an X and then stands for 10. It is valid if 10 times the first plus 9 times the "
                "second and so on down to 1 times the last is divisible by 11. Test it: 0-306-40615-2 is valid, "
                "0-306-40615-3 is not."
            ),
            Turn("How many lines of isbns.txt are valid by that function?", ("isbns.txt",)),
        ),
        isbns,
    ),
)

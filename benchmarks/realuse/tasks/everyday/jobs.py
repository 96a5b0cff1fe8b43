"""Plain jobs: a figure, a file into another, a text, chance, a small function."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from itertools import product
from pathlib import Path

import openpyxl
from matplotlib.figure import Figure

from benchmarks.realuse.files import Json, Lines, Picture, Table
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import everyday
from benchmarks.realuse.tasks.conversion import write_table
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def lap_histogram(folder: Path) -> tuple[Need, ...]:
    minutes = [Fraction(row["minutes"]) for row in rows_of(folder / "laps.csv")]
    figure = Figure()
    figure.subplots().hist([float(value) for value in minutes])
    figure.savefig(folder / "laps.png")
    return (Picture("laps.png"), Number(sum(minutes, Fraction(0)) / len(minutes), 3))


def months(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "months.csv")
    figure = Figure()
    figure.subplots().plot([row["month"] for row in rows], [int(row["sales"]) for row in rows])
    figure.savefig(folder / "months.png")
    return (Picture("months.png"),)


def planets(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "planets.csv")
    content = [{"name": r["name"], "diameter": int(r["diameter"]), "moons": int(r["moons"])} for r in rows]
    (folder / "planets.json").write_text(json.dumps(content))
    return (Json("planets.json", content),)


def menu(folder: Path) -> tuple[Need, ...]:
    rows = [list(row) for row in openpyxl.load_workbook(folder / "menu.xlsx").active.iter_rows(values_only=True)]
    write_table(folder / "menu.csv", rows)
    return (Table("menu.csv", rows),)


def letter(folder: Path) -> tuple[Need, ...]:
    return (Number(len((folder / "letter.txt").read_text().split())),)


def notes(folder: Path) -> tuple[Need, ...]:
    found = sorted(re.findall(r"\S+@\S+", (folder / "notes.txt").read_text()))
    (folder / "addresses.txt").write_text("\n".join(found))
    return (Lines("addresses.txt", found),)


def three_dice(_: Path) -> tuple[Need, ...]:
    throws = list(product(range(1, 7), repeat=3))
    hits = sum(sum(throw) >= 15 for throw in throws)
    # Three standard deviations of 200,000 throws, in percent, and the rounding.
    return (Number(Fraction(100 * hits, len(throws)), 2, percent=True, within=0.2),)


def palindromes(_: Path) -> tuple[Need, ...]:
    return (Number(sum(str(number) == str(number)[::-1] for number in range(1, 100_000))),)


TASKS = (
    everyday(
        "everyday-histogram",
        "plots",
        "Draw a histogram of the column minutes in laps.csv, save it as laps.png and tell me the mean. Three decimals.",
        ("laps.csv",),
        lap_histogram,
    ),
    everyday(
        "everyday-months",
        "plots",
        "Draw the sales by month from months.csv as a line chart and save it as months.png.",
        ("months.csv",),
        months,
    ),
    everyday(
        "everyday-planets",
        "conversion",
        "Convert planets.csv to planets.json, as a list with one object for each row.",
        ("planets.csv",),
        planets,
    ),
    everyday("everyday-menu", "conversion", "Convert menu.xlsx to menu.csv.", ("menu.xlsx",), menu),
    everyday("everyday-letter", "text", "How many words are there in letter.txt?", ("letter.txt",), letter),
    everyday(
        "everyday-notes",
        "text",
        "Find all email addresses in notes.txt and save them, sorted and one in each line, as addresses.txt.",
        ("notes.txt",),
        notes,
    ),
    everyday(
        "everyday-three-dice",
        "simulation",
        "Simulate 200,000 throws of three dice with a fixed seed. In what percentage of them is the sum at least 15? "
        "Two decimals.",
        (),
        three_dice,
    ),
    everyday(
        "everyday-palindromes",
        "algorithms",
        "Write a function is_palindrome(n) for numbers; it must pass\n\n"
        "assert is_palindrome(1221)\n"
        "assert not is_palindrome(123)\n\n"
        "How many numbers from 1 to 99999 are palindromes?",
        (),
        palindromes,
    ),
)

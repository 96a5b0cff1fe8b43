"""Two messages each, the second one about what the first one made."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.files import Cell, Table
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import Task, Turn
from benchmarks.realuse.tasks.conversion import write_table
from benchmarks.realuse.tasks.everyday.surprises import mean
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def primes(_: Path) -> tuple[Need, ...]:
    return (Number(sum(n for n in range(2, 3000) if all(n % d for d in range(2, int(n**0.5) + 1)))),)


def balance(_: Path) -> tuple[Need, ...]:
    return (Number(Fraction(2500) * Fraction("1.031") ** 18, 2),)


def rides(folder: Path) -> tuple[Need, ...]:
    fares = [row["fare"] for row in rows_of(folder / "rides.csv")]
    return (Number(mean([Fraction(fare) for fare in fares if fare != "cash"]), 3),)


def hotels(folder: Path) -> tuple[Need, ...]:
    rows = [row for row in rows_of(folder / "hotels.csv") if row["country"] == "Spain"]
    table: list[list[Cell]] = [["hotel", "country", "rooms", "price"]]
    table += [[row["hotel"], row["country"], int(row["rooms"]), int(row["price"])] for row in rows]
    write_table(folder / "spain.csv", table)
    return (Table("spain.csv", table),)


TASKS = (
    Task(
        "everyday-primes",
        "follow-ups",
        (Turn("Make a list of all prime numbers below 3000. How many are there?"), Turn("What is their sum?")),
        primes,
        suite="everyday",
    ),
    Task(
        "everyday-balance",
        "follow-ups",
        (
            Turn(
                "Write a function balance(start, rate, years) for yearly compound interest, with the rate in percent."
            ),
            Turn("What is balance(2500, 3.1, 18)? Two decimals."),
        ),
        balance,
        suite="everyday",
    ),
    Task(
        "everyday-rides",
        "follow-ups",
        (
            Turn("Load rides.csv. How many rides are there?", ("rides.csv",)),
            Turn("What is the mean fare? Leave out rides without a fare in numbers. Three decimals."),
        ),
        rides,
        suite="everyday",
    ),
    Task(
        "everyday-hotels",
        "follow-ups",
        (
            Turn("Load hotels.csv and keep only the hotels in Spain. How many are there?", ("hotels.csv",)),
            Turn("Save these as spain.csv, with all columns."),
        ),
        hotels,
        suite="everyday",
    ),
)

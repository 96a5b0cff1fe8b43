"""Short questions about numbers and about clean tables, one step each."""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from fractions import Fraction
from pathlib import Path
from statistics import correlation, median

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import everyday
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number, Word


def power(_: Path) -> tuple[Need, ...]:
    return (Number(2**150 - 3**60),)


def savings(_: Path) -> tuple[Need, ...]:
    return (Number(Fraction(7350) * Fraction(10285, 10000) ** 14, 2),)


def days(_: Path) -> tuple[Need, ...]:
    return (Number((date(2025, 11, 3) - date(1987, 4, 18)).days),)


def staff(folder: Path) -> tuple[Need, ...]:
    salaries = [int(row["salary"]) for row in rows_of(folder / "staff.csv") if row["department"] == "Sales"]
    return (Number(Fraction(median(salaries)), 1),)


def temperatures(folder: Path) -> tuple[Need, ...]:
    cities: defaultdict[str, list[Fraction]] = defaultdict(list)
    for row in rows_of(folder / "temperatures.csv"):
        cities[row["city"]].append(Fraction(row["celsius"]))
    means = {city: sum(values, Fraction(0)) / len(values) for city, values in cities.items()}
    warmest = max(means, key=lambda city: means[city])
    return (Word(warmest), Number(means[warmest], 2))


def heights(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "people.csv")
    return (Number(correlation([float(r["height"]) for r in rows], [float(r["weight"]) for r in rows]), 4),)


def basket(folder: Path) -> tuple[Need, ...]:
    prices = {row["product_id"]: Fraction(row["price"]) for row in rows_of(folder / "catalogue.csv")}
    rows = rows_of(folder / "basket.csv")
    return (Number(sum((prices[row["product_id"]] * int(row["quantity"]) for row in rows), Fraction(0)), 2),)


def laps(folder: Path) -> tuple[Need, ...]:
    clubs = {row["runner"]: row["club"] for row in rows_of(folder / "runners.csv")}
    minutes = [Fraction(row["minutes"]) for row in rows_of(folder / "laps.csv") if clubs[row["runner"]] == "Harriers"]
    return (Number(sum(minutes, Fraction(0)) / len(minutes), 3),)


TASKS = (
    everyday("everyday-power", "arithmetic", "What is 2 to the power of 150 minus 3 to the power of 60?", (), power),
    everyday(
        "everyday-savings",
        "arithmetic",
        "I put 7350 euros into a savings account at 2.85 % interest a year, compounded yearly. How much is it after "
        "14 years? Two decimals.",
        (),
        savings,
    ),
    everyday("everyday-days", "arithmetic", "How many days are there from 18 April 1987 to 3 November 2025?", (), days),
    everyday(
        "everyday-staff",
        "tables",
        "What is the median salary in the department Sales in staff.csv?",
        ("staff.csv",),
        staff,
    ),
    everyday(
        "everyday-temperatures",
        "tables",
        "Which city in temperatures.csv has the highest mean of celsius, and what is that mean? Two decimals.",
        ("temperatures.csv",),
        temperatures,
    ),
    everyday(
        "everyday-heights",
        "tables",
        "What is the correlation between height and weight in people.csv? Four decimals.",
        ("people.csv",),
        heights,
    ),
    everyday(
        "everyday-basket",
        "joins",
        "basket.csv has product ids and quantities, catalogue.csv the prices. What does the basket cost in total? Two "
        "decimals.",
        ("basket.csv", "catalogue.csv"),
        basket,
    ),
    everyday(
        "everyday-laps",
        "joins",
        "laps.csv has the lap times, runners.csv the club of each runner. What is the mean of minutes for the club "
        "Harriers? Three decimals.",
        ("laps.csv", "runners.csv"),
        laps,
    ),
)

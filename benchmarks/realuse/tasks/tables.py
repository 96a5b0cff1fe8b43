"""Questions about one table."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.values import Day, Number


def rows_of(path: Path, separator: str = ",", encoding: str = "utf-8") -> list[dict[str, str]]:
    with path.open(encoding=encoding, newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def orders(folder: Path) -> tuple[Need, ...]:
    total = Fraction(0)
    for row in rows_of(folder / "orders.csv"):
        price = row["price"].replace("$", "").replace(",", "")
        if price.replace(".", "").isdigit() and row["quantity"]:
            total += Fraction(price) * int(row["quantity"])
    return (Number(total, 2),)


def day_of(text: str) -> date:
    for form in ("%d.%m.%Y", "%d %b %Y", "%b %d, %Y"):
        try:
            return datetime.strptime(text, form).date()
        except ValueError:
            continue
    raise ValueError(text)


def payments(folder: Path) -> tuple[Need, ...]:
    rows = [(day_of(row["date"]), Fraction(row["amount"])) for row in rows_of(folder / "payments.csv")]
    return (Number(sum((amount for day, amount in rows if (day.year, day.month) == (2024, 3)), Fraction(0)), 2),)


def signups(folder: Path) -> tuple[Need, ...]:
    return (Number(len({row["email"].strip().lower() for row in rows_of(folder / "signups.csv")})),)


def expenses(folder: Path) -> tuple[Need, ...]:
    totals: defaultdict[str, Fraction] = defaultdict(Fraction)
    for row in rows_of(folder / "expenses.csv"):
        totals[row["Department "]] += Fraction(row["Amount "])
    return (Number(max(totals.values()) - min(totals.values()), 2),)


def survey(folder: Path) -> tuple[Need, ...]:
    answers = [row["satisfied"] for row in rows_of(folder / "survey.tsv", "\t") if 30 <= int(row["age"]) <= 49]
    return (Number(Fraction(100 * answers.count("yes"), len(answers)), 2, percent=True),)


def towns(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "towns.csv", encoding="cp1252")
    people = sum(int(row["population"]) for row in rows)
    return (Number(people / sum(Fraction(row["area_km2"]) for row in rows), 2),)


def weather(folder: Path) -> tuple[Need, ...]:
    best, length, end = 0, 0, date.min
    runs = []
    for row in rows_of(folder / "weather.csv"):
        length = length + 1 if float(row["rain_mm"]) == 0 else 0
        runs.append(length)
        if length > best:
            best, end = length, date.fromisoformat(row["date"])
    assert runs.count(best) == 1  # one run is the longest
    return (Number(best, name="days"), Day(end - timedelta(days=best - 1)))


TASKS = (
    single(
        "orders",
        "tables",
        "What is the total revenue in orders.csv (price times quantity), in dollars with two decimals? Leave out the "
        "orders that have no usable price or no quantity.",
        ("orders.csv",),
        orders,
    ),
    single(
        "payments",
        "tables",
        "How much money came in during March 2024 according to payments.csv? Give the sum with two decimals. The "
        "dates were typed by several people; those like 05.03.2024 are day.month.year.",
        ("payments.csv",),
        payments,
    ),
    single(
        "signups",
        "tables",
        "How many different people are there in signups.csv? Two lines are the same person if their email is the "
        "same apart from capital letters and spaces around it.",
        ("signups.csv",),
        signups,
    ),
    single(
        "expenses",
        "tables",
        "Add up the expenses of each department in expenses.csv. By how much does the department that spent the most "
        "exceed the one that spent the least? Two decimals.",
        ("expenses.csv",),
        expenses,
    ),
    single(
        "survey",
        "tables",
        "In survey.tsv, what percentage of the people aged 30 to 49 (both included) are satisfied? Two decimals.",
        ("survey.tsv",),
        survey,
    ),
    single(
        "towns",
        "tables",
        "What is the population density over all the towns in towns.csv together, that is the total population "
        "divided by the total area? Two decimals.",
        ("towns.csv",),
        towns,
    ),
    single(
        "weather",
        "tables",
        "Find the longest run of consecutive days without rain (rain_mm is 0) in weather.csv. How many days was it, "
        "and on which date did it begin?",
        ("weather.csv",),
        weather,
    ),
)

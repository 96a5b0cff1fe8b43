"""Questions that need two files."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import openpyxl

from benchmarks.realuse.files import Lines
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def guest_orders(folder: Path) -> tuple[Need, ...]:
    country = {row["customer_id"]: row["country"] for row in rows_of(folder / "customers.csv")}
    german = known = Fraction(0)
    for row in rows_of(folder / "shop_orders.csv"):
        if row["customer_id"] in country:
            known += Fraction(row["total"])
            german += Fraction(row["total"]) * (country[row["customer_id"]] == "DE")
    return (Number(100 * german / known, 2, percent=True),)


def sheet_prices(folder: Path) -> tuple[Need, ...]:
    book = openpyxl.load_workbook(folder / "products.xlsx")
    price = {row[0]: Fraction(str(row[1])) for row in book["Prices"].iter_rows(min_row=2, values_only=True)}
    garden = {row[0] for row in book["Products"].iter_rows(min_row=2, values_only=True) if row[2] == "garden"}
    sold = rows_of(folder / "sales.csv")
    return (
        Number(sum((price[row["sku"]] * int(row["units"]) for row in sold if row["sku"] in garden), Fraction(0)), 2),
    )


def homework(folder: Path) -> tuple[Need, ...]:
    best: dict[str, int] = {}
    for row in rows_of(folder / "submissions.csv"):
        best[row["student_id"]] = max(int(row["points"]), best.get(row["student_id"], 0))
    ids = {row["student_id"] for row in rows_of(folder / "students.csv")}
    missing = sorted(ids - best.keys())
    (folder / "missing.txt").write_text("\n".join(missing) + "\n")
    return (Lines("missing.txt", missing), Number(Fraction(sum(best.values()), len(best)), 2, name="mean"))


TASKS = (
    single(
        "guest-orders",
        "joins",
        "Join shop_orders.csv with customers.csv on customer_id. What percentage of the revenue (column total) of the "
        "registered customers comes from Germany (country DE)? Guests are not registered: leave their orders out. "
        "Two decimals.",
        ("shop_orders.csv", "customers.csv"),
        guest_orders,
    ),
    single(
        "sheet-prices",
        "joins",
        "products.xlsx has the sheets Products (sku, name, category) and Prices (sku, price); sales.csv says how many "
        "units of each sku were sold. What revenue did the category garden make in total? Two decimals.",
        ("products.xlsx", "sales.csv"),
        sheet_prices,
    ),
    single(
        "homework",
        "joins",
        "students.csv lists the students, submissions.csv what they handed in; some handed in twice, then their best "
        "points count. Write the student_id of everyone who handed in nothing into missing.txt, one a line in "
        "ascending order. And what is the mean of the points of those who did hand in? Two decimals.",
        ("students.csv", "submissions.csv"),
        homework,
    ),
)

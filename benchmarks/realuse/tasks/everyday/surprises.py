"""Short questions about files with one thing wrong, which an error brings to light."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.files import Cell, Markdown, Table
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import everyday
from benchmarks.realuse.tasks.conversion import write_table
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def mean(values: list[Fraction]) -> Fraction:
    return sum(values, Fraction(0)) / len(values)


def parcels(folder: Path) -> tuple[Need, ...]:
    weights = [row["weight"] for row in rows_of(folder / "parcels.csv")]
    return (Number(mean([Fraction(weight) for weight in weights if weight != "unknown"]), 3),)


def donations(folder: Path) -> tuple[Need, ...]:
    return (Number(sum((Fraction(row["amount "]) for row in rows_of(folder / "donations.csv")), Fraction(0)), 2),)


def joined(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(row["joined"].startswith("2022") for row in rows_of(folder / "joined.csv"))),)


def orders(folder: Path) -> tuple[Need, ...]:
    rows = json.loads((folder / "orders.json").read_text(), parse_float=Fraction)
    totals = [Fraction(row["total"]) for row in rows if row.get("customer", {}).get("city") == "Porto"]
    return (Number(sum(totals, Fraction(0)), 2),)


def fees(folder: Path) -> tuple[Need, ...]:
    towns = {row["member"]: row["town"] for row in rows_of(folder / "members.csv")}
    paid = [Fraction(row["amount"]) for row in rows_of(folder / "fees.csv") if towns.get(row["member"]) == "Leeds"]
    return (Number(sum(paid, Fraction(0)), 2),)


def counts(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(int(line) for line in (folder / "counts.txt").read_text().split("\n") if line.isdigit())),)


def books(folder: Path) -> tuple[Need, ...]:
    root = ElementTree.parse(folder / "books.xml").getroot()
    return (Number(mean([Fraction(price.text or "") for price in root.iter("price")]), 2),)


def chat(folder: Path) -> tuple[Need, ...]:
    rows = [json.loads(line) for line in (folder / "chat.json").read_text().splitlines()]
    table: list[list[Cell]] = [["id", "author", "text"]]
    table += [[row["id"], row["author"], row["text"]] for row in rows]
    write_table(folder / "chat.csv", table)
    return (Table("chat.csv", table),)


def teams(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "teams.csv")
    table: list[list[Cell]] = [["team", "wins", "goals"]]
    table += [[row["team"], int(row["wins"]), int(row["goals"])] for row in rows]
    lines = ["| " + " | ".join(map(str, row)) + " |" for row in table]
    (folder / "teams.md").write_text("\n".join([lines[0], "|---|---|---|", *lines[1:]]))
    return (Markdown("teams.md", table),)


TASKS = (
    everyday(
        "everyday-parcels",
        "tables",
        "What is the mean weight in parcels.csv? Parcels without a weight do not count. Three decimals.",
        ("parcels.csv",),
        parcels,
    ),
    everyday(
        "everyday-donations",
        "tables",
        "What is the sum of the column amount in donations.csv? Two decimals.",
        ("donations.csv",),
        donations,
    ),
    everyday(
        "everyday-joined",
        "tables",
        "How many members in joined.csv joined in 2022? Convert the column joined to dates first.",
        ("joined.csv",),
        joined,
    ),
    everyday(
        "everyday-orders",
        "tables",
        "orders.json is a list of orders. What is the sum of total for the customers from the city Porto? Two "
        "decimals.",
        ("orders.json",),
        orders,
    ),
    everyday(
        "everyday-fees",
        "joins",
        "Join fees.csv and members.csv on the column member. How much did the members from the town Leeds pay in "
        "total? Two decimals.",
        ("fees.csv", "members.csv"),
        fees,
    ),
    everyday(
        "everyday-counts",
        "text",
        "counts.txt has a number in each line. What is the sum of the numbers?",
        ("counts.txt",),
        counts,
    ),
    everyday(
        "everyday-books",
        "surprises",
        "Read books.xml with pandas. What is the mean price of the books? Two decimals.",
        ("books.xml",),
        books,
    ),
    everyday("everyday-chat", "conversion", "Convert chat.json to chat.csv.", ("chat.json",), chat),
    everyday(
        "everyday-teams",
        "conversion",
        "Turn the table in teams.csv into a Markdown table and save it as teams.md.",
        ("teams.csv",),
        teams,
    ),
)

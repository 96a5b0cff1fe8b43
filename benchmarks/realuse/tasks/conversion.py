"""Files into other files."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import openpyxl

from benchmarks.realuse.files import Cell, Json, Sheets, Table
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of


def write_table(path: Path, rows: Sequence[Sequence[Cell]], separator: str = ",") -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=separator).writerows(rows)


def books(folder: Path) -> tuple[Need, ...]:
    genres: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows_of(folder / "books.csv"):
        book = {
            "title": row["title"],
            "author": row["author"],
            "year": int(row["year"]),
            "price": float(row["price"]),
        }
        genres[row["genre"]].append(book)
    (folder / "books.json").write_text(json.dumps(genres))
    return (Json("books.json", dict(genres)),)


def accounts(folder: Path) -> tuple[Need, ...]:
    header: list[Cell] = ["date", "partner", "amount"]
    sheets: dict[str, Sequence[Sequence[Cell]]] = {}
    book = openpyxl.Workbook()
    book.remove(book.active)
    for kind in ("income", "expense"):
        chosen = [row for row in rows_of(folder / "accounts.csv") if row["kind"] == kind]
        rows: list[list[Cell]] = [header]
        rows += [[row["date"], row["partner"], float(row["amount"])] for row in chosen]
        sheet = book.create_sheet(kind)
        for row in rows:
            sheet.append(row)
        sheets[kind] = rows
    book.save(folder / "accounts.xlsx")
    return (Sheets("accounts.xlsx", sheets),)


def budget(folder: Path) -> tuple[Need, ...]:
    sheet = openpyxl.load_workbook(folder / "budget.xlsx").active
    lines = [list(row) for row in sheet.iter_rows(values_only=True)]
    rows = [line for line in lines if line[1] is not None and line[0] != "Total"]
    write_table(folder / "budget.csv", rows, ";")
    return (Table("budget.csv", rows, ";"),)


def events(folder: Path) -> tuple[Need, ...]:
    rows: list[list[Cell]] = [["id", "name", "city", "amount"]]
    for line in (folder / "events.json").read_text().splitlines():
        event = json.loads(line)
        rows.append([event["id"], event["user"]["name"], event["user"].get("city", ""), event["amount"]])
    write_table(folder / "events.csv", rows)
    return (Table("events.csv", rows),)


TASKS = (
    single(
        "books",
        "conversion",
        "Convert books.csv to books.json: one object whose keys are the genres, and whose values are lists of the "
        "books of that genre, in the order of the file, each an object with title, author, year and price. Year and "
        "price must be numbers.",
        ("books.csv",),
        books,
    ),
    single(
        "accounts",
        "conversion",
        "Make an Excel file accounts.xlsx out of accounts.csv, with two sheets named income and expense. Each has the "
        "columns date, partner and amount, and the rows of that kind in the order of the file. Leave the date as "
        "text as it stands; the amounts must be numbers.",
        ("accounts.csv",),
        accounts,
    ),
    single(
        "budget",
        "conversion",
        "Convert budget.xlsx to budget.csv with semicolons between the columns. The first line must be the header "
        "Item;Q1;Q2;Q3;Q4. Leave out the title above the table and the line of totals.",
        ("budget.xlsx",),
        budget,
    ),
    single(
        "events",
        "conversion",
        "Turn events.json into a flat table events.csv with exactly the columns id, name, city and amount, in the "
        "order of the file. Leave the city empty where there is none.",
        ("events.json",),
        events,
    ),
)

"""Workbooks and a database, and what goes with them."""

from __future__ import annotations

import io
import sqlite3
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import openpyxl

from benchmarks.realuse.generate.shapes import NAMES, Maker, delimited, listed, rng


def _saved(book: openpyxl.Workbook) -> bytes:
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def products() -> bytes:
    """Names on one sheet, prices on the other."""
    chance = rng("products.xlsx")
    book = openpyxl.Workbook()
    names, prices = book.active, book.create_sheet("Prices")
    names.title = "Products"
    names.append(["sku", "name", "category"])
    prices.append(["sku", "price"])
    for row in range(1, 31):
        category = chance.choice(["garden", "kitchen", "office"])
        names.append([f"A{row:03}", f"{category} item {row}", category])
        prices.append([f"A{row:03}", chance.randrange(250, 12900) / 100])
    return _saved(book)


def sales() -> bytes:
    chance = rng("sales.csv")
    rows = []
    for row in range(200):
        day = date(2024, 2, 1) + timedelta(days=row // 3)
        rows.append([day, f"A{chance.randrange(1, 31):03}", chance.randrange(1, 15)])
    return delimited(["date", "sku", "units"], rows)


def budget() -> bytes:
    """A title and a blank line above the header, sums below."""
    chance = rng("budget.xlsx")
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Budget"
    sheet.append(["Budget of the sports club, in euros"])
    sheet.append([])
    sheet.append(["Item", "Q1", "Q2", "Q3", "Q4"])
    sums = [0, 0, 0, 0]
    for item in listed("Rent,Coaches,Balls,Jerseys,Travel,Insurance,Referees,Summer party,Website,Repairs", ","):
        amounts = [chance.randrange(80, 4200) for _ in range(4)]
        sums = [total + amount for total, amount in zip(sums, amounts, strict=True)]
        sheet.append([item, *amounts])
    sheet.append(["Total", *sums])
    return _saved(book)


def library() -> bytes:
    """Three tables; fines in cents, some not set."""
    chance = rng("library.db")
    towns = ["Marburg", "Gotha", "Passau"]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "library.db"
        base = sqlite3.connect(path)
        base.execute("create table member (id integer primary key, full_name text, town text)")
        base.execute("create table book (id integer primary key, title text)")
        base.execute(
            "create table loan (id integer primary key, member_id integer, book_id integer, taken text, "
            "fine_cents integer)"
        )
        people = [(number, name, chance.choice(towns)) for number, name in enumerate(NAMES, start=1)]
        base.executemany("insert into member values (?, ?, ?)", people)
        base.executemany("insert into book values (?, ?)", [(n, f"Volume {n}") for n in range(1, 31)])
        for number in range(1, 261):
            fine = chance.randrange(20, 1450) if chance.random() < 0.4 else None
            day = (date(2024, 1, 3) + timedelta(days=number)).isoformat()
            loan = (number, chance.randrange(1, 41), chance.randrange(1, 31), day, fine)
            base.execute("insert into loan values (?, ?, ?, ?, ?)", loan)
        base.commit()
        base.close()
        return path.read_bytes()


WORKBOOKS: Mapping[str, Maker] = {
    "products.xlsx": products,
    "sales.csv": sales,
    "budget.xlsx": budget,
    "library.db": library,
}

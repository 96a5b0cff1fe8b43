"""Programs that do not do what they should."""

from __future__ import annotations

from bisect import bisect_left
from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.files import Script
from benchmarks.realuse.generate.documents import BROKEN_REPORT
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def moving_average(_: Path) -> tuple[Need, ...]:
    values = [k * k % 17 for k in range(200)]
    windows = [values[start : start + 8] for start in range(len(values) - 8 + 1)]
    return (Number(sum((Fraction(sum(window), 8) for window in windows), Fraction(0)), 3),)


REPAIRED_REPORT = BROKEN_REPORT.replace(
    'values[row["category"]] += row["quantity"] * row["unit_price"]',
    'value = int(row["quantity"]) * float(row["unit_price"])\n'
    '            values[row["category"]] = values.get(row["category"], 0) + value',
).replace("sum(values)", "sum(values.values())")


def crashing_report(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "inventory.csv")
    total = sum((int(row["quantity"]) * Fraction(row["unit_price"]) for row in rows), Fraction(0))
    (folder / "report_fixed.py").write_text(REPAIRED_REPORT)
    return (Script("report_fixed.py", BROKEN_REPORT), Number(total, 2))


def endless_search(_: Path) -> tuple[Need, ...]:
    squares = [k * k for k in range(1000)]
    return (Number(sum(bisect_left(squares, wanted) for wanted in range(0, 100_000, 37))),)


def asking_program(_: Path) -> tuple[Need, ...]:
    capital = 2400.0
    for _year in range(17):
        capital += capital * 3.65 / 100
        capital += 130
    return (Number(capital, 2),)


TASKS = (
    single(
        "moving-average",
        "debugging",
        "This function gives one average too few:\n\n"
        "def moving_average(values, width):\n"
        "    result = []\n"
        "    for start in range(len(values) - width):\n"
        "        result.append(sum(values[start:start + width]) / width)\n"
        "    return result\n\n"
        "Repair it and tell me sum(moving_average([k * k % 17 for k in range(200)], 8)) with three decimals.",
        (),
        moving_average,
    ),
    single(
        "crashing-report",
        "debugging",
        "report.py should print the value of the stock in inventory.csv for each category and in total, but it "
        "crashes. Repair it, save the repaired program as report_fixed.py, run it, and tell me the total.",
        ("report.py", "inventory.csv"),
        crashing_report,
    ),
    single(
        "endless-search",
        "debugging",
        "This function should find the first place in a sorted list whose number is at least wanted, but it often "
        "never returns:\n\n"
        "def first_at_least(numbers, wanted):\n"
        "    low, high = 0, len(numbers)\n"
        "    while low < high:\n"
        "        middle = (low + high) // 2\n"
        "        if numbers[middle] < wanted:\n"
        "            low = middle\n"
        "        else:\n"
        "            high = middle\n"
        "    return low\n\n"
        "Repair it. With squares = [k * k for k in range(1000)], what is the sum of first_at_least(squares, wanted) "
        "over wanted in range(0, 100000, 37)?",
        (),
        endless_search,
    ),
    single(
        "asking-program",
        "debugging",
        "My teacher gave us this program:\n\n"
        'capital = float(input("Capital: "))\n'
        'rate = float(input("Rate in percent: "))\n'
        'years = int(input("Years: "))\n'
        "for year in range(years):\n"
        "    capital += capital * rate / 100\n"
        "    capital += 130\n"
        'print(f"{capital:.2f}")\n\n'
        "Run it: what does it print if one answers 2400, 3.65 and 17?",
        (),
        asking_program,
    ),
)

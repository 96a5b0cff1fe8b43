"""Tasks in Chinese and in German, with the files of such users."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def chinese_sales(folder: Path) -> tuple[Need, ...]:
    total = Fraction(0)
    for row in rows_of(folder / "销售记录.csv"):
        if row["城市"] == "上海" and row["数量"].isdigit():
            total += int(row["数量"]) * Fraction(row["单价"].removeprefix("¥"))
    return (Number(total, 2),)


def chinese_prose(folder: Path) -> tuple[Need, ...]:
    text = (folder / "散文.txt").read_text(encoding="gb18030")
    return (Number(len(re.findall(r"[\u4e00-\u9fff]", text)), name="characters"), Number(text.count("的"), name="的"))


def workdays(_: Path) -> tuple[Need, ...]:
    first, last = date(2019, 3, 1), date(2031, 11, 5)
    days = (first + timedelta(days=number) for number in range((last - first).days + 1))
    return (Number(sum(day.weekday() < 5 for day in days)),)


def german_amount(text: str) -> Fraction:
    return Fraction(text.replace(".", "").replace(",", "."))


def household(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "haushalt.csv", ";", "utf-8-sig")
    total = sum((german_amount(row["Betrag"]) for row in rows), Fraction(0))
    food = sum((german_amount(row["Betrag"]) for row in rows if row["Kategorie"] == "Lebensmittel"), Fraction(0))
    return (Number(food, 2, german=True), Number(100 * food / total, 2, percent=True, german=True))


def meter(folder: Path) -> tuple[Need, ...]:
    lines = (folder / "zaehler.csv").read_text(encoding="utf-8").splitlines()
    rows = [line.split(";") for line in lines if line[0].isdigit()]
    readings = [(datetime.strptime(day, "%d.%m.%Y"), german_amount(stand)) for day, stand in rows]
    days = (readings[-1][0] - readings[0][0]).days
    return (Number((readings[-1][1] - readings[0][1]) / days, 3, german=True),)


TASKS = (
    single(
        "chinese-sales",
        "tables",
        "请根据销售记录.csv计算上海的销售总额(数量×单价),保留两位小数。数量不是数字的行不计入。",
        ("销售记录.csv",),
        chinese_sales,
        "zh",
    ),
    single(
        "chinese-prose",
        "text",
        "散文.txt里一共有多少个汉字(不计标点符号)?其中“的”字出现了多少次?",
        ("散文.txt",),
        chinese_prose,
        "zh",
    ),
    single(
        "chinese-workdays",
        "arithmetic",
        "从2019年3月1日到2031年11月5日(首尾两天都算)一共有多少个工作日(星期一到星期五,不考虑节假日)?",
        (),
        workdays,
        "zh",
    ),
    single(
        "german-household",
        "tables",
        "In haushalt.csv stehen unsere Ausgaben. Wie viel haben wir insgesamt für Lebensmittel ausgegeben, und wie "
        "viel Prozent aller Ausgaben sind das? Bitte beides mit zwei Nachkommastellen.",
        ("haushalt.csv",),
        household,
        "de",
    ),
    single(
        "german-meter",
        "tables",
        "zaehler.csv enthält die Stände unseres Stromzählers. Wie viele kWh haben wir zwischen der ersten und der "
        "letzten Ablesung im Durchschnitt pro Tag verbraucht? Bitte mit drei Nachkommastellen.",
        ("zaehler.csv",),
        meter,
        "de",
    ),
)

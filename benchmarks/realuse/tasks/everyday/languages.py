"""Short tasks in Chinese and in German, with the files of such users."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import everyday
from benchmarks.realuse.tasks.everyday.surprises import mean
from benchmarks.realuse.tasks.languages import german_amount
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def multiples(_: Path) -> tuple[Need, ...]:
    return (Number(sum(range(17, 20_001, 17))),)


def workers(folder: Path) -> tuple[Need, ...]:
    rows = rows_of(folder / "员工.csv")
    return (Number(mean([Fraction(row["工资"]) for row in rows if row["部门"] == "技术部"]), 2),)


def marks(folder: Path) -> tuple[Need, ...]:
    return (Number(mean([Fraction(row["数学"]) for row in rows_of(folder / "成绩.csv", encoding="gbk")]), 2),)


def squares(_: Path) -> tuple[Need, ...]:
    return (Number(sum(n * n for n in range(1, 1235)), german=True),)


def measurements(folder: Path) -> tuple[Need, ...]:
    values = [row["Wert"] for row in rows_of(folder / "messwerte.csv", ";")]
    return (Number(mean([german_amount(value) for value in values if value != "defekt"]), 3, german=True),)


TASKS = (
    everyday("everyday-multiples", "arithmetic", "1到20000之间所有17的倍数之和是多少?", (), multiples, "zh"),
    everyday(
        "everyday-workers", "tables", "员工.csv里技术部的平均工资是多少?保留两位小数。", ("员工.csv",), workers, "zh"
    ),
    everyday("everyday-marks", "tables", "成绩.csv里数学的平均分是多少?保留两位小数。", ("成绩.csv",), marks, "zh"),
    everyday(
        "everyday-squares", "arithmetic", "Was ist die Summe der Quadratzahlen von 1² bis 1234²?", (), squares, "de"
    ),
    everyday(
        "everyday-measurements",
        "tables",
        "Wie groß ist der Mittelwert der Spalte Wert in messwerte.csv? Defekte Messungen zählen nicht. Drei "
        "Nachkommastellen.",
        ("messwerte.csv",),
        measurements,
        "de",
    ),
)

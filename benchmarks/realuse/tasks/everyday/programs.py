"""Given code that stops with an error, and what it should have told."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from matplotlib.figure import Figure

from benchmarks.realuse.files import Picture
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import everyday
from benchmarks.realuse.values import Number

APPEND = (
    "import pandas as pd\n"
    'costs = pd.DataFrame({"item": ["pens", "paper", "ink"], "cost": [127.4, 352.15, 689.95]})\n'
    'costs = costs.append({"item": "desk", "cost": 1249.0}, ignore_index=True)\n'
    'print(costs["cost"].mean())'
)
STEPS = (
    "values = [number ** 2 % 97 for number in range(50)]\n"
    "total = 0\n"
    "for i in range(len(values)):\n"
    "    total += abs(values[i + 1] - values[i])\n"
    "print(total)"
)
TRIANGLE = (
    "def triangle(n):\n"
    '    """Return 1 + 2 + ... + n."""\n'
    "    return sum(range(n))\n\n"
    "assert triangle(4) == 10\n"
    "assert triangle(1) == 1\n"
    "print(triangle(12345))"
)
STYLE = (
    "import matplotlib.pyplot as plt\n"
    'plt.style.use("seaborn")\n'
    'plt.bar(["north", "south", "east"], [42, 31, 57])\n'
    'plt.savefig("regions.png")'
)
GERMAN = 'preise = [129.95, 349.5, 89.9, 1049.0]\nsumme = sum(preise) * 1.19\nprint("Summe mit Steuer: " + summe)'


def append(_: Path) -> tuple[Need, ...]:
    return (Number((Fraction("127.4") + Fraction("352.15") + Fraction("689.95") + 1249) / 4, 3),)


def steps(_: Path) -> tuple[Need, ...]:
    values = [number**2 % 97 for number in range(50)]
    return (Number(sum(abs(after - before) for before, after in pairwise(values))),)


def triangle(_: Path) -> tuple[Need, ...]:
    return (Number(12345 * 12346 // 2),)


def style(folder: Path) -> tuple[Need, ...]:
    figure = Figure()
    figure.subplots().bar(["north", "south", "east"], [42, 31, 57])
    figure.savefig(folder / "regions.png")
    return (Picture("regions.png"),)


def german(_: Path) -> tuple[Need, ...]:
    total = sum(map(Fraction, ("129.95", "349.5", "89.9", "1049")), Fraction(0))
    return (Number(total * Fraction("1.19"), 2, german=True),)


TASKS = (
    everyday("everyday-append", "debugging", f"Run this code and tell me what it prints:\n\n{APPEND}", (), append),
    everyday(
        "everyday-steps",
        "debugging",
        "Run this code, which adds up the steps from each value to the next, and tell me the total:\n\n" + STEPS,
        (),
        steps,
    ),
    everyday(
        "everyday-triangle",
        "algorithms",
        f"Run this function with its tests and tell me what is printed at the end:\n\n{TRIANGLE}",
        (),
        triangle,
    ),
    everyday("everyday-style", "plots", f"Run this code to make regions.png:\n\n{STYLE}", (), style),
    everyday(
        "everyday-german-code",
        "debugging",
        f"Führe diesen Code aus und sag mir die Summe:\n\n{GERMAN}",
        (),
        german,
        "de",
    ),
)

"""A figure and a number."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.realuse.files import Picture
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def rain(folder: Path) -> tuple[Need, ...]:
    months: defaultdict[str, float] = defaultdict(float)
    for row in rows_of(folder / "rain.csv"):
        months[row["date"][:7]] += float(row["mm"])
    figure = Figure()
    axes = figure.subplots()
    axes.bar(list(months), list(months.values()))
    figure.savefig(folder / "rain.png")
    return (Picture("rain.png"), Number(max(months.values()) - min(months.values()), 1))


def fit(folder: Path) -> tuple[Need, ...]:
    pairs = []
    for row in rows_of(folder / "experiment.csv"):
        if row["current"].replace(".", "").replace("-", "").isdigit():
            pairs.append((float(row["voltage"]), float(row["current"])))
    x, y = np.array(pairs).T
    slope, start = np.polyfit(x, y, 1)
    figure = Figure()
    axes = figure.subplots()
    axes.scatter(x, y)
    axes.plot(x, start + slope * x)
    figure.savefig(folder / "fit.png")
    return (Picture("fit.png"), Number(float(slope), 4))


def visits(folder: Path) -> tuple[Need, ...]:
    counts = [row["visits"] for row in json.loads((folder / "visits.json").read_text())]
    means = [sum(counts[end - 7 : end]) / 7 for end in range(7, len(counts) + 1)]
    figure = Figure()
    axes = figure.subplots()
    axes.plot(counts)
    axes.plot(range(6, len(counts)), means)
    figure.savefig(folder / "visits.png")
    return (Picture("visits.png"), Number(max(means), 2))


TASKS = (
    single(
        "rain",
        "plots",
        "Draw a bar chart of the total rainfall of each month from rain.csv and save it as rain.png. By how many "
        "millimetres does the wettest month exceed the driest one? One decimal.",
        ("rain.csv",),
        rain,
    ),
    single(
        "fit",
        "plots",
        "Plot current against voltage from experiment.csv as points, with the straight line that fits them best "
        "(least squares), and save the figure as fit.png. What is the slope of the line, with four decimals? Ignore "
        "readings that are not numbers.",
        ("experiment.csv",),
        fit,
    ),
    single(
        "visits",
        "plots",
        "Draw the daily visits in visits.json as a line, together with the mean of the last 7 days, and save it as "
        "visits.png. What is the highest 7-day mean? Two decimals.",
        ("visits.json",),
        visits,
    ),
)

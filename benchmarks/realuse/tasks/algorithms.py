"""A function with its tests in the task, and what it gives on a file."""

from __future__ import annotations

import heapq
from collections import defaultdict
from fractions import Fraction
from pathlib import Path

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.tasks.tables import rows_of
from benchmarks.realuse.values import Number


def distance(left: str, right: str) -> int:
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, start=1):
        above, row[0] = row[0], i
        for j, b in enumerate(right, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (a != b))
    return row[-1]


def edit_distance(folder: Path) -> tuple[Need, ...]:
    return (Number(sum(distance(row["right"], row["typed"]) for row in rows_of(folder / "pairs.csv"))),)


def knapsack(folder: Path) -> tuple[Need, ...]:
    best = [0] * 201
    for row in rows_of(folder / "items.csv"):
        weight, value = int(row["weight"]), int(row["value"])
        for room in range(200, weight - 1, -1):
            best[room] = max(best[room], best[room - weight] + value)
    return (Number(best[200]),)


def shortest_way(folder: Path) -> tuple[Need, ...]:
    ways: defaultdict[str, list[tuple[str, Fraction]]] = defaultdict(list)
    for row in rows_of(folder / "roads.csv"):
        ways[row["from"]].append((row["to"], Fraction(row["km"])))
        ways[row["to"]].append((row["from"], Fraction(row["km"])))
    queue, done = [(Fraction(0), "Arden")], dict[str, Fraction]()
    while queue:
        far, town = heapq.heappop(queue)
        if town not in done:
            done[town] = far
            for other, km in ways[town]:
                heapq.heappush(queue, (far + km, other))
    return (Number(done["Zell"], 1),)


TASKS = (
    single(
        "edit-distance",
        "algorithms",
        "Write a function edit_distance(a, b) that counts the least number of single letters to insert, delete or "
        "replace to turn a into b. It must pass\n\n"
        'assert edit_distance("kitten", "sitting") == 3\n'
        'assert edit_distance("", "abc") == 3\n'
        'assert edit_distance("flaw", "lawn") == 2\n\n'
        "Then tell me the sum of the distances between the columns right and typed over all lines of pairs.csv.",
        ("pairs.csv",),
        edit_distance,
    ),
    single(
        "knapsack",
        "algorithms",
        "Write a function best_value(items, capacity), where items is a list of (weight, value) and each item can be "
        "taken once, that returns the greatest total value whose total weight is at most capacity. It must pass\n\n"
        "assert best_value([(1, 1), (3, 4), (4, 5), (5, 7)], 7) == 9\n"
        "assert best_value([(5, 10), (4, 7), (4, 7)], 8) == 14\n"
        "assert best_value([(9, 100)], 8) == 0\n\n"
        "Then tell me the best value for the items in items.csv and a capacity of 200.",
        ("items.csv",),
        knapsack,
    ),
    single(
        "shortest-way",
        "algorithms",
        "roads.csv lists roads between towns with their length in km; each can be driven both ways. How many km is "
        "the shortest way from Arden to Zell? One decimal.",
        ("roads.csv",),
        shortest_way,
    ),
)

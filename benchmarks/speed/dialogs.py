"""What the model is asked: for long programs, for programs to be written again with a change, for small jobs."""

from __future__ import annotations

from dataclasses import dataclass

FRESH = (
    "Write a class Matrix in pure Python with construction from rows, addition, subtraction, product, transpose, "
    "determinant by cofactors, inverse, comparison, and a readable text form, each with a docstring. Then show all.",
    "Write a text adventure engine: classes for rooms, exits, items, the player and commands, with a parser for go, "
    "take, drop, look and inventory, and a world of six rooms. Then play a short game by a list of commands.",
    "Write a class for a library's books, members and loans with adding, lending, giving back, reminders, fines and a "
    "monthly report, each method with a docstring. Then show it with five books and three members.",
    "Write a tokenizer, a recursive descent parser and an evaluator for arithmetic with variables, functions, unary "
    "minus and powers, as classes with docstrings. Then evaluate ten expressions and print them with their values.",
    "Write a simulation of a bank with several counters: classes for customers, counters, the queue and statistics, "
    "random arrivals with a seed, each method with a docstring. Then run it for 500 customers and print a report.",
    "Write a binary search tree class with insertion, deletion, search, the three traversals, height, balance check, "
    "nearest key and a drawing as text, each method with a docstring. Then show every method on twenty numbers.",
)


@dataclass(frozen=True)
class Refinement:
    """A dialog whose next reply repeats most of the program in it."""

    task: str
    program: str
    feedback: str


_LEDGER = '''\
from collections import defaultdict

transactions = [
    {"account": "rent", "month": "2024-01", "amount": 950.00},
    {"account": "food", "month": "2024-01", "amount": 312.45},
    {"account": "travel", "month": "2024-01", "amount": 87.20},
    {"account": "rent", "month": "2024-02", "amount": 950.00},
    {"account": "food", "month": "2024-02", "amount": 287.10},
    {"account": "travel", "month": "2024-02", "amount": 143.75},
]


def totals_by(key, rows):
    """Add up the amounts for each value of a key."""
    totals = defaultdict(float)
    for row in rows:
        totals[row[key]] += row["amount"]
    return dict(totals)


def print_report(title, totals):
    """Print one line for each total, the largest first."""
    print(title)
    for name, total in sorted(totals.items(), key=lambda item: -item[1]):
        print(f"  {name}: {total}")


print_report("By account", totals_by("account", transactions))
print_report("By month", totals_by("month", transactions))
'''

_QUEUE = '''\
import random


class Counter:
    """A counter that serves one customer at a time."""

    def __init__(self, name, mean_minutes):
        self.name = name
        self.mean_minutes = mean_minutes
        self.free_at = 0.0
        self.served = 0

    def serve(self, arrival):
        """Serve a customer and return the minutes that they waited."""
        start = max(arrival, self.free_at)
        self.free_at = start + random.expovariate(1 / self.mean_minutes)
        self.served += 1
        return start - arrival


def simulate(customers, counters, mean_gap):
    """Let customers arrive at random and take the counter that is free first."""
    clock = 0.0
    waits = []
    for _ in range(customers):
        clock += random.expovariate(1 / mean_gap)
        counter = min(counters, key=lambda each: each.free_at)
        waits.append(counter.serve(clock))
    return waits


random.seed(7)
counters = [Counter("A", 4.0), Counter("B", 5.0), Counter("C", 6.0)]
waits = simulate(500, counters, 1.8)
print("mean wait", mean(waits))
for counter in counters:
    print(counter.name, counter.served)
'''

_GRADES = '''\
students = {
    "Ada": [92, 88, 79, 95],
    "Bruno": [75, 64, 81, 70],
    "Chiara": [85, 91, 89, 94],
    "Deniz": [58, 72, 66, 61],
}


def average(grades):
    """Return the mean of a list of grades."""
    return sum(grades) / len(grades)


def letter(value):
    """Return the letter for a mean grade."""
    if value >= 90:
        return "A"
    if value >= 80:
        return "B"
    if value >= 70:
        return "C"
    return "D"


def report(students):
    """Return one line of text for each student."""
    lines = []
    for name, grades in students.items():
        value = average(grades)
        lines.append(f"{name:10} {value:6.2f} {letter(value)}")
    return lines


for line in report(students):
    print(line)
print("best:", max(students, key=lambda name: average(students[name])))
'''

REFINEMENTS = (
    Refinement(
        "Add up these transactions by account and by month, and print both.",
        _LEDGER,
        "Print every total with two decimals and the word EUR behind it. Give me the whole program again.",
    ),
    Refinement(
        "Simulate 500 customers at three counters and print the mean wait.",
        _QUEUE,
        "The code failed:\n\nTraceback (most recent call last):\n"
        '  File "<cell 1>", line 37, in <module>\n    print("mean wait", mean(waits))\n'
        "NameError: name 'mean' is not defined\n\nWrite the corrected code, the whole program.",
    ),
    Refinement(
        "Grade these students and print a report.",
        _GRADES,
        "Add a grade E for a mean below 60, and keep everything else as it is. Give me the whole program again.",
    ),
)

JOBS = (
    (
        "Print the squares of the numbers from 1 to 5.",
        "Now their cubes, please.",
    ),
    (
        "Say how many days it is from the 3rd of May 2024 to the 17th of November 2025.",
        "How many of them are Sundays?",
    ),
    (
        "How many prime numbers are there below 200000, and what is their sum?",
        "And how many of them end in 7?",
    ),
    (
        "Make a table of 200 random house prices (seed 3) with columns rooms, area and price in pandas, and print the "
        "mean price by rooms.",
        "Now the median price instead, please.",
    ),
    (
        "Write a function that tells whether a text is a palindrome, and print what it says of ten texts.",
        "Make it ignore spaces and capital letters.",
    ),
    (
        "Plot sin(x) and cos(x) from 0 to 10 in one figure and save it as waves.png.",
        "Add a grid and a legend.",
    ),
)
"""Small jobs, each with what the person says next."""

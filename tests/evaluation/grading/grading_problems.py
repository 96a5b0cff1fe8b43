"""Small problems of our own, and graders for them."""

from __future__ import annotations

import hashlib
from typing import Any

from opencodeinterpreter.evaluation.problems import Dataset, Example, Family, Problem

SQUARES = '''def squares(values):
    """Return the squares, plus one, of the values in order."""
    return [round(value * value + 1, 6) for value in sorted(values)]
'''
INPUTS = (([3.0, 1.5],), ([2.0],), ([],))
MORE_INPUTS = tuple(([float(number), number / 7, -3.25],) for number in range(5, 25))


def problem(
    reference: str = SQUARES,
    entry_point: str = "squares",
    base: tuple[tuple[Any, ...], ...] = INPUTS,
    plus: tuple[tuple[Any, ...], ...] = MORE_INPUTS,
    atol: float = 0,
    family: Family = "humaneval",
    examples: tuple[Example, ...] = (),
) -> Problem:
    return Problem(f"Own/{entry_point}", family, "", entry_point, reference, base, plus, atol, "", examples)


def dataset(*problems: Problem) -> Dataset:
    text = repr([(one.id, one.reference, one.base_inputs) for one in problems])
    return Dataset("humaneval+", "own", hashlib.sha256(text.encode()).hexdigest(), problems)

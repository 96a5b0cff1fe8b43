"""The problems whose outputs cannot simply be compared."""

from __future__ import annotations

import pytest
from grading_problems import problem

from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.problems import Family

POLYNOMIAL = """
def poly(xs, x): return sum(c * x ** i for i, c in enumerate(xs))
def find_zero(xs):
    low, high = -100.0, 100.0
    while poly(xs, low) * poly(xs, high) > 0: low, high = 2 * low, 2 * high
    while high - low > 1e-10:
        middle = (low + high) / 2
        if poly(xs, middle) * poly(xs, low) > 0: low = middle
        else: high = middle
    return low
"""

CASES: list[tuple[Family, str, str, tuple[object, ...], str, bool]] = [
    ("humaneval", "find_zero", POLYNOMIAL, ([1, 2],), "def find_zero(xs): return -0.5", True),
    ("humaneval", "find_zero", POLYNOMIAL, ([1, 2],), "def find_zero(xs): return -0.6", False),
    ("humaneval", "find_zero", POLYNOMIAL, ([1, 2],), "def find_zero(xs): return '-0.5'", False),
    ("mbpp", "similar_elements", "def similar_elements(a): return (4, 5)", (1,), "(5, 4, 4)", True),
    ("mbpp", "similar_elements", "def similar_elements(a): return (4, 5)", (1,), "[4]", False),
    ("mbpp", "similar_elements", "def similar_elements(a): return (4, 5)", (1,), "range(10 ** 12)", False),
    ("mbpp", "similar_elements", "def similar_elements(a): return (4, 5)", (1,), "[[4], [5]]", False),
    ("humaneval", "similar_elements", "def similar_elements(a): return (4, 5)", (1,), "(5, 4)", False),
    ("mbpp", "check_str", "import re\ndef check_str(a): return re.match('a', a)", ("ab",), "object()", True),
    ("mbpp", "check_str", "import re\ndef check_str(a): return re.match('a', a)", ("ab",), "True", True),
    ("mbpp", "check_str", "import re\ndef check_str(a): return re.match('a', a)", ("ab",), "None", False),
    ("mbpp", "check_str", "import re\ndef check_str(a): return re.match('a', a)", ("b",), "None", True),
    ("mbpp", "check_str", "import re\ndef check_str(a): return re.match('a', a)", ("b",), "False", True),
    ("mbpp", "sum_div", "def sum_div(n): return 3", (4,), "0", True),
    ("mbpp", "sum_div", "def sum_div(n): return 3", (4,), "1", False),
    ("mbpp", "are_equivalent", "def are_equivalent(a): return True", (4,), "False", True),
    ("mbpp", "surface_Area", "def surface_Area(b, s): return 33", (3, 4), "34", False),
    ("mbpp", "surface_Area", "def surface_Area(b, s): return 33", (3, 4), "35", True),
    ("mbpp", "digit_distance_nums", "def digit_distance_nums(a, b): return 9", (23, 56), "6", True),
]


@pytest.mark.parametrize(("family", "name", "reference", "arguments", "gives", "right"), CASES)
def test_oracles(
    family: Family,
    name: str,
    reference: str,
    arguments: tuple[object, ...],
    gives: str,
    right: bool,
    grader: Grader,
) -> None:
    task = problem(reference, name, (arguments,), (), 1e-4 if name == "find_zero" else 0, family)
    code = gives if gives.startswith("def") else f"def {name}(*_): return {gives}"

    assert grader.grade(task, code).base.passed is right

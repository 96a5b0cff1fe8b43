"""Whether what a solution gave is right: EvalPlus 0.3.1's rules, on rebuilt plain values, outside of the jail.

Where a rule here differs from EvalPlus's on purpose, ``docs/evaluation/grading.md`` says so and why.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from opencodeinterpreter.evaluation.grading.values import Value, decode_value
from opencodeinterpreter.evaluation.problems import Problem

COMPARISON = 1
"""Counts up with every change of a rule."""
_DEFAULT_ATOL = 1e-6
_RTOL = 1e-7
_COMPLEX_OR_REAL = (bool, int, float, complex)
_LARGEST_IN_ARRAYS = 1 << 63

NOT_NONE = frozenset({"check_str", "text_match_three", "text_starta_endb"})
"""MBPP problems whose outputs are matches: what counts is whether there is one."""
SAME_SET = frozenset(
    {
        "similar_elements",
        "find_char_long",
        "common_in_nested_lists",
        "extract_singly",
        "larg_nnum",
        "intersection_array",
        "find_dissimilar",
        "Diff",
    }
)
"""MBPP problems that ask for a collection in whatever order."""


class Comparer:
    """Compares the outputs of one suite.

    Args:
        problem: decides which rules apply.
        inputs: the arguments of each call; None for one of something else, to which the rules about arguments do not
            apply.
        expected: what the reference gives, in the encoding of values.
    """

    def __init__(self, problem: Problem, inputs: Sequence[tuple[Any, ...] | None], expected: Sequence[str]) -> None:
        self._mbpp = problem.family == "mbpp"
        self._name = problem.entry_point
        self._own_rule = self._name in NOT_NONE | SAME_SET or self._name == "find_zero"
        self._atol = problem.atol
        self._inputs = inputs
        self._expected = expected
        self._looked_at = 0
        """How many outputs are known to be no floats."""

    def equal(self, index: int, payload: str) -> bool:
        """Return whether what a solution sent for an input, in the encoding of values, is right.

        Raises:
            NotAValueError: if it is no value, which only a solution that sends by itself can do.
        """
        # Most answers are told from their text alone.
        if payload == self._expected[index] and not self._own_rule and not _unequal_to_itself(payload):
            return True
        actual = decode_value(payload.encode("ascii"))
        try:
            return self._equal(index, actual)
        # Comparing values of types that do not go together, of too many digits, of too many levels.
        except (TypeError, ValueError, ArithmeticError, RecursionError, AttributeError):
            return False

    def value(self, index: int) -> Value:
        """Return what the reference gives."""
        return decode_value(self._expected[index].encode("ascii"))

    def _compared(self, index: int) -> Value:
        """Return what an answer is compared with: where matches are asked for, whether there is one."""
        value = self.value(index)
        if self._mbpp and self._name in NOT_NONE:
            return Value(value.plain is not None, "bool", value.hashed)
        return value

    def _equal(self, index: int, actual: Value) -> bool:
        expected, arguments = self._compared(index), self._inputs[index]
        if not self._mbpp and self._name == "find_zero" and arguments is not None:
            # Any root will do. (The wheel of EvalPlus 0.3.1 never counts these as passed.)
            (coefficients,) = arguments
            return abs(polynomial(coefficients, actual.plain)) <= self._atol
        if self._matches(arguments, expected, actual, self._tolerance(index)):
            return True
        atol = self._tolerance(index + 1)
        if atol == 0 or actual.kind != expected.kind:
            return False
        if isinstance(expected.plain, list | tuple) and len(actual.plain) != len(expected.plain):
            return False
        return close(actual.plain, expected.plain, atol)

    def _tolerance(self, end: int) -> float:
        """Return the tolerance after the first ``end`` outputs: from the first float on there is one."""
        if self._atol != 0:
            return self._atol
        while self._looked_at < end and not _all_floats(self._compared(self._looked_at).plain):
            self._looked_at += 1
        return _DEFAULT_ATOL if self._looked_at < end else 0

    def _matches(self, arguments: tuple[Any, ...] | None, expected: Value, actual: Value, atol: float) -> bool:
        out, right = actual.plain, expected.plain
        exact = bool(out == right)
        if not self._mbpp:
            return exact
        if self._name in SAME_SET:
            return _same_set(actual, expected)
        if self._name in NOT_NONE:
            return exact if actual.kind == "bool" else (out is not None) == right
        return exact or (arguments is not None and self._allowed(arguments, out, atol))

    def _allowed(self, arguments: tuple[Any, ...], out: Any, atol: float) -> bool:
        """Return whether another answer than the reference's is right, where the problem can be read in two ways."""
        if self._name == "are_equivalent":
            return True
        if self._name == "sum_div":
            return bool(out == 0)
        if self._name == "surface_Area":
            return bool(abs(out - _surface_area(*arguments)) <= atol)
        if self._name == "digit_distance_nums":
            return bool(out == _digit_distance(*arguments))
        return False


def _unequal_to_itself(payload: str) -> bool:
    """Return whether a value holds, or may hold, what is not even equal to itself.

    Many numbers, as they are sent, may read "NaN" by chance, but hold neither bracket nor comma.
    """
    return payload == "NaN" or "[NaN" in payload or ",NaN" in payload or '"o"' in payload


def _same_set(actual: Value, expected: Value) -> bool:
    # Numbers can be chosen so that hashing many takes hours.
    return len(actual.plain) <= actual.hashed and set(actual.plain) == set(expected.plain)


def _all_floats(value: Any) -> bool:
    if isinstance(value, list | tuple):
        return bool(value) and all(isinstance(item, float) for item in value)
    return isinstance(value, float)


def close(actual: Any, expected: Any, atol: float) -> bool:
    """Return whether two numbers, or lists of lists of numbers of one shape, are close, as ``numpy.allclose`` has it.

    Raises:
        TypeError: if there is anything but numbers, or lists that have no shape.
    """
    return _shape(actual) == _shape(expected) and _all_close(actual, expected, atol)


def _shape(value: Any) -> tuple[int, ...]:
    """Return the lengths of nested lists, from the outermost one on."""
    if not isinstance(value, list | tuple):
        if type(value) not in _COMPLEX_OR_REAL:
            raise TypeError("not a number")
        if type(value) is int and not -_LARGEST_IN_ARRAYS <= value < _LARGEST_IN_ARRAYS:
            raise TypeError("an integer that arrays do not hold")
        return ()
    shapes = {_shape(item) for item in value}
    if len(shapes) > 1:
        raise TypeError("lists of different lengths")
    return (len(value), *(shapes.pop() if shapes else ()))


def _all_close(actual: Any, expected: Any, atol: float) -> bool:
    if isinstance(actual, list | tuple):
        return all(_all_close(left, right, atol) for left, right in zip(actual, expected, strict=True))
    if actual == expected:
        return True
    # Not so for an infinite or undefined difference.
    return bool(abs(actual - expected) <= atol + _RTOL * abs(expected)) and not math.isinf(abs(expected))


def polynomial(coefficients: list[float], x: float) -> float:
    """Return the value at ``x``, with the coefficient of the lowest power first."""
    return float(sum(factor * math.pow(x, power) for power, factor in enumerate(coefficients)))


def _surface_area(edge: float, height: float) -> int:
    """Return the area of a square pyramid whose ``height`` is taken upright, rather than along a face."""
    slant = math.sqrt((edge / 2) ** 2 + height**2)
    return round(edge**2 + 2 * edge * slant)


def _digit_distance(first: int, second: int) -> int:
    """Return the sum of the distances of the digits at the same places."""
    width = max(len(str(first)), len(str(second)))
    pairs = zip(str(first).zfill(width), str(second).zfill(width), strict=True)
    return sum(abs(int(one) - int(other)) for one, other in pairs)

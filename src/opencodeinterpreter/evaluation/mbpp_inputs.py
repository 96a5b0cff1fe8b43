"""Inputs of MBPP+ as the Python values that they stand for.

The data file is JSON, which has no tuples, sets and complex numbers. Which inputs were such is known by the problem
only, from EvalPlus, so that a solution here is called with exactly what it would be called with there. That is also
where this is surprising: an empty list among the sets of Mbpp/115 becomes a dictionary, and a few problems whose
original tests have tuples are given lists.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

Arguments = tuple[Any, ...]
Convert = Callable[[Any], Any]


def python_inputs(problem_id: str, inputs: list[list[Any]]) -> tuple[Arguments, ...]:
    """Return the inputs of a problem of MBPP+, each a tuple of positional arguments.

    Args:
        problem_id: ``Mbpp/2``.
        inputs: as the data file has them.

    Raises:
        ValueError, TypeError, IndexError, AttributeError: if the inputs are not of the problem's shape.
    """
    convert = _SHAPES.get(int(problem_id.rpartition("/")[2]), tuple)
    return tuple(tuple(convert(arguments)) for arguments in inputs)


def _every(convert: Convert) -> Convert:
    return lambda arguments: [convert(argument) for argument in arguments]


def _by_position(*converts: Convert | None) -> Convert:
    """Convert the first arguments, each in its own way or not at all, and leave the rest."""

    def apply(arguments: list[Any]) -> list[Any]:
        heads = [convert(arguments[place]) if convert else arguments[place] for place, convert in enumerate(converts)]
        return heads + arguments[len(converts) :]

    return apply


def _list_of(convert: Convert) -> Convert:
    return lambda items: [convert(item) for item in items]


def _tuple_of(convert: Convert) -> Convert:
    return lambda items: tuple(convert(item) for item in items)


def _tuple_if_list(item: Any) -> Any:
    return tuple(item) if isinstance(item, list) else item


def _set_or_dictionary(item: Any) -> Any:
    return set(item) if isinstance(item, list) and item else {}


def _tuples_throughout(item: Any) -> Any:
    return tuple(_tuples_throughout(each) for each in item) if isinstance(item, list) else item


def _tuple_values(item: dict[Any, Any]) -> dict[Any, Any]:
    return {key: tuple(value) for key, value in item.items()}


def _shapes(*groups: tuple[Convert, tuple[int, ...]]) -> Mapping[int, Convert]:
    return {number: convert for convert, numbers in groups for number in numbers}


_SHAPES: Final = _shapes(
    (_every(tuple), (2, 116, 132, 143, 222, 261, 273, 394, 399, 421, 424, 429, 470, 560, 579, 596, 616, 630, 726, 740,
                     744, 809)),
    (_every(_list_of(tuple)), (63, 64, 70, 94, 120, 237, 272, 299, 400, 409, 417, 438, 473, 614, 780)),
    (_every(_tuple_of(tuple)), (259, 401, 445)),
    (_every(_tuple_of(_tuple_if_list)), (278,)),
    (_every(_tuples_throughout), (580, 615, 791)),
    (_by_position(_list_of(tuple)), (75, 413, 444, 753)),
    (_by_position(tuple), (250, 307, 405, 446, 617, 720, 763, 808)),
    (_by_position(None, tuple), (106, 750)),
    (_by_position(_list_of(_set_or_dictionary)), (115,)),
    (_by_position(float, complex), (124,)),
    (_by_position(complex), (252,)),
    (_by_position(_tuple_values), (722,)),
)  # fmt: skip

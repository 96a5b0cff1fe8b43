"""Problems and the data sets that hold them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

Family = Literal["humaneval", "mbpp"]


@dataclass(frozen=True)
class Example:
    """An input with its output that the prompt itself shows."""

    call: str
    """the expression on the left, as the prompt has it: ``has_close_elements([1.0, 2.0], 0.5)``"""
    expected: str
    """the expression on the right"""
    source: str
    """the lines of the prompt that it was read from"""
    inputs: tuple[Any, ...] | None = None
    """the arguments, where ``call`` is a plain call of the entry point with literals"""


@dataclass(frozen=True)
class Problem:
    """One programming problem. Inputs are lists of positional arguments, as plain Python values."""

    id: str
    """``HumanEval/0``, ``Mbpp/2``"""
    family: Family
    prompt: str
    entry_point: str
    reference: str
    """a complete program; for HumanEval the prompt is part of it"""
    base_inputs: tuple[tuple[Any, ...], ...]
    plus_inputs: tuple[tuple[Any, ...], ...]
    atol: float
    """absolute tolerance for floats; 0 asks for the default of the comparison"""
    contract: str = ""
    """assertions on the arguments, as source lines for the function's body"""
    examples: tuple[Example, ...] = ()


@dataclass(frozen=True)
class Dataset:
    """A benchmark in one version."""

    name: str
    """``humaneval+``, ``mbpp+``, ``humaneval``, ``mbpp``"""
    version: str
    sha256: str
    """of the decompressed or compressed file that was pinned, as published"""
    problems: tuple[Problem, ...] = field(repr=False)
    published: bool = False
    """whether the file is one of the published ones, of whose references it is known that they always give the same"""

    def __getitem__(self, problem_id: str) -> Problem:
        for problem in self.problems:
            if problem.id == problem_id:
                return problem
        raise KeyError(problem_id)

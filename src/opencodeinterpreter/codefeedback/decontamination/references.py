"""The problems of the benchmarks, taken apart into what a copy of one could share with it."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.evaluation.data_files import BenchmarkFiles
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.problems import Problem

BENCHMARKS: Final = ("humaneval", "mbpp")
_VERSIONS: Final = {"humaneval": ("v0.1.10",), "mbpp": ("v0.2.0", "v0.1.0")}
"""Which versions are read: published figures of MBPP are on 399 problems, of which the newest version holds 378."""
_EXAMPLES: Final = re.compile(
    r"^\s*(?:>>>|assert\b|(?:for )?exam[pb]les?\b|input\s*:|constrai?n|variables:|note:)", re.IGNORECASE
)
_MOST_EXAMPLES: Final = 8


@dataclass(frozen=True)
class Reference:
    """One problem of a benchmark."""

    id: str
    """``HumanEval/19``"""
    benchmark: str
    """``humaneval`` or ``mbpp``"""
    entry_point: str
    prompt: str
    statement: str
    """what the prompt says in words, without signature and examples"""
    solution: str
    """the reference program, without the prompt's docstring"""
    literals: tuple[str, ...]
    """the arguments and results of the prompt's examples, as Python writes them"""


def load_references(
    benchmarks: Sequence[str] = BENCHMARKS, files: BenchmarkFiles | None = None
) -> tuple[Reference, ...]:
    """Return the problems of all versions of the benchmarks, each once.

    Args:
        benchmarks: ``humaneval``, ``mbpp``.
        files: where their files come from; None reads the environment.

    Raises:
        EvaluationError: if there is no such benchmark, or its file cannot be had.
    """
    return tuple(reference_of(problem, name) for name, problem in _problems(benchmarks, files, ""))


def load_problems(benchmarks: Sequence[str] = BENCHMARKS, files: BenchmarkFiles | None = None) -> dict[str, Problem]:
    """Return the same problems with all their tests, by their ids.

    Raises:
        EvaluationError: as ``load_references``.
    """
    return {problem.id: problem for _, problem in _problems(benchmarks, files, "+")}


def _problems(benchmarks: Sequence[str], files: BenchmarkFiles | None, plus: str) -> list[tuple[str, Problem]]:
    found: dict[str, tuple[str, Problem]] = {}
    for name in benchmarks:
        for version in _VERSIONS.get(name, (None,)):
            for problem in load_dataset(name + plus, version, files=files).problems:
                found.setdefault(problem.id, (name, problem))
    return list(found.values())


def reference_of(problem: Problem, benchmark: str) -> Reference:
    """Take a problem apart."""
    statement = _statement(problem.prompt, problem.entry_point)
    return Reference(
        id=problem.id,
        benchmark=benchmark,
        entry_point=problem.entry_point,
        prompt=problem.prompt,
        statement=statement,
        solution=_without_docstrings(problem.reference),
        literals=tuple(dict.fromkeys(_literals(problem))),
    )


def identity_of(references: Iterable[Reference]) -> str:
    """Return a hash of the problems, for the settings of a stage."""
    digest = hashlib.sha256()
    for each in references:
        digest.update(repr((each.id, each.prompt, each.solution)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _statement(prompt: str, entry_point: str) -> str:
    text = prompt
    try:
        tree = ast.parse(prompt)
    except SyntaxError:
        tree = ast.Module([], [])
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == entry_point:
            text = ast.get_docstring(node) or prompt
        elif isinstance(node, ast.Module):
            text = ast.get_docstring(node) or text
    lines: list[str] = []
    for line in text.splitlines():
        if lines and (_EXAMPLES.match(line) or re.match(rf"\s*\W*{re.escape(entry_point)}\s*\(", line)):
            break
        if not _EXAMPLES.match(line):
            lines.append(line.strip())
    return " ".join(line for line in lines if line) or text


def _without_docstrings(program: str) -> str:
    try:
        tree = ast.parse(program)
    except SyntaxError:
        return program
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return ast.unparse(tree)


def _literals(problem: Problem) -> Iterable[str]:
    for example in problem.examples[:_MOST_EXAMPLES]:
        for value in example.inputs or ():
            yield repr(value)
        yield example.expected
    # The prompts of MBPP show one of these alone; the published data set shows all three to whoever copies from it.
    if problem.family == "mbpp":
        for inputs in problem.base_inputs[:_MOST_EXAMPLES]:
            for value in inputs:
                yield repr(value)

"""The layer that runs: whether a program of a row does what the problems do that the row is a little like.

What was told in other words, in another language and with another program has nothing left of its problem but this:
who solves the one has solved the other. The functions of the answer are called in a jail with inputs of the problem,
and what they return is compared with what the reference program returns, by the problem's own rules. Only Python can
be run.
"""

from __future__ import annotations

import ast
import itertools
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeGuard

from opencodeinterpreter.codefeedback.decontamination.texts import code_of
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.grading.compare import Comparer
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.problems import Dataset, Problem

INPUTS: Final = 12
"""with which a program is called for each problem"""
_FEWEST: Final = 3
"""A problem with fewer inputs than that can be used for is not looked at."""
_FUNCTIONS: Final = 3
"""of one answer that are not called by its others; a program with more is a collection of small things"""
_INPUT_CHARACTERS: Final = 1000
_CODE_CHARACTERS: Final = 20_000
_LIMITS: Final = GradingLimits(least_cpu_seconds=0.5, suite_cpu_seconds=5.0, load_cpu_seconds=5.0)
"""Most programs are of other tasks, and meet inputs that were never meant for them."""
_CALLED: Final = "the_function_that_is_compared"


@dataclass(frozen=True)
class _Probe:
    """A problem as a row's program is tried on it."""

    problem: Problem
    inputs: tuple[tuple[Any, ...], ...]
    expected: tuple[str, ...]
    """what the reference program gave, in the grader's encoding"""

    @property
    def telling(self) -> bool:
        """Hold if a program that always gives the same could not agree."""
        return len(self.inputs) >= _FEWEST and len(set(self.expected)) > 1


@dataclass(frozen=True)
class Agreement:
    """How far a program does what a problem asks for."""

    share: float = 0.0
    """of the inputs"""
    outputs: int = 0
    """different ones that are right; with two, as for a question of yes or no, agreement is soon had by chance"""


class Behaviour:
    """Compares what programs do with what the problems of benchmarks ask for; may be used by many threads.

    Args:
        problems: by their ids.
        grader: runs the programs; None makes one.

    Raises:
        SandboxUnavailableError: if programs cannot be isolated here.
    """

    def __init__(self, problems: dict[str, Problem], grader: Grader | None = None) -> None:
        self._problems = problems
        self._grader = grader or Grader(Dataset("all", "", "", tuple(problems.values())), limits=_LIMITS)
        self._probes: dict[str, _Probe] = {}
        self._lock = threading.Lock()

    def agreements(self, rows: Sequence[tuple[str, str, Sequence[str]]]) -> list[dict[str, Agreement]]:
        """Return for each row, by problem, how far its program does what the problem asks for.

        Args:
            rows: question, answer, and the ids of the problems to try.
        """
        with ThreadPoolExecutor(self._grader.workers, thread_name_prefix="behaviour") as pool:
            return list(pool.map(lambda row: self._of(*row), rows))

    def _of(self, question: str, answer: str, ids: Sequence[str]) -> dict[str, Agreement]:
        probes = [probe for each in ids if (probe := self._probe(each)) is not None and probe.telling]
        found: dict[str, Agreement] = {}
        program = program_of(question, answer)
        for arity, alike in itertools.groupby(sorted(probes, key=_arity), key=_arity):
            tried = list(alike)
            for code in callables_of(program, arity):
                for probe, share in zip(tried, self._shares(code, tried), strict=True):
                    known = found.get(probe.problem.id, Agreement())
                    found[probe.problem.id] = Agreement(max(share, known.share), len(set(probe.expected)))
        return found

    def _shares(self, code: str, probes: Sequence[_Probe]) -> Iterator[float]:
        inputs = [each for probe in probes for each in probe.inputs]
        outcomes = iter(self._grader.run(code, _CALLED, inputs))
        for probe in probes:
            comparer = Comparer(probe.problem, probe.inputs, probe.expected)
            given = list(itertools.islice(outcomes, len(probe.inputs)))
            right = sum(
                outcome.payload is not None and comparer.equal(index, outcome.payload)
                for index, outcome in enumerate(given)
            )
            yield right / len(given)

    def _probe(self, problem_id: str) -> _Probe | None:
        with self._lock:
            if problem_id in self._probes:
                return self._probes[problem_id]
        problem = self._problems.get(problem_id)
        if problem is None:
            return None
        probe = self._answered(problem, inputs_of(problem))
        with self._lock:
            return self._probes.setdefault(problem_id, probe)

    def _answered(self, problem: Problem, inputs: Sequence[tuple[Any, ...]]) -> _Probe:
        """Return those of the inputs for which the reference program gives something, with what it gives."""
        outcomes = self._grader.run(problem.reference, problem.entry_point, inputs)
        known = [
            (given, outcome.payload)
            for given, outcome in zip(inputs, outcomes, strict=True)
            if outcome.payload is not None
        ]
        return _Probe(problem, tuple(given for given, _ in known), tuple(output for _, output in known))


def inputs_of(problem: Problem) -> list[tuple[Any, ...]]:
    """Return inputs of a problem: of the base tests, filled up with some from all over the plus tests."""
    base = [each for each in problem.base_inputs if len(repr(each)) <= _INPUT_CHARACTERS][:INPUTS]
    plus = [each for each in problem.plus_inputs if len(repr(each)) <= _INPUT_CHARACTERS]
    missing = INPUTS - len(base)
    return base + plus[:: max(1, len(plus) // missing)][:missing] if missing else base


def program_of(question: str, answer: str) -> str:
    """Return the Python program of an answer; one that only completes the question's code is put below it."""
    code = code_of(answer)
    for program in (code, f"{code_of(question)}\n{code}"):
        if len(program) <= _CODE_CHARACTERS and _parsed(program) is not None:
            return program
    return ""


def callables_of(program: str, arity: int) -> Iterator[str]:
    """Yield the program once for each of its functions that can be called with so many arguments, under one name.

    Only those count that the others do not call: a helper that swaps a pair does not make a task one of swapping pairs.
    With two arguments also in the other order, since who tells a task anew may name them the other way round.
    """
    tree = _parsed(program)
    functions = _uncalled(list(_functions(tree))) if tree else []
    for name, node in functions if len(functions) <= _FUNCTIONS else ():
        if not _takes(node, arity, "." in name):
            continue
        owner, _, method = name.rpartition(".")
        called = f"{owner}().{method}" if owner else name
        yield f"{program}\n\n\n{_CALLED} = {called}\n"
        if arity == 2:
            yield f"{program}\n\n\ndef {_CALLED}(first, second):\n    return {called}(second, first)\n"


def _functions(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            yield node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from (
                (f"{node.name}.{each.name}", each)
                for each in node.body
                if isinstance(each, ast.FunctionDef) and not each.name.startswith("__")
            )


def _uncalled(functions: list[tuple[str, ast.FunctionDef]]) -> list[tuple[str, ast.FunctionDef]]:
    """Return the functions that no other one mentions."""
    mentioned = {
        name: {each.id if isinstance(each, ast.Name) else each.attr for each in ast.walk(node) if _is_mention(each)}
        for name, node in functions
    }
    return [
        (name, node)
        for name, node in functions
        if not any(node.name in names for other, names in mentioned.items() if other != name)
    ]


def _is_mention(node: ast.AST) -> TypeGuard[ast.Name | ast.Attribute]:
    return isinstance(node, ast.Name | ast.Attribute)


def _takes(node: ast.FunctionDef, arity: int, bound: bool) -> bool:
    most = len(node.args.posonlyargs) + len(node.args.args) - bound
    return most - len(node.args.defaults) <= arity <= most and not any(
        default is None for default in node.args.kw_defaults
    )


def _arity(probe: _Probe) -> int:
    return len(probe.inputs[0])


def _parsed(program: str) -> ast.Module | None:
    try:
        return ast.parse(program)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None

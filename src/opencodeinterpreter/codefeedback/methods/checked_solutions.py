"""The stage ``check``: each solution of a problem becomes a program of its own, and is seen to pass the tests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Final

from opencodeinterpreter.codefeedback.methods.completing import completed
from opencodeinterpreter.codefeedback.methods.variants import variants
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Process, Row
from opencodeinterpreter.codefeedback.rows import Problem, Solution
from opencodeinterpreter.codefeedback.verification.code_blocks import blocks
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor
from opencodeinterpreter.codefeedback.verification.parsing import check_syntax

CHECKED: Final = "checked"
"""The key in a problem's meta that says that its solutions have been checked."""
VERSION: Final = 1


@dataclass(frozen=True)
class Checked:
    """A problem with the solutions that are right, and how many were of what kind."""

    problem: Problem
    counts: Mapping[str, int]


class SolutionCheck:
    """A ``MapStage`` of problems. What is shown in a dialog later is what was run here, character by character."""

    name = "check"

    def __init__(self, execution: ExecutionSettings | None = None) -> None:
        self._execution = execution or ExecutionSettings()
        self._executor: Executor | None = None

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"execution": self._execution.to_json(), "version": VERSION}

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        """Open the sandboxes."""
        with Executor(self._execution) as executor:
            self._executor = executor
            try:
                yield lambda row: _outcome(row, executor)
            finally:
                self._executor = None

    def stop(self) -> None:
        executor = self._executor
        if executor is not None:
            executor.stop()


def stage(execution: ExecutionSettings | None = None) -> MapStage:
    """Return the stage ``check``."""
    return SolutionCheck(execution)


def checked(problem: Problem, executor: Executor) -> Checked:
    """Return the problem with those of its solutions that are right.

    Python is run with the problem's tests, or alone where it has none; other languages are parsed, no more.
    Solutions that are the same are kept once.
    """
    counts: Counter[str] = Counter()
    kept: dict[str, Solution] = {}
    for solution in problem.solutions:
        default = replace(solution, language=solution.language or problem.language or "python")
        for variant in (*of_reply(default), *(replace(each, text="") for each in variants(default))):
            python = variant.language == "python"
            code = completed(variant.code) if python else variant.code.strip("\n").rstrip()
            if code in kept:
                continue
            if not python:
                syntax = check_syntax(code, variant.language).status
                counts["other language, " + ("broken" if syntax == "error" else "not executed")] += 1
                if syntax == "error":
                    continue
            else:
                execution = executor.program(code, problem.tests)
                counts["passed" if execution.passed else "ran without tests" if execution.ok else "failed"] += 1
                if not execution.ok:
                    continue
            kept[code] = replace(variant, code=code)
    meta = {**problem.meta, CHECKED: VERSION}
    return Checked(replace(problem, solutions=tuple(kept.values()), meta=meta), dict(counts))


def of_reply(solution: Solution) -> tuple[Solution, ...]:
    """Return the program in the reply that the source has, with the words above it; it may differ from the solution's.

    Only a reply with one block of Python is used: the words of another would not fit one program.
    """
    if not solution.text:
        return ()
    found = [block for block in blocks(solution.text) if block.language == "python"]
    if len(found) != 1 or not found[0].code.strip():
        return ()
    before = solution.text.partition("```")[0].strip()
    if not before:
        return ()
    return (replace(solution, code=found[0].code, language="python", text=before, time="", space=""),)


def is_checked(problem: Problem) -> bool:
    return problem.meta.get(CHECKED) == VERSION


def _outcome(row: Row, executor: Executor) -> Outcome:
    done = checked(Problem.from_json(row), executor)
    notes = {"solutions": dict(done.counts)}
    if not any(solution.language == "python" for solution in done.problem.solutions):
        return Outcome(drops=(Drop("no solution passes"),), notes=notes)
    return Outcome(rows=(done.problem.to_json(),), notes=notes)

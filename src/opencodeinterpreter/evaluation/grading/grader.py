"""The grader: from a problem and a program to a grade, each program in a jail of its own."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import platformdirs

from opencodeinterpreter.errors import SandboxError
from opencodeinterpreter.evaluation.grading.calls import (
    CallOutcome,
    ExampleOutcome,
    compare_example,
    run_calls,
    wanted_of,
)
from opencodeinterpreter.evaluation.grading.compare import COMPARISON
from opencodeinterpreter.evaluation.grading.endings import raised
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.grading.running import End, Ending, HarnessError, Job, OnAnswer, run_job
from opencodeinterpreter.evaluation.grading.shown import ShownOutputs
from opencodeinterpreter.evaluation.grading.store import Store, key_of
from opencodeinterpreter.evaluation.grading.suites import Marking
from opencodeinterpreter.evaluation.grading.truth import (
    Prepared,
    ReferenceFailedError,
    TruthKeeper,
    prepare,
    reference_fails,
    shortened,
)
from opencodeinterpreter.evaluation.grading.values import encode_input
from opencodeinterpreter.evaluation.problems import Dataset, Problem
from opencodeinterpreter.evaluation.verdicts import Failure, Grade, SuiteResult, Verdict
from opencodeinterpreter.sandbox.base import SandboxBackend
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend

GRADER = 2
"""Counts up with every change that could change a verdict and shows in no other version."""
_T = TypeVar("_T")
_OWN_FAULTS = (HarnessError, SandboxError, OSError)
"""What fails here, and not in the program."""
_PERHAPS_THE_MACHINES: frozenset[Ending] = frozenset({"killed", "time", "asleep"})
"""Ends that a program's own doing gives again, while those of the machine's (memory that others took; a virtual machine
that stood still, for which whoever ran is charged) should not count."""
_AHEAD = 100
"""Solutions a worker may have waiting, or done ahead of the next to be yielded: with few, all wait for a slow one."""


@dataclass(frozen=True)
class ReferenceFault:
    """A problem whose reference solution does not pass on this machine."""

    problem_id: str
    suite: str
    """"base" or "plus"; empty where the reference did not give an output for each input."""
    verdict: Verdict
    text: str
    """One sentence: which problem, on what input, and what went wrong."""


class Grader:
    """Grades programs against a data set; may be used by many threads at once.

    Args:
        dataset: whose problems are graded.
        workers: how many programs run at a time; by default as many as there are processors.
        cache: folder for expected outputs, of prompts' examples too, and grades; by default in the user's cache folder.
        limits: for each program.
        backend: the isolation; by default, and unless a test says otherwise, the package's jail.

    Raises:
        SandboxUnavailableError: if programs cannot be isolated here; never anything weaker.
    """

    def __init__(
        self,
        dataset: Dataset,
        workers: int | None = None,
        cache: Path | None = None,
        limits: GradingLimits | None = None,
        backend: SandboxBackend | None = None,
    ) -> None:
        self._dataset = dataset
        self._limits = limits or GradingLimits()
        self._backend = backend or BubblewrapBackend()
        self._backend.check()
        folder = cache or platformdirs.user_cache_path("opencodeinterpreter") / "grading"
        self._grades = Store(folder / "grades")
        self.workers = workers or len(os.sched_getaffinity(0))
        # Of published data it is known that no output depends on the calls before.
        jails = self.workers if dataset.published else 1
        self._truths = TruthKeeper(self._run, Store(folder / "expected"), self._limits, jails)
        self._shown = ShownOutputs(self._calls, Store(folder / "examples"), self._limits)
        self._slots = threading.BoundedSemaphore(self.workers)
        self._prepared: dict[str, Prepared] = {}

    def __enter__(self) -> Grader:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Nothing is held between two gradings: every jail ends with its program."""

    def grade(self, problem: Problem, code: str) -> Grade:
        """Return how a program fares on both suites of a problem; at once where it was graded before.

        A fault of the grader's own is tried again once, then gives ``Verdict.HARNESS`` and is not remembered.
        """
        if not code.strip():
            nothing = SuiteResult(Verdict.NO_CODE, None, 0.0)
            return Grade(nothing, nothing)
        prepared = self._prepare(problem)
        how = " of the outputs" if self._gave_the_outputs(prepared, code) else ""
        key = key_of(f"grade {GRADER} {COMPARISON} {self._limits.key}{how}", prepared.key, code)
        known = _grade_from(self._grades.get(key))
        if known is not None:
            return known
        try:
            grade, end = _twice(lambda: self._grade(prepared, code))
        except (*_OWN_FAULTS, ReferenceFailedError) as error:
            failed = SuiteResult(Verdict.HARNESS, Failure(-1, "", "", "", str(error)), 0.0)
            return Grade(failed, failed)
        if end.ending != "killed":  # which may be the machine's doing, and another day's verdict another one
            self._grades.put(key, asdict(grade))
        return grade

    def grade_many(self, solutions: Iterable[tuple[Problem, str]]) -> Iterator[Grade]:
        """Yield the grade of each solution in their order, several being graded at a time."""
        waiting: deque[Future[Grade]] = deque()
        with ThreadPoolExecutor(self.workers, thread_name_prefix="grading") as pool:
            try:
                for problem, code in solutions:
                    waiting.append(pool.submit(self.grade, problem, code))
                    if len(waiting) > _AHEAD * self.workers:
                        yield waiting.popleft().result()
                while waiting:
                    yield waiting.popleft().result()
            finally:
                for future in waiting:
                    future.cancel()

    def check_references(self) -> list[ReferenceFault]:
        """Grade every reference solution, and return those that do not pass: to be reported before any score is."""
        problems = self._dataset.problems
        grades = self.grade_many((problem, problem.reference) for problem in problems)
        return [fault for problem, grade in zip(problems, grades, strict=True) for fault in _faults(problem, grade)]

    def run(self, code: str, entry_point: str, inputs: Sequence[tuple[Any, ...]]) -> list[CallOutcome]:
        """Return what a program gives for inputs of which nobody knows the right outputs.

        Each input is called whatever became of the others.

        Raises:
            EvaluationError: if an input holds what is no plain Python value.
            HarnessError: if the grader itself failed, twice.
            SandboxUnavailableError: if there could be no jail.
        """
        return self._calls(code, entry_point, [encode_input(arguments) for arguments in inputs])

    def run_examples(self, problem: Problem, code: str) -> list[ExampleOutcome]:
        """Return how a program fares on the examples that the prompt shows, compared outside of the jail.

        ``Verdict.HARNESS`` is that of an example whose own output cannot be worked out.

        Raises:
            HarnessError: if the grader itself failed, twice.
            SandboxUnavailableError: if there could be no jail.
        """
        wanted = [wanted_of(example) for example in problem.examples]
        outcomes = self._calls(code, problem.entry_point, wanted)
        right = self._shown.of(problem.examples)
        return [
            compare_example(problem, example, outcome, expected)
            for example, outcome, expected in zip(problem.examples, outcomes, right, strict=True)
        ]

    def _calls(self, code: str, entry_point: str | None, wanted: Sequence[bytes | str]) -> list[CallOutcome]:
        if not code.strip():
            return [CallOutcome(Verdict.NO_CODE, None, "", "", 0.0) for _ in wanted]
        try:
            return _twice(lambda: run_calls(self._run, self._limits, code, entry_point, wanted))
        except OSError as error:
            raise HarnessError(str(error)) from error

    def _prepare(self, problem: Problem) -> Prepared:
        # Two threads may both do this; the result is the same.
        prepared = self._prepared.get(problem.id)
        if prepared is None or prepared.problem is not problem:
            prepared = self._prepared[problem.id] = prepare(problem, self._dataset.sha256)
        return prepared

    def _grade(self, prepared: Prepared, code: str) -> tuple[Grade, End]:
        marking, end = self._marked(prepared, code)
        if end.ending in _PERHAPS_THE_MACHINES:
            marking, end = self._marked(prepared, code)
        return marking.grade(end), end

    def _marked(self, prepared: Prepared, code: str) -> tuple[Marking, End]:
        truth = self._truths.of(prepared)
        marking = Marking(prepared, truth, self._limits)
        if self._gave_the_outputs(prepared, code):
            return marking, marking.of_known(truth)
        return marking, self._run(marking.job(code), marking.on_answer)

    def _gave_the_outputs(self, prepared: Prepared, code: str) -> bool:
        """Whether a program's run is the one that the right outputs are from, so that another would give the same.

        Of data that is not published that is not known, and a second run tells.
        """
        return self._dataset.published and code == prepared.problem.reference

    def _run(self, job: Job, on_answer: OnAnswer) -> End:
        """Run a job when a worker is free."""
        with self._slots:
            return run_job(self._backend, job, self._limits, on_answer)


def _twice(work: Callable[[], _T]) -> _T:
    """Do work that may fail through no fault of the program's, once more if it does."""
    try:
        return work()
    except _OWN_FAULTS:
        return work()


def _faults(problem: Problem, grade: Grade) -> Iterator[ReferenceFault]:
    for name, result in (("base", grade.base), ("plus", grade.plus)):
        if result.passed:
            continue
        whole = result.verdict is Verdict.HARNESS
        yield ReferenceFault(problem.id, "" if whole else name, result.verdict, _sentence(problem, result.failure))
        if grade.base is grade.plus or whole:
            return


def _sentence(problem: Problem, failure: Failure | None) -> str:
    """Say how a reference failed; what the keeper of the truths says of it is such a sentence already."""
    if failure is None or failure.error.startswith(reference_fails(problem.id, "")):
        return failure.error if failure else reference_fails(problem.id, "it gives nothing")
    call = "it" if failure.index < 0 else f"{problem.entry_point}({shortened(failure.input)})"
    what = f"gives {shortened(failure.actual)}, and {shortened(failure.expected)} is expected"
    return reference_fails(problem.id, f"{call}: {raised(failure.error)}" if failure.error else f"{call} {what}")


def _grade_from(document: Any) -> Grade | None:
    """Return a kept grade, or None if it is not of this form."""
    try:
        suites = [
            SuiteResult(
                Verdict(suite["verdict"]),
                None if suite["failure"] is None else Failure(**suite["failure"]),
                float(suite["cpu_seconds"]),
            )
            for suite in (document["base"], document["plus"])
        ]
    except (KeyError, TypeError, ValueError):
        return None
    return Grade(*suites)

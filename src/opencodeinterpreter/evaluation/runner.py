"""Runs a protocol over problems: many at a time, each recorded when it is done, so that stopping loses nothing."""

from __future__ import annotations

import queue
import threading
import time
import typing
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from opencodeinterpreter.errors import EvaluationError, ModelError, OcintError, SandboxError
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Protocol, Settings, Solving
from opencodeinterpreter.evaluation.protocols.leakage import Leak, LeakCheck
from opencodeinterpreter.evaluation.protocols.observing import Grading, expected_outputs, own_outputs
from opencodeinterpreter.evaluation.records import Attempt, ProblemRecord
from opencodeinterpreter.evaluation.run_folder import RunFolder
from opencodeinterpreter.models.asking import Asker, Stopped

_TICK_SECONDS = 0.2
"""How often the waiting main thread looks up, which is also how soon Ctrl-C is heard."""
_GRADERS = 2
"""Problems being graded while the model goes on; each grading is parallel in itself."""


class Progress(typing.Protocol):
    """Is told how a run goes, from the thread that called ``run_protocol``."""

    def begin(self, records: Sequence[ProblemRecord], total: int) -> None:
        """Start with what an earlier run has left; ``total`` counts it too."""
        ...

    def add(self, record: ProblemRecord) -> None:
        """Count a record that is on the disk now."""
        ...

    def tick(self) -> None:
        """Show that time passes."""
        ...


class Silent:
    """Shows nothing."""

    def begin(self, records: Sequence[ProblemRecord], total: int) -> None: ...

    def add(self, record: ProblemRecord) -> None: ...

    def tick(self) -> None: ...


@dataclass(frozen=True)
class Ended:
    """How a run ended that was not broken off."""

    made: int
    """records that this run has added"""
    left: int
    """of those that were wanted, not done: the time was up"""
    leaks: tuple[Leak, ...] = ()
    """what the check found; always empty for a run that is not honest, which leaks by design"""


@dataclass(frozen=True)
class Work:
    """What is to be run, and with what."""

    protocol: Protocol
    settings: Settings
    problems: Sequence[Problem]
    asker: Asker
    grader: Grading
    synthesizer: Asker | None = None
    samples: int = 1
    """independent answers a problem"""
    concurrency: int = 1
    """problems at a time; what the model can serve side by side"""
    seconds: float | None = None
    """no further problem is begun after this time"""


def run_protocol(work: Work, folder: RunFolder, progress: Progress | None = None) -> Ended:
    """Do what the folder does not have yet, and check an honest run for leaks: each record, and all at the end.

    Every record is on the disk before it is counted; one in which something has leaked carries a mark, and the progress
    display is given it as any other. Whatever ends this early (an error, Ctrl-C) leaves a folder that the next run goes
    on with, and the replies of half done problems are in the response cache.

    Raises:
        ModelError, SandboxError, EvaluationError: what could not be mended by trying again; all that was done is kept.
    """
    progress = progress or Silent()
    wanted = [(problem, sample) for sample in range(work.samples) for problem in work.problems]
    todo = [(problem, sample) for problem, sample in wanted if (problem.id, sample) not in folder.done]
    identities = {(problem.id, sample) for problem, sample in wanted}
    progress.begin([record for key, record in folder.records.items() if key in identities], len(wanted))
    check = leak_check(work.problems, work.grader) if work.protocol.honest else None
    made = _Crew(work, folder, progress, check).do(todo) if todo else 0
    kept = [record for key, record in folder.records.items() if key in identities]
    leaks = check.records(kept) if check else []
    return Ended(made, len(todo) - made, tuple(leaks))


def leak_check(problems: Iterable[Problem], grader: Grading) -> LeakCheck:
    """Return the check for leaks that runs what it needs by the grader."""
    return LeakCheck(
        problems,
        lambda problem, inputs: expected_outputs(grader, problem, inputs),
        lambda problem, code: own_outputs(grader, problem, code),
    )


class _Crew:
    """Threads that solve and threads that grade; only the calling thread talks to the progress display."""

    def __init__(self, work: Work, folder: RunFolder, progress: Progress, check: LeakCheck | None) -> None:
        self._work, self._folder, self._progress, self._check = work, folder, progress, check
        self._done: queue.SimpleQueue[ProblemRecord | Exception | None] = queue.SimpleQueue()
        self._ending = threading.Event()
        self._deadline = None if work.seconds is None else time.monotonic() + work.seconds

    def do(self, todo: Iterable[tuple[Problem, int]]) -> int:
        """Solve, grade and record; return how many records were made."""
        graders = ThreadPoolExecutor(_GRADERS, thread_name_prefix="grading")
        solvers = ThreadPoolExecutor(max(1, self._work.concurrency), thread_name_prefix="solving")
        try:
            for problem, sample in todo:
                self._submit(solvers, self._solve, problem, sample, graders)
            return self._collect(len(list(todo)))
        except BaseException as error:
            self._end()
            # What has been answered is in the response cache: a grading in progress need not be waited for.
            keep = isinstance(error, OcintError)
            solvers.shutdown(wait=True, cancel_futures=True)
            graders.shutdown(wait=keep, cancel_futures=not keep)
            raise
        finally:
            solvers.shutdown(wait=True, cancel_futures=True)
            graders.shutdown(wait=False)

    def _collect(self, waiting: int) -> int:
        made = 0
        while waiting:
            try:
                found = self._done.get(timeout=_TICK_SECONDS)
            except queue.Empty:
                self._progress.tick()
                continue
            waiting -= 1
            if isinstance(found, Exception):
                raise self._explained(found) from found
            if found is not None:
                made += 1
                self._progress.add(found)
        return made

    def _submit(self, pool: ThreadPoolExecutor, work: Callable[..., None], *given: Any) -> None:
        def tell(future: Future[None]) -> None:
            error = None if future.cancelled() else future.exception()
            if isinstance(error, Exception):
                self._done.put(None if isinstance(error, Stopped) else error)

        pool.submit(work, *given).add_done_callback(tell)

    def _solve(self, problem: Problem, sample: int, graders: ThreadPoolExecutor) -> None:
        if self._ending.is_set() or (self._deadline is not None and time.monotonic() >= self._deadline):
            self._done.put(None)
            return
        work = self._work
        solving = Solving(work.protocol, work.settings, work.asker, work.grader, work.synthesizer, sample)
        outcome = work.protocol.solve(problem, solving)
        self._submit(graders, self._finish, problem, sample, outcome, solving)

    def _finish(self, problem: Problem, sample: int, outcome: Outcome, solving: Solving) -> None:
        attempts = tuple(graded(attempt, problem, self._work.grader) for attempt in outcome.attempts)
        notes = dict(outcome.notes)
        if solving.asides:
            notes["asides"] = solving.asides
        record = ProblemRecord(problem.id, attempts, outcome.final, sample, outcome.standing, notes)
        if self._check is not None:
            record = self._check.settled(record)
        self._folder.append(record)
        self._done.put(record)

    def _end(self) -> None:
        self._ending.set()
        self._work.asker.stop()
        if self._work.synthesizer is not None:
            self._work.synthesizer.stop()

    def _explained(self, error: Exception) -> Exception:
        """Say of an error that everything so far is kept."""
        if not isinstance(error, ModelError | SandboxError | EvaluationError):
            return error
        kept = f"what was done is kept in {self._folder.path}, and the same command goes on from there"
        try:
            return type(error)(f"{str(error).rstrip('.')}; {kept}")
        except TypeError:  # a class that wants more than a sentence
            return error


def graded(attempt: Attempt, problem: Problem, grader: Grading, *, anew: bool = False) -> Attempt:
    """Return the attempt with the verdicts of the hidden tests.

    Args:
        attempt: to be graded; one that its protocol has graded already is left as it is.
        problem: that it answers.
        grader: runs the tests.
        anew: grade it in any case.
    """
    if attempt.grade is not None and not anew:
        return attempt
    return replace(attempt, grade=grader.grade(problem, attempt.code))

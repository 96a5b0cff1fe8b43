"""What can be done anew with a stored run, without asking any model: extraction, grading, the search for leaks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.datasets import OVERRIDE, load_dataset
from opencodeinterpreter.evaluation.extraction import extract
from opencodeinterpreter.evaluation.problems import Dataset, Problem
from opencodeinterpreter.evaluation.protocols.leakage import marked_leaks
from opencodeinterpreter.evaluation.protocols.observing import Grading
from opencodeinterpreter.evaluation.records import Attempt, ProblemRecord, RunConfig
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.evaluation.runner import graded, leak_check


@dataclass(frozen=True)
class Extracted:
    """What extracting the code of all replies again has given."""

    records: tuple[ProblemRecord, ...]
    attempts: int
    changed: tuple[str, ...]
    """problem and attempt whose code is another one now; they are ungraded"""
    rules: dict[str, int]
    """how often each rule gave the code"""
    no_code: int
    no_entry_point: int


def dataset_of(config: RunConfig, path: Path | None = None) -> Dataset:
    """Return the data that a run was made on.

    Args:
        config: of the run.
        path: the file, where it was none of the published ones.

    Raises:
        EvaluationError: if it cannot be had, or what is there is another one.
    """
    version = None if config.dataset_version == OVERRIDE else config.dataset_version
    dataset = load_dataset(config.benchmark, version, path)
    if config.dataset_sha256 != dataset.sha256:
        raise EvaluationError(
            f"the run is of {config.benchmark} {config.dataset_version} ({config.dataset_sha256[:12]}…), and the data "
            f"here is {dataset.version} ({dataset.sha256[:12]}…)"
        )
    return dataset


def extracted_again(run: Run, dataset: Dataset) -> Extracted:
    """Extract the code of every stored reply with the rules of this version.

    Feedback that a model was given on other code stays as it was: where a changed attempt is not the last one, only
    a new run says what would have become of it.
    """
    problems = _problems(dataset)
    changed: list[str] = []
    records = []
    for record in run.records:
        attempts = []
        for index, attempt in enumerate(record.attempts):
            fresh = _extracted(attempt, _problem(problems, record))
            if fresh.code != attempt.code:
                changed.append(f"{record.problem} (sample {record.sample}), attempt {index}")
            attempts.append(fresh)
        records.append(replace(record, attempts=tuple(attempts)))
    every = [attempt for record in records for attempt in record.attempts]
    return Extracted(
        records=tuple(records),
        attempts=len(every),
        changed=tuple(changed),
        rules=dict(Counter(attempt.rule for attempt in every).most_common()),
        no_code=sum(not attempt.code for attempt in every),
        no_entry_point=sum(bool(attempt.code) and not attempt.has_entry_point for attempt in every),
    )


def _extracted(attempt: Attempt, problem: Problem) -> Attempt:
    found = extract(attempt.reply, problem.entry_point, problem.prompt)
    grade = attempt.grade if found.code == attempt.code else None
    return replace(attempt, code=found.code, rule=found.rule, has_entry_point=found.has_entry_point, grade=grade)


def graded_again(
    run: Run, dataset: Dataset, grader: Grading, progress: Callable[[int, int], None] | None = None
) -> Iterator[ProblemRecord]:
    """Yield every record with new verdicts, and of an honest run with new marks of what leaked.

    The attempts that count stay the same.

    Args:
        run: with the code that is graded.
        dataset: it was made on.
        grader: runs the tests.
        progress: told how many records are done, and of how many.
    """
    problems = _problems(dataset)
    check = leak_check(dataset.problems, grader) if run.config.honest else None
    for number, record in enumerate(run.records, start=1):
        problem = _problem(problems, record)
        attempts = tuple(graded(attempt, problem, grader, anew=True) for attempt in record.attempts)
        again = replace(record, attempts=attempts)
        yield check.settled(again) if check else again
        if progress is not None:
            progress(number, len(run.records))


def leak_changes(before: Sequence[ProblemRecord], after: Sequence[ProblemRecord]) -> list[str]:
    """Name every answer that only one of the two has marked as given after something hidden."""
    found = []
    for old, new in zip(before, after, strict=True):
        was, is_ = marked_leaks(old), marked_leaks(new)
        if bool(was) != bool(is_):
            found.append(f"{is_[0]}, unseen before" if is_ else f"{was[0]}: none any more")
    return found


def verdict_changes(before: Sequence[ProblemRecord], after: Sequence[ProblemRecord]) -> list[str]:
    """Name every attempt whose verdict is another one: ``HumanEval/3, attempt 0: plus error, not pass``."""
    found = []
    for old, new in zip(before, after, strict=True):
        for index, (was, is_) in enumerate(zip(old.attempts, new.attempts, strict=True)):
            if was.grade is None or is_.grade is None:
                continue
            for suite in ("base", "plus"):
                first, second = getattr(was.grade, suite).verdict, getattr(is_.grade, suite).verdict
                if first != second:
                    found.append(f"{old.problem}, attempt {index}: {suite} {second}, not {first}")
    return found


def _problems(dataset: Dataset) -> dict[str, Problem]:
    return {problem.id: problem for problem in dataset.problems}


def _problem(problems: dict[str, Problem], record: ProblemRecord) -> Problem:
    try:
        return problems[record.problem]
    except KeyError:
        raise EvaluationError(f"the data set has no problem {record.problem}, which the run has") from None

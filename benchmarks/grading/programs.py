"""The programs that are graded: references, their mutants, and what models wrote in stored runs."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.grading.mutants import mutants
from opencodeinterpreter.evaluation.data_files import KNOWN, benchmark_files, ensure, read
from opencodeinterpreter.evaluation.datasets import DEFAULT_VERSIONS, FAMILIES, load_dataset
from opencodeinterpreter.evaluation.problems import Dataset, Problem
from opencodeinterpreter.evaluation.run_folder import Run

BENCHMARKS = ("humaneval+", "mbpp+")
REFERENCES, MUTANTS = "references", "mutants"


@dataclass(frozen=True)
class Program:
    """A program, and where it is from."""

    source: str
    """``references``, ``mutants``, or the name of a run's folder"""
    detail: str
    """Of a mutant what was changed, of an answer which sample."""
    problem: Problem
    code: str

    @property
    def key(self) -> str:
        """The same for the same code for the same problem."""
        return hashlib.sha256(f"{self.problem.id}\n{self.code}".encode("utf-8", "surrogatepass")).hexdigest()


def benchmark_of(run: Run) -> tuple[str, str | None]:
    """Return name and version of the data that a run is graded on, plus inputs included.

    None: a file that is none of the published ones, named in the environment.
    """
    version = run.config.dataset_version
    published = any(known.version == version for known in KNOWN)
    return run.config.benchmark.removesuffix("+") + "+", version if published else None


def default_benchmarks() -> list[tuple[str, str | None]]:
    return [(name, DEFAULT_VERSIONS[FAMILIES[name]]) for name in BENCHMARKS]


def spread(problems: Sequence[Problem], count: int | None) -> list[Problem]:
    """Return ``count`` problems at even distances; all of them if there are no more, or it is None."""
    if count is None or count >= len(problems):
        return list(problems)
    return [problems[number * len(problems) // count] for number in range(count)]


def references(problems: Iterable[Problem]) -> list[Program]:
    return [Program(REFERENCES, "", problem, problem.reference) for problem in problems]


def mutated(problems: Iterable[Problem], count: int, seed: int) -> list[Program]:
    """Return ``count`` mutants of each reference, fewer where there is little to change."""
    return [
        Program(MUTANTS, mutant.kind, problem, mutant.code)
        for problem in problems
        for mutant in mutants(problem.reference, count, f"{seed} {problem.id}")
    ]


def answers(run: Run, problems: Iterable[Problem]) -> list[Program]:
    """Return the programs that a run handed over, without those answers that held none."""
    by_id = {problem.id: problem for problem in problems}
    return [
        Program(run.path.name, f"sample {record.sample}", by_id[record.problem], record.answer.code)
        for record in run.records
        if record.problem in by_id and record.answer.code.strip()
    ]


def without_doubles(programs: Iterable[Program]) -> Iterator[Program]:
    seen: set[str] = set()
    for program in programs:
        if program.key not in seen:
            seen.add(program.key)
            yield program


def data_lines(dataset: Dataset) -> dict[str, str]:
    """Return the lines of the file of a benchmark by problem, for a program that reads the file itself.

    Raises:
        EvaluationError: if the file cannot be had.
    """
    files, family = benchmark_files(os.environ), FAMILIES[dataset.name]
    known = next((one for one in KNOWN if (one.family, one.version) == (family, dataset.version)), None)
    path = files.overrides[family] if family in files.overrides or known is None else ensure(known, files)
    lines = [line for line in read(path).lines if line.strip()]
    return {
        problem.id: line for problem, line in zip(load_dataset(dataset.name, path=path).problems, lines, strict=True)
    }


def write_data(lines: Iterable[str], path: Path) -> Path:
    path.write_text("".join(line + "\n" for line in lines), encoding="utf-8")
    return path

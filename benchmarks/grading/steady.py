"""Whether verdicts stay the same on a busy machine: ``python -m benchmarks.grading.steady --times 20 [RUN_FOLDER...]``.

Every reference solution, and every answer of the stored runs, is graded again and again from cold while processes that
only count keep every processor busy. Each grade is written down at once; a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.grading.evalplus import ROOT
from benchmarks.grading.programs import (
    REFERENCES,
    Program,
    answers,
    benchmark_of,
    default_benchmarks,
    references,
    spread,
)
from benchmarks.progress import tell
from opencodeinterpreter import OcintError
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.problems import Dataset
from opencodeinterpreter.evaluation.run_folder import Run, read_run

_SPINNING = "import os, sys\nowner = int(sys.argv[1])\nwhile os.getppid() == owner:\n    sum(range(1_000_000))\n"
"""Ends with the process that started it, however that ends."""


@contextlib.contextmanager
def busy(processes: int) -> Iterator[None]:
    """Keep processors busy."""
    command = [sys.executable, "-c", _SPINNING, str(os.getpid())]
    spinning = [subprocess.Popen(command, stderr=subprocess.DEVNULL) for _ in range(processes)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


class Grades:
    """The file of the grades: one line a round and program.

    Args:
        path: is made if it is not there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        lines = path.read_text(encoding="utf-8").splitlines(keepends=True) if path.exists() else []
        self.rows: list[dict[str, Any]] = [json.loads(line) for line in lines if line.endswith("\n")]
        if lines and not lines[-1].endswith("\n"):  # cut off in the middle of a line
            path.write_text("".join(line for line in lines if line.endswith("\n")), encoding="utf-8")

    def done(self, number: int) -> set[str]:
        """Return the keys of the programs that were graded in a round."""
        return {row["key"] for row in self.rows if row["round"] == number}

    def add(self, row: dict[str, Any]) -> None:
        self.rows.append(row)
        with self._path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def rounds(dataset: Dataset, programs: Sequence[Program], times: int, grades: Grades) -> None:
    """Grade all programs so many times, each time with an empty cache."""
    for number in range(times):
        done = grades.done(number)
        waiting = [program for program in programs if _key(dataset, program) not in done]
        if not waiting:
            continue
        began = time.monotonic()
        # As if it were one's own data: references are run again, and not taken for what gave the right outputs.
        dataset = replace(dataset, published=False)
        with tempfile.TemporaryDirectory(prefix="steady-") as folder, Grader(dataset, cache=Path(folder)) as grader:
            for program, grade in zip(
                waiting, grader.grade_many((each.problem, each.code) for each in waiting), strict=True
            ):
                row = {"round": number, "key": _key(dataset, program), "problem": program.problem.id}
                verdicts = {"base": str(grade.base.verdict), "plus": str(grade.plus.verdict)}
                grades.add({**row, "source": program.source, **verdicts})
        tell(f"{dataset.name} {dataset.version}, round {number + 1}: {time.monotonic() - began:.0f} s")


def _key(dataset: Dataset, program: Program) -> str:
    # Of the file, too: one output may hold several versions of a data set.
    return f"{dataset.sha256[:8]} {program.source} {program.detail} {program.key[:16]}"


def report(rows: Sequence[dict[str, Any]], spinning: int) -> str:
    """Return how often each program was graded, and every one whose verdict was not always the same."""
    verdicts: dict[str, Counter[str]] = {}
    known: dict[str, dict[str, Any]] = {}
    for row in rows:
        known[row["key"]] = row
        verdicts.setdefault(row["key"], Counter())[f"{row['base']} / {row['plus']}"] += 1
    by_source: dict[str, list[str]] = {}
    for key, row in known.items():
        by_source.setdefault(row["source"], []).append(key)
    lines = [
        f"Graded from cold each time, with {spinning} processes spinning on {_cores()} processors.",
        "",
        "| programs of | programs | times | pass base | pass base and plus | flips |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for source, keys in by_source.items():
        counts = [verdicts[key].total() for key in keys]
        times = f"{min(counts)}" if min(counts) == max(counts) else f"{min(counts)} to {max(counts)}"
        base, plus = (
            sum(all(verdict.split(" / ")[at] == "pass" for verdict in verdicts[key]) for key in keys) for at in (0, 1)
        )
        flips = sum(len(verdicts[key]) > 1 for key in keys)
        lines.append(f"| {source} | {len(keys)} | {times} | {base} | {plus} | {flips} |")
    lines += ["", "Passes are those of every time; a flip is a program with more than one pair of verdicts.", ""]
    for key, row in known.items():
        always_right = set(verdicts[key]) == {"pass / pass"}
        if len(verdicts[key]) > 1 or (row["source"] == REFERENCES and not always_right):
            found = ", ".join(f"{verdict} ({count} times)" for verdict, count in verdicts[key].most_common())
            lines.append(f"- {row['problem']}, {row['source']}: {found}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading.steady", description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="folders of stored runs")
    parser.add_argument("--times", type=int, default=20, help="(%(default)s)")
    parser.add_argument("--limit", type=int, help="so many problems of each data set, spread over it")
    parser.add_argument("--spinning", type=int, default=_cores(), help="processes that only count (%(default)s)")
    default = ROOT / "output" / "steady.jsonl"
    parser.add_argument("--out", type=Path, default=default, help="file of the grades (%(default)s)")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    grades = Grades(options.out)
    try:
        runs = [read_run(path) for path in options.runs]
        with busy(options.spinning):
            for name, version in dict.fromkeys([*default_benchmarks(), *map(benchmark_of, runs)]):
                dataset = load_dataset(name, version)
                own = [run for run in runs if benchmark_of(run) == (name, version)]
                rounds(dataset, _programs(dataset, own, options.limit), options.times, grades)
    except OcintError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    print(report(grades.rows, options.spinning))
    return 0


def _programs(dataset: Dataset, runs: Sequence[Run], limit: int | None) -> list[Program]:
    problems = spread(dataset.problems, limit)
    return [*references(problems), *(answer for run in runs for answer in answers(run, problems))]


def _cores() -> int:
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    sys.exit(main())

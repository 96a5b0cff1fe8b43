"""Grade the reference solutions of a benchmark: ``python -m benchmarks.grading.references BENCHMARK --cache FOLDER``.

What ``evalplus.evaluate`` is measured beside: a program that is started, loads the data, and grades.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.grading.programs import BENCHMARKS, spread
from opencodeinterpreter import OcintError
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.grading import Grader


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading.references", description=__doc__)
    parser.add_argument("benchmark", choices=BENCHMARKS)
    parser.add_argument("--cache", type=Path, required=True, help="folder for outputs and grades; empty: from cold")
    parser.add_argument("--limit", type=int, help="so many problems")
    options = parser.parse_args(arguments)
    try:
        dataset = load_dataset(options.benchmark)
        with Grader(dataset, cache=options.cache) as grader:
            began = time.monotonic()
            problems = spread(dataset.problems, options.limit)
            grades = list(grader.grade_many((problem, problem.reference) for problem in problems))
            seconds = time.monotonic() - began
    except OcintError as error:
        print(error, file=sys.stderr)
        return 1
    failed = [problem.id for problem, grade in zip(problems, grades, strict=True) if not grade.plus.passed]
    print(json.dumps({"problems": len(problems), "failed": failed, "grading_seconds": round(seconds, 3)}))
    return 0


if __name__ == "__main__":
    sys.exit(main())

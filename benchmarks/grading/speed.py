"""How long grading the reference solutions takes from cold, beside ``evalplus.evaluate``; and grading them again."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.grading import evalplus
from benchmarks.grading.evalplus import ROOT, EvalPlus, EvalPlusMissingError
from benchmarks.grading.programs import BENCHMARKS, data_lines, spread, write_data
from benchmarks.speed.measure import Plan, Row, Target, against, alone, interleave
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.problems import Dataset, Problem

_TARGET = Target("at most", 1 / 3)
_QUICK_PROBLEMS = 6


def rows(plan: Plan) -> list[Row]:
    """Measure whole programs, from their start to their result, with as many workers as there are processors."""
    try:
        theirs = evalplus.ensure(plan.progress)
    except EvalPlusMissingError as error:
        plan.progress(f"{error} Grading is measured without it.")
        theirs = None
    found = []
    for name in BENCHMARKS:
        found += _rows(plan, load_dataset(name), theirs)
    return found


def _rows(plan: Plan, dataset: Dataset, theirs: EvalPlus | None) -> list[Row]:
    problems = spread(dataset.problems, _QUICK_PROBLEMS if plan.quick else None)
    again: list[float] = []
    for_grades: list[float] = []
    to_end: list[float] = []

    def ours() -> float:
        plan.progress(f"grading {len(problems)} references of {dataset.name}, ours")
        with tempfile.TemporaryDirectory(prefix="grading-") as folder:
            seconds, _ = _ours(dataset, len(problems), Path(folder))
            fresh, told = _ours(dataset, len(problems), Path(folder))
            again.append(fresh)
            for_grades.append(told["grading_seconds"])
        return seconds

    sides = {"ours": ours}
    if theirs is not None:
        other = theirs

        def evaluate() -> float:
            plan.progress(f"grading {len(problems)} references of {dataset.name}, EvalPlus")
            seconds, whole = _theirs(other, dataset, problems)
            to_end.append(whole)
            return seconds

        sides["evalplus"] = evaluate
    figures = interleave(sides, plan.count(3, 1), warmups=0)
    title = f"{dataset.name} references, cold"
    if theirs is None:
        cold = [alone(title, "s", figures["ours"], note="EvalPlus cannot be had here")]
    else:
        other_side = f"EvalPlus {evalplus.VERSION}"
        cold = [
            against(title, "s", figures["ours"], other_side, figures["evalplus"], _TARGET, "to its result"),
            against(title, "s", figures["ours"], other_side, to_end, note="to the end of its command"),
        ]
    note = f"of that for the grades: {1000 * median(for_grades):.0f} ms"
    return [*cold, alone(f"{dataset.name} references, graded before", "s", again, note=note)]


def _ours(dataset: Dataset, count: int, cache: Path) -> tuple[float, Any]:
    command = [sys.executable, "-m", "benchmarks.grading.references", dataset.name, "--cache", str(cache)]
    began = time.monotonic()
    done = subprocess.run([*command, "--limit", str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    seconds = time.monotonic() - began
    told = json.loads(done.stdout)
    if told["failed"]:
        raise RuntimeError(f"references that do not pass: {', '.join(told['failed'])}")
    return seconds, told


def _theirs(theirs: EvalPlus, dataset: Dataset, problems: list[Problem]) -> tuple[float, float]:
    """Return the seconds to its result, and to its end."""
    lines = data_lines(dataset)
    with tempfile.TemporaryDirectory(prefix="grading-") as folder:
        data = write_data([lines[problem.id] for problem in problems], Path(folder) / "data.jsonl")
        samples = [(problem.id, problem.reference) for problem in problems]
        workers = len(os.sched_getaffinity(0))
        found = theirs.evaluate(problems[0].family, data, samples, Path(folder), workers, to_end=True)
        return found.seconds, found.to_end or found.seconds

"""On how many programs our verdicts differ from those of EvalPlus 0.3.1, and on how many for no known reason."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from benchmarks.grading.crosscheck import Judge, compared, programs_of
from benchmarks.grading.evalplus import ROOT, VERSION, EvalPlusMissingError, ensure
from benchmarks.grading.programs import benchmark_of, default_benchmarks
from benchmarks.grading.reasons import UNEXPLAINED, reason
from benchmarks.speed.measure import Plan, Row, Target, alone
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.run_folder import Run, read_run

_TARGET = Target("at most", 0)
_MUTANTS = 2
_QUICK_PROBLEMS = 6


def rows(plan: Plan) -> list[Row]:
    """Compare the verdicts on references, on mutants, and on the first answers of the runs in ``docs/results``."""
    try:
        evalplus = ensure(plan.progress)
    except EvalPlusMissingError as error:
        plan.progress(f"{error} Verdicts are not compared.")
        return []
    limit = _QUICK_PROBLEMS if plan.quick else None
    runs = _stored_runs()
    found = []
    for name, version in default_benchmarks():
        dataset = load_dataset(name, version)
        own = [run for run in runs if benchmark_of(run) == (name, version)]
        programs = programs_of(dataset, own, limit, _MUTANTS, seed=0)
        with tempfile.TemporaryDirectory(prefix="verdicts-") as folder:
            judge = Judge(evalplus, dataset, Path(folder) / "kept.jsonl", len(os.sched_getaffinity(0)))
            _, differences = compared(dataset, programs, judge)
        unexplained = sum(reason(difference) == UNEXPLAINED for difference in differences)
        note = f"of {len(programs)} programs; {len(differences) - unexplained} differ for a known reason"
        title = f"{name} verdicts other than of EvalPlus {VERSION}, not explained"
        found.append(alone(title, "programs", [unexplained], _TARGET, note))
    return found


def _stored_runs() -> list[Run]:
    runs = map(read_run, sorted(path.parent for path in (ROOT / "docs" / "results").rglob("config.json")))
    return [run for run in runs if run.config.protocol == "single"]

"""Our verdicts beside those of EvalPlus 0.3.1: ``python -m benchmarks.grading.crosscheck RUN_FOLDER...``.

Graded are the reference solutions, mutants of them, and the answers of the stored runs. EvalPlus's verdicts are kept
in the output folder as they come, so that a run which was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.grading.agreement import Pair, report
from benchmarks.grading.evalplus import (
    LOST,
    ROOT,
    EvalPlus,
    EvalPlusFailedError,
    EvalPlusMissingError,
    Theirs,
    ensure,
)
from benchmarks.grading.programs import (
    Program,
    answers,
    benchmark_of,
    data_lines,
    default_benchmarks,
    mutated,
    references,
    spread,
    without_doubles,
    write_data,
)
from benchmarks.grading.reasons import Difference, differs, reason
from benchmarks.progress import tell
from opencodeinterpreter import OcintError
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.problems import Dataset
from opencodeinterpreter.evaluation.run_folder import Run, read_run

_BATCH = 20
"""Problems that are handed to EvalPlus at a time."""
_AGAIN = 3
"""How often EvalPlus is asked again where the two differ."""


def read_verdicts(path: Path) -> dict[str, Theirs]:
    """Return the verdicts that are kept in a file by the keys of their programs; a line that was cut off is no more.

    The file is mended, so that the next line stands by itself.
    """
    lines = path.read_text(encoding="ascii").splitlines(keepends=True) if path.exists() else []
    whole = [line for line in lines if line.endswith("\n")]
    if whole != lines:
        path.write_text("".join(whole), encoding="ascii")
    rows = map(json.loads, whole)
    return {row["key"]: Theirs(row["base"], row["plus"]) for row in rows}


class Judge:
    """Asks EvalPlus about programs of one data set.

    Args:
        evalplus: that is asked.
        dataset: of the programs.
        kept: the file in which its verdicts are kept.
        parallel: how many programs it runs at a time.
    """

    def __init__(self, evalplus: EvalPlus, dataset: Dataset, kept: Path, parallel: int) -> None:
        self._evalplus = evalplus
        self._family = dataset.problems[0].family
        self._lines = data_lines(dataset)
        self._path = kept
        self._parallel = parallel
        self._known = read_verdicts(kept)

    def judge(self, programs: Sequence[Program]) -> list[Theirs]:
        """Return the verdict on each program, in their order."""
        waiting = list(without_doubles(program for program in programs if program.key not in self._known))
        for number, batch in enumerate(_batches(waiting)):
            began = time.monotonic()
            for program, theirs in zip(batch, self.ask(batch), strict=True):
                self._keep(program, theirs)
            tell(f"EvalPlus, batch {number + 1}: {len(batch)} programs in {time.monotonic() - began:.0f} s")
        return [self._known[program.key] for program in programs]

    def ask(self, programs: Sequence[Program]) -> list[Theirs]:
        """Return EvalPlus's verdicts as it gives them now; what makes it end without any is found by halving."""
        with tempfile.TemporaryDirectory(prefix="evalplus-") as folder:
            scratch = Path(folder)
            ids = dict.fromkeys(program.problem.id for program in programs)
            data = write_data([self._lines[problem] for problem in ids], scratch / "data.jsonl")
            samples = [(program.problem.id, program.code) for program in programs]
            try:
                return list(self._evalplus.evaluate(self._family, data, samples, scratch, self._parallel).verdicts)
            except EvalPlusFailedError as error:
                if len(programs) == 1:
                    tell(f"{programs[0].problem.id}: {error}")
                    return [Theirs(LOST, LOST)]
        half = len(programs) // 2
        return self.ask(programs[:half]) + self.ask(programs[half:])

    def _keep(self, program: Program, theirs: Theirs) -> None:
        self._known[program.key] = theirs
        with self._path.open("a", encoding="ascii") as file:
            file.write(json.dumps({"key": program.key, "problem": program.problem.id, **asdict(theirs)}) + "\n")


def _batches(programs: Sequence[Program]) -> Iterator[list[Program]]:
    by_problem: dict[str, list[Program]] = {}
    for program in programs:
        by_problem.setdefault(program.problem.id, []).append(program)
    groups = list(by_problem.values())
    for start in range(0, len(groups), _BATCH):
        yield [program for group in groups[start : start + _BATCH] for program in group]


def compared(dataset: Dataset, programs: Sequence[Program], judge: Judge) -> tuple[list[Pair], list[Difference]]:
    """Grade programs by both, and look closer where they differ."""
    pairs, differences = [], []
    # As if it were one's own data: references are run again, and not taken for what gave the right outputs.
    with Grader(replace(dataset, published=False)) as grader:
        tell(f"{dataset.name} {dataset.version}: {len(programs)} programs, ours")
        ours = list(grader.grade_many((program.problem, program.code) for program in programs))
        theirs = judge.judge(programs)
        for program, one, other in zip(programs, ours, theirs, strict=True):
            pairs.append(Pair(f"{dataset.name} {dataset.version}", program, one, other))
            difference = differs(program, one, other)
            if difference is not None:
                differences.append(_closer(difference, grader, judge))
                tell(f"{program.problem.id}: {reason(differences[-1])}")
    return pairs, differences


def _closer(difference: Difference, grader: Grader, judge: Judge) -> Difference:
    program = difference.program
    again = tuple(judge.ask([program])[0] for _ in range(_AGAIN))
    if difference.suite == "base":
        return replace(difference, again=again)
    alone = replace(program.problem, base_inputs=program.problem.plus_inputs, plus_inputs=())
    return replace(difference, again=again, apart=grader.grade(alone, program.code).base.verdict)


def programs_of(dataset: Dataset, runs: Iterable[Run], limit: int | None, mutants: int, seed: int) -> list[Program]:
    """Return the references, ``mutants`` of each, and the answers of the runs, of all problems or so many."""
    problems = spread(dataset.problems, limit)
    found = references(problems) + mutated(problems, mutants, seed)
    for run in runs:
        found += answers(run, problems)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading.crosscheck", description=__doc__)
    parser.add_argument("runs", nargs="*", type=Path, help="folders of stored runs; without: references and mutants")
    parser.add_argument("--mutants", type=int, default=2, help="of each reference (%(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the mutants (%(default)s)")
    parser.add_argument("--limit", type=int, help="so many problems of each data set, spread over it")
    parser.add_argument("--parallel", type=int, default=2, help="programs that EvalPlus runs at a time (%(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "crosscheck", help="folder (%(default)s)")
    parser.add_argument("--evalplus", type=Path, help="a virtual environment that has EvalPlus 0.3.1")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    pairs: list[Pair] = []
    differences: list[Difference] = []
    try:
        evalplus = ensure(tell, options.evalplus)
        runs = [read_run(path) for path in options.runs]
        options.out.mkdir(parents=True, exist_ok=True)
        for name, version in dict.fromkeys(map(benchmark_of, runs)) if runs else default_benchmarks():
            dataset = load_dataset(name, version)
            kept = options.out / f"evalplus-{name}-{dataset.version}-{dataset.sha256[:8]}.jsonl"
            judge = Judge(evalplus, dataset, kept, options.parallel)
            own = [run for run in runs if benchmark_of(run) == (name, version)]
            programs = programs_of(dataset, own, options.limit, options.mutants, options.seed)
            found, different = compared(dataset, programs, judge)
            pairs += found
            differences += different
    except (OcintError, EvalPlusMissingError, EvalPlusFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; the same command goes on from here.", file=sys.stderr)
        return 130
    text = report(pairs, differences)
    (options.out / "report.md").write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

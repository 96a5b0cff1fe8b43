"""Measure a model on the tasks of real use: ``python -m benchmarks.realuse.run --model NAME --out FILE.jsonl``.

Every finished run is one line of the file. Stopped at any time, the same command goes on where it was; a change of
the tasks, the settings or the interpreter makes new runs.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from benchmarks.realuse.arms import Settings, run_task
from benchmarks.realuse.records import append, read, record, run_key
from benchmarks.realuse.task import Task
from benchmarks.realuse.tasks import CHOICES, select
from opencodeinterpreter import ChatModel, OcintError, load_model


@dataclass
class Progress:
    """One line a finished run: what came of it, the rates of its suite so far, the time left."""

    total: int
    stream: TextIO
    done: int = 0
    suites: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    """Of each suite, how many runs are done and how many passed by each arm."""
    measured: list[float] = field(default_factory=list)
    """Seconds of the runs of this process."""

    def count(self, row: dict[str, Any]) -> None:
        self.done += 1
        counts = self.suites[row["suite"]]
        counts["done"] += 1
        for arm in ("single", "feedback"):
            counts[arm] += row[arm]["passed"]

    def finished(self, row: dict[str, Any], seconds: float) -> None:
        self.count(row)
        self.measured.append(seconds)
        left = (self.total - self.done) * sum(self.measured) / len(self.measured)
        marks = "".join("+" if row[arm]["passed"] else "-" for arm in ("single", "feedback"))
        reason = row["feedback"]["kind"]
        counts = self.suites[row["suite"]]
        self.stream.write(
            f"[{self.done}/{self.total}] {row['task']} seed {row['seed']}: {marks} "
            f"{row['feedback']['rounds']} rounds {seconds:.0f} s{f' ({reason})' if reason else ''} | "
            f"{row['suite']}: without feedback {counts['single'] / counts['done']:.0%}, "
            f"with {counts['feedback'] / counts['done']:.0%} | "
            f"left {clock(left)}\n"
        )
        self.stream.flush()


def clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"


def measure(
    model: ChatModel,
    tasks: Sequence[Task],
    seeds: Sequence[int],
    settings: Settings,
    out: Path,
    *,
    name: str | None = None,
    stream: TextIO | None = None,
    keep: bool = True,
) -> Progress:
    """Run every task with every seed that ``out`` does not have yet.

    Args:
        name: what the model is called in the records; its own name by default.
        stream: where progress goes; standard error by default.
        keep: leave the files of every run in a folder beside ``out``.

    Raises:
        ModelError, SandboxError: the interpreter cannot be had.
    """
    name, stream = name or model.name, stream or sys.stderr
    known = {row["key"]: row for row in read(out)}
    progress = Progress(len(tasks) * len(seeds), stream)
    missing = []
    for seed in seeds:  # all tasks of a seed first, so that a part of the measurement is a fair one
        for task in tasks:
            row = known.get(run_key(task, name, seed, settings))
            if row is None:
                missing.append((task, seed))
            else:
                progress.count({**row, "suite": task.suite})  # the first records did not name it
    if progress.done:
        stream.write(f"{progress.done} of {progress.total} runs are there already\n")
    for task, seed in missing:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="realuse-") as folder:
            run = run_task(task, model, seed, settings, Path(folder) / "kept")
            row = record(task, name, seed, settings, run)
            if keep:
                target = out.with_suffix(".files") / row["key"]
                shutil.rmtree(target, ignore_errors=True)  # left by a run that was stopped before its line
                shutil.copytree(Path(folder) / "kept", target)
        append(out, row)
        progress.finished(row, time.monotonic() - began)
    return progress


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realuse.run", description=__doc__)
    parser.add_argument("--model", required=True, help="as for ocint --model")
    parser.add_argument("--out", required=True, type=Path, help="JSONL file that the records are added to")
    parser.add_argument("--seeds", type=int, default=3, help="how many: 0, 1, 2, ... (default 3)")
    parser.add_argument("--suite", choices=CHOICES, default="everyday", help="which tasks (default everyday)")
    parser.add_argument("--tasks", default="", help="ids of any suite, with commas, instead of a whole suite")
    parser.add_argument("--max-rounds", type=int, default=Settings.max_rounds)
    parser.add_argument("--temperature", type=float, default=Settings.temperature)
    parser.add_argument("--max-tokens", type=int, default=Settings.max_tokens, help="of one reply")
    parser.add_argument("--run-seconds", type=float, default=Settings.run_seconds, help="limit of one run")
    parser.add_argument("--discard-files", action="store_true", help="do not keep the files that runs made")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    settings = Settings(
        max_rounds=options.max_rounds,
        temperature=options.temperature,
        max_tokens=options.max_tokens,
        run_seconds=options.run_seconds,
    )
    try:
        tasks = select([name for name in options.tasks.split(",") if name], options.suite)
    except KeyError as error:
        print(f"There are no such tasks: {error.args[0]}", file=sys.stderr)
        return 2
    try:
        model = load_model(options.model)
        try:
            seeds = range(options.seeds)
            measure(model, tasks, seeds, settings, options.out, name=options.model, keep=not options.discard_files)
        finally:
            model.close()
    except KeyboardInterrupt:
        print("\nStopped; the same command goes on from here.", file=sys.stderr)
        return 130
    except OcintError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Stages of tests, and a program that runs one and is killed at a given point.

    python stage_samples.py FOLDER KIND WORKERS POINT NUMBER

At the POINT ``row`` it is killed before a row is done, at ``append`` before that is written, at ``flush`` after it,
at ``replace`` before an output gets its name, at ``remove`` before the journal is removed: when it comes there for the
NUMBERth time.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from opencodeinterpreter.codefeedback.pipeline.journal import Journal
from opencodeinterpreter.codefeedback.pipeline.running import Ended, Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Process, Row, Table
from opencodeinterpreter.errors import InputError


@dataclass
class Splitting:
    """Gives two rows for a number that three divides, drops those that seven divides, one row else."""

    settings: Mapping[str, Any] = field(default_factory=lambda: {"seed": 1, "factor": 10})
    name: str = "splitting"
    seconds: float = 0.0
    events: list[str] = field(default_factory=list)
    stopped: bool = False
    at_once: int = 0
    most_at_once: int = 0

    @contextmanager
    def prepare(self) -> Iterator[Process]:
        self.events.append("opened")
        self._lock = threading.Lock()
        try:
            yield self.process
        finally:
            self.events.append("closed")

    def stop(self) -> None:
        self.stopped = True

    def process(self, row: Row) -> Outcome:
        with self._lock:
            self.at_once += 1
            self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            number = row.get("n")
            if not isinstance(number, int):
                raise InputError("a row of this test must have a number n")
            # Uneven, so that rows end in another order than they begin in.
            if self.seconds:
                time.sleep(self.seconds * (number % 5))
            notes = {"rows": 1, "by rest": {str(number % 3): 1}}
            if number % 7 == 0:
                return Outcome(drops=(Drop("seven divides it", f"{number} = 7 * {number // 7}"),), notes=notes)
            made = {"id": f"{row['id']}-a", "value": number * self.settings["factor"], "text": "é\u2028"}
            more = ({"id": f"{row['id']}-b", "value": -number},) if number % 3 == 0 else ()
            return Outcome((made, *more), notes=notes)
        finally:
            with self._lock:
                self.at_once -= 1


@dataclass
class Pairing:
    """A table stage: the last rows with the first ones; one that finds no other is dropped."""

    settings: Mapping[str, Any] = field(default_factory=lambda: {"seed": 1})
    name: str = "pairing"

    def check(self, row: Row) -> None:
        if not isinstance(row.get("n"), int):
            raise InputError("a row of this test must have a number n")

    def build(self, table: Table) -> Iterator[Outcome]:
        kept = table.folder / "numbers.json"
        if not kept.exists():
            partial = table.folder / "numbers.partial"
            partial.write_text(json.dumps([row["n"] for row in table.rows]))
            partial.replace(kept)
        numbers = json.loads(kept.read_text())
        assert len(numbers) == len(table.rows)
        table.told.begin(len(numbers), "numbers")
        for number, row in enumerate(table.rows):
            table.told.advance()
            if 2 * number + 1 < len(numbers):
                yield Outcome(({"id": row["id"], "pair": [row["n"], numbers[-1 - number]]},), notes={"pairs": 1})
            elif 2 * number + 1 == len(numbers):
                yield Outcome(drops=(Drop("no other", row=row),))


def write_rows(path: Path, count: int, first: int = 0) -> Path:
    path.write_text("".join(json.dumps({"id": f"r{n}", "n": n}) + "\n" for n in range(first, first + count)))
    return path


def files_of(folder: Path) -> dict[str, bytes]:
    """The outputs, without the manifest, which has times in it."""
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if "manifest" not in path.name}


def run_sample(folder: Path, inputs: Path, kind: str = "splitting", workers: int = 1, **options: Any) -> Ended:
    stage = Splitting(seconds=0.0002 if workers > 1 else 0.0) if kind == "splitting" else Pairing()
    return run_stage(Job(stage, [inputs], folder / "out.jsonl", workers=workers, **options))


def _kill_at(point: str, number: int) -> None:
    count = 0

    def here() -> None:
        nonlocal count
        count += 1
        if count == number:
            os.kill(os.getpid(), signal.SIGKILL)
            time.sleep(60)

    def before(owner: Any, name: str, wanted: str = "") -> None:
        plain = getattr(owner, name)

        def killed(self: Any, *given: Any) -> Any:
            if wanted in str(given[0] if given and isinstance(given[0], Path) else ""):
                here()
            return plain(self, *given)

        setattr(owner, name, killed)

    match point:
        case "row":
            before(Splitting, "process")
        case "append":
            before(Journal, "append")
        case "flush":
            plain = Journal.append

            def flushed(self: Journal, entry: Any) -> None:
                plain(self, entry)
                self.flush()
                here()

            Journal.append = flushed  # type: ignore[method-assign]
        case "replace":
            before(Path, "replace")
        case "remove":
            before(Journal, "remove")


if __name__ == "__main__":
    sample, sample_kind, sample_workers, kill_point, kill_number = sys.argv[1:]
    _kill_at(kill_point, int(kill_number))
    run_sample(Path(sample) / "made", Path(sample) / "in.jsonl", sample_kind, int(sample_workers))

"""The stages that ask no model, each on rows of its own; as a program, one that is killed when it tells how far it is.

python killed_stage_samples.py FOLDER STAGE NUMBER
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from opencodeinterpreter.codefeedback.files.jsonl import Record, read_records
from opencodeinterpreter.codefeedback.pipeline.running import Ended, Job, Silent, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import Row
from opencodeinterpreter.codefeedback.sessions import from_sessions
from opencodeinterpreter.codefeedback.sources import read_files
from opencodeinterpreter.codefeedback.stages import Around, make_stage

DEEDS = ["sort", "read", "print", "test", "copy", "delete"]
THINGS = ["list of numbers", "text file", "web server", "database table", "binary tree"]
SETTINGS: dict[str, dict[str, Any]] = {
    "take": {"count": 9, "seed": 1},
    "pack": {"model": "tfidf", "floor": 0.2},
    "decontaminate": {"run": False},
}


class Killing(Silent):
    """Kills this program when it is told of progress for the given time."""

    def __init__(self, number: int) -> None:
        self._left = number

    def advance(self, number: int = 1, kept: int = 0, dropped: int = 0) -> None:
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def rows_for(stage: str) -> list[Row]:
    requests = [f"How do I {deed} a {thing} in the quickest way?" for thing in THINGS for deed in DEEDS]
    if stage == "read":
        return [{"instruction": text, "output": f"```python\nprint({n})\n```"} for n, text in enumerate(requests)]
    if stage in ("queries", "check"):
        tests = {"program": "assert value == 1\n"}
        return [
            {"id": f"p{n}", "statement": text, "solutions": [{"code": f"value = {1 + n // 4}"}], "tests": tests}
            for n, text in enumerate(requests[: 6 if stage == "check" else None])
        ]
    again = 10 if stage == "decontaminate" else 2
    return [
        {"id": f"q{n}", "query": text, "answer": "Use `sorted`.", "language": "python", "licence": "MIT"}
        for n, text in enumerate(requests * again)
    ]


def session(number: int) -> list[Row]:
    return [
        {"type": "session", "model": "small"},
        {"type": "turn_started", "task": f"What is {number}?", "files": [], "message": "m"},
        {"type": "round_finished", "reply": f"It is {number}." if number != 2 else "", "feedback": None},
    ]


def written(path: Path, rows: list[Row]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # One that cannot be used is set aside in each run.
    path.write_text("".join(json.dumps(row) + "\n" for row in rows) + "{\n" * (path.name == "in.jsonl"))
    return path


def run(folder: Path, stage: str, kill_at: int = 0) -> Ended:
    """Run a stage in a folder."""
    reader: Callable[[Path], Iterator[Record]] = read_files if stage == "read" else read_records
    if stage == "from-sessions":
        inputs = [written(folder / str(number) / "events.jsonl", session(number)) for number in range(5)]
        made: Any = from_sessions.stage(from_sessions.SessionSettings(names=("someone",)))
        reader = from_sessions.session_records
    else:
        inputs = [written(folder / "in.jsonl", rows_for(stage))]
        made = make_stage(stage, SETTINGS.get(stage, {}), inputs, replace(Around(), out=folder / "out.jsonl"))
    job = Job(made, inputs, folder / "out.jsonl", records=reader)
    return run_stage(job, Killing(kill_at))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))

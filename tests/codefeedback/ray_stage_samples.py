"""Real stages for Ray: one that asks a scripted model, one that runs code; as a program, one of them done by Ray.

python ray_stage_samples.py FOLDER STAGE
"""

from __future__ import annotations

import json
import sys
from functools import partial
from pathlib import Path
from typing import Any

from model_stage_samples import EXECUTION, judge

from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Player
from opencodeinterpreter.codefeedback.methods import judging
from opencodeinterpreter.codefeedback.pipeline.crew import Crew, Threads
from opencodeinterpreter.codefeedback.pipeline.running import Ended, Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import MapStage, Row
from opencodeinterpreter.codefeedback.verification.verifying import Verification, VerificationSettings
from opencodeinterpreter.models import ScriptedModel


def made(stage: str, folder: Path) -> MapStage:
    if stage == "verify":
        return Verification(VerificationSettings(execution=EXECUTION))
    # Each worker opens a model of its own; one that is open could not be sent to it.
    player = Player("judge", "judge", partial(ScriptedModel, [judge] * 100, name="judge"))
    means = Means({"judge": player}, folder / "replies.sqlite", seed=2, execution=EXECUTION)
    return judging.stage(means, judging.JudgingOptions(twice=True))


def rows_for(stage: str, count: int = 24) -> list[Row]:
    if stage == "filter":
        return [{"id": f"q{n}", "query": f"Print {n}.", "answer": "x", "language": "python"} for n in range(count)]
    return [dialog(n) for n in range(count)]


def dialog(number: int) -> Row:
    """Return a dialog: one of four fails its tests, one of four cannot be used, the others are right."""
    if number % 4 == 3:
        return {"id": f"d{number}", "messages": "none"}
    meta: dict[str, Any] = {"kind": "answer", "tests": {"program": f"assert value == {number + (number % 4 == 2)}\n"}}
    answer = f"So:\n\n```python\nvalue = {number}\nprint(value)\n```"
    messages = [
        {"role": "user", "content": f"Print {number} in Python."},
        {"role": "assistant", "content": answer, "meta": meta},
    ]
    return {"id": f"d{number}", "messages": messages, "meta": {"method": "packing"}}


def run(folder: Path, stage: str, crew: Crew, workers: int = 1) -> Ended:
    folder.mkdir(parents=True, exist_ok=True)
    inputs = folder / "in.jsonl"
    inputs.write_text("".join(json.dumps(row) + "\n" for row in rows_for(stage)))
    return run_stage(Job(made(stage, folder), [inputs], folder / "out.jsonl", workers=workers, crew=crew))


def with_threads(folder: Path, stage: str) -> Ended:
    return run(folder, stage, Threads())


if __name__ == "__main__":
    from opencodeinterpreter.codefeedback.pipeline.ray_stage import RayCrew

    run(Path(sys.argv[1]), sys.argv[2], RayCrew(), workers=2)

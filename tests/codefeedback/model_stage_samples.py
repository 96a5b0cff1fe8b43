"""The stages that ask models, with models that answer by a rule; as a program, one that is killed at a given request.

python model_stage_samples.py FOLDER STAGE REQUEST
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from opencodeinterpreter.codefeedback.asking.model_stage import Means
from opencodeinterpreter.codefeedback.asking.parts import Player
from opencodeinterpreter.codefeedback.methods import correction, follow_ups, judging, similar_problems, simulation
from opencodeinterpreter.codefeedback.pipeline.running import Ended, Job, run_stage
from opencodeinterpreter.codefeedback.pipeline.stage import MapStage, Row, TableStage
from opencodeinterpreter.codefeedback.verification.execution import ExecutionSettings, Executor
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.models import ScriptedModel

EXECUTION = ExecutionSettings(wall_seconds=10, at_once=1)
ROWS = 3
WISH = {"satisfied": [], "not_satisfied": ["clarity"], "about": "clarity", "feedback": "Please name the number."}
BROKEN = "number = 1\nprint(number + numbr)"
MENDED = "number = 1\nprint(number + number)"


def code(text: str) -> str:
    return f"So:\n```python\n{text}\n```"


def judge(messages: Sequence[Message]) -> str:
    return "5\nhard" if "2" not in messages[-1].content.split("</request>")[0] else "2"


def weak(messages: Sequence[Message]) -> str:
    return code(f"print({messages[-1].content!r}, numbr)")


def strong(messages: Sequence[Message]) -> str:
    last = messages[-1].content
    if "yes or no" in last:
        return "yes"
    if "NameError" in last:
        return code("print(17)")
    return code("number = 18\nprint(number)") if last.startswith("Please") else "It prints what was asked for."


def user(_: Sequence[Message]) -> str:
    return json.dumps(WISH)


def planter(_: Sequence[Message]) -> str:
    return code(BROKEN)


def mender(_: Sequence[Message]) -> str:
    return code(MENDED)


def narrator(messages: Sequence[Message]) -> str:
    return f"The problem has {len(messages[-1].content)} letters in all."


def linker(_: Sequence[Message]) -> str:
    return "Here is another one."


RULES: dict[str, dict[str, Callable[[Sequence[Message]], str]]] = {
    "filter": {"judge": judge},
    "simulate": {"weak": weak, "strong": strong, "user": user},
    "correct": {"mender": mender, "planter": planter},
    "followup": {"narrator": narrator},
    "similar": {"linker": linker},
}


def rows_for(stage: str) -> list[Row]:
    if stage in ("followup", "similar"):
        solutions = [
            {"code": f"print({time!r})", "language": "python", "time": time, "space": "O(1)"}
            for time in ("O(n)", "O(1)")
        ]
        return [
            {
                "id": f"p{n}",
                "statement": f"Problem {n}.",
                "tags": ["Math"],
                "solutions": solutions,
                "meta": {"checked": 1},
            }
            for n in range(ROWS)
        ]
    answer = f"```python\n{MENDED}\n```"
    return [{"id": f"q{n}", "query": f"Print {n}.", "answer": answer, "language": "python"} for n in range(ROWS)]


def run(
    folder: Path, stage: str, executor: Executor | None = None, kill_at: int = 0, workers: int = 1
) -> tuple[Ended, int]:
    """Run a stage in a folder; return how it ended, and how many replies were generated for it."""
    inputs = folder / "in.jsonl"
    inputs.write_text("".join(json.dumps(row) + "\n" for row in rows_for(stage)))
    lock, asked = threading.Lock(), [0]

    def counted(rule: Callable[[Sequence[Message]], str]) -> Callable[[Sequence[Message]], str]:
        def reply(messages: Sequence[Message]) -> str:
            with lock:
                asked[0] += 1
                if asked[0] == kill_at:
                    os.kill(os.getpid(), signal.SIGKILL)
            return rule(messages)

        return reply

    models = {part: ScriptedModel([counted(rule)] * 100, name=part) for part, rule in RULES[stage].items()}
    players = {part: Player(part, part, lambda model=model: model) for part, model in models.items()}
    means = Means(players, folder / "replies.sqlite", seed=2, execution=EXECUTION, executor=executor)
    ended = run_stage(Job(made(stage, means), [inputs], folder / "out.jsonl", workers=workers))
    return ended, asked[0]


def made(stage: str, means: Means) -> MapStage | TableStage:
    if stage == "filter":
        return judging.stage(means, judging.JudgingOptions(twice=True))
    if stage == "simulate":
        return simulation.stage(means)
    if stage == "correct":
        return correction.stage(means, correction.CorrectionOptions(kinds=("name",)))
    if stage == "followup":
        return follow_ups.stage(means)
    return similar_problems.stage(replace(means), similar_problems.SimilarOptions(sizes=(2,)))


if __name__ == "__main__":
    run(Path(sys.argv[1]), sys.argv[2], kill_at=int(sys.argv[3]))

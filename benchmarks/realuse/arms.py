"""Does one task with an interpreter and keeps the two states that are compared.

The arm *with* execution feedback is the turn as it ends. The arm *without* is the same generation, stopped after its
first execution: what a person would have if the output never went back to the model. In a task of several turns the
first arm's later turns rest on its refinements, so the second arm is a run of its own, with one execution a turn.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.realuse.outcome import Outcome
from benchmarks.realuse.task import DATA, Task
from opencodeinterpreter import Interpreter
from opencodeinterpreter.interpreter.code_actions import prose
from opencodeinterpreter.interpreter.events import Answer, Event, ExecutionFinished, Failure, RoundFinished
from opencodeinterpreter.models import ChatModel, Generation, Usage
from opencodeinterpreter.sandbox import ExecutionResult

KEPT_BYTES = 20_000_000
"""A file in the workspace past this size is not kept, and so counts as missing."""


@dataclass(frozen=True)
class Settings:
    """How the interpreter is set, the same for every task."""

    max_rounds: int = 5
    temperature: float = 0.2
    top_p: float = 1.0
    max_tokens: int = 1024
    run_seconds: float = 900.0
    """After so long a run is stopped and counts as missed."""

    def generation(self, seed: int) -> Generation:
        return Generation(max_tokens=self.max_tokens, temperature=self.temperature, top_p=self.top_p, seed=seed)


@dataclass
class Cost:
    """What a run took, over all its turns."""

    prompt_tokens: int = 0
    cached_prompt_tokens: int = 0
    completion_tokens: int = 0
    model_seconds: float = 0.0
    sandbox_seconds: float = 0.0
    seconds: float = 0.0
    """Of wall time, the start of the sandbox included."""

    def add_usage(self, usage: Usage) -> None:
        self.prompt_tokens += usage.prompt_tokens or 0
        self.cached_prompt_tokens += usage.cached_prompt_tokens or 0
        self.completion_tokens += usage.completion_tokens or 0
        self.model_seconds += usage.total_seconds or 0.0


@dataclass
class Arm:
    """A state of the task, as it is judged and recorded."""

    outcome: Outcome
    ended: str
    """The answer's outcome, "first execution", "time limit", or which failure it was."""
    executions: int
    last: ExecutionResult | None
    """Of the last turn."""
    cost: Cost


@dataclass
class Run:
    """A task done once by each arm."""

    feedback: Arm
    single: Arm
    dialog: dict[str, Any]
    dialog_single: dict[str, Any] | None = None
    """Of a task of several turns, where the second arm is a run of its own."""


@dataclass
class _Watch:
    """What has been seen of a run so far."""

    cost: Cost = field(default_factory=Cost)
    rounds: int = 0
    executions: int = 0
    results: list[ExecutionResult] = field(default_factory=list)
    reply: str = ""
    ended: str = ""

    def begin_turn(self) -> None:
        self.results, self.reply, self.ended = [], "", ""

    def see(self, event: Event) -> None:
        if isinstance(event, ExecutionFinished):
            self.executions += 1
            self.results.append(event.result)
            self.cost.sandbox_seconds += event.result.duration
        elif isinstance(event, RoundFinished):
            self.rounds += 1
            self.reply = event.reply
            if event.usage is not None:
                self.cost.add_usage(event.usage)
        elif isinstance(event, Answer):
            self.ended = event.outcome
        elif isinstance(event, Failure):
            self.ended = f"{event.kind} failure: {event.message}"

    def arm(self, workspace: Path, keep: Path, ended: str, began: float) -> Arm:
        """Keep the state of now: the files are copied, for the run may go on."""
        keep_files(workspace, keep)
        good = [result for result in self.results if result.ok]
        outcome = Outcome(
            text=prose(self.reply),
            shown=printed(good[-1]) if good else "",
            stdout="\n".join(printed(result) for result in self.results),
            files=keep,
            rounds=self.rounds,
        )
        cost = Cost(**{**vars(self.cost), "seconds": time.monotonic() - began})
        return Arm(outcome, ended, self.executions, self.results[-1] if self.results else None, cost)


def printed(result: ExecutionResult) -> str:
    """Return the text that a person sees of an execution: what it printed, showed, and its last value."""
    shown = [
        str(display.data["text/plain"])
        for display in result.displays
        if "text/plain" in display.data and not any(kind.startswith("image/") for kind in display.data)
    ]
    parts = [result.stdout, *shown]
    if result.result is not None and result.result not in shown:
        parts.append(result.result)
    return "\n".join(part.rstrip("\n") for part in parts if part.strip())


def keep_files(workspace: Path, keep: Path) -> None:
    """Copy the plain files of a workspace; links are left out, for they may lead anywhere."""
    keep.mkdir(parents=True)
    for path in sorted(workspace.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.stat().st_size > KEPT_BYTES:
            continue
        target = keep / path.relative_to(workspace)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)


def run_task(task: Task, model: ChatModel, seed: int, settings: Settings, keep: Path) -> Run:
    """Do a task once by each arm.

    Args:
        keep: an empty folder that gets the files of the two states, in ``feedback`` and ``single``.

    Raises:
        ModelError, SandboxError: if the interpreter cannot be had at all.
    """
    feedback, snapshot, dialog = _dialog(task, model, seed, settings, keep / "feedback", keep / "single")
    if len(task.turns) == 1:
        if snapshot is None:  # nothing was executed: there is no feedback to do without
            shutil.copytree(keep / "feedback", keep / "single")
            outcome = Outcome(**{**vars(feedback.outcome), "files": keep / "single"})
            snapshot = Arm(outcome, feedback.ended, 0, None, feedback.cost)
        return Run(feedback, snapshot, dialog)
    once = Settings(**{**vars(settings), "max_rounds": 1})
    single, _, other = _dialog(task, model, seed, once, keep / "single", None)
    return Run(feedback, single, dialog, other)


def _dialog(
    task: Task, model: ChatModel, seed: int, settings: Settings, keep: Path, keep_first: Path | None
) -> tuple[Arm, Arm | None, dict[str, Any]]:
    """Go through the turns; return the last state, the one after the first execution, and the dialog."""
    began = time.monotonic()
    watch, first = _Watch(), None
    ended = ""
    with Interpreter(model=model, max_rounds=settings.max_rounds, generation=settings.generation(seed)) as interpreter:
        with _time_limit(interpreter, settings.run_seconds) as late:
            for turn in task.turns:
                watch.begin_turn()
                for event in interpreter.stream(turn.message, files=[DATA / name for name in turn.files]):
                    watch.see(event)
                    after_execution = isinstance(event, RoundFinished) and watch.executions == 1
                    if after_execution and first is None and keep_first and len(task.turns) == 1:
                        first = watch.arm(interpreter.sandbox.workspace, keep_first, "first execution", began)
                ended = "time limit" if late.is_set() else watch.ended
                if late.is_set() or "failure" in watch.ended:
                    break
        arm = watch.arm(interpreter.sandbox.workspace, keep, ended, began)
        return arm, first, interpreter.dialog.to_json()


@contextmanager
def _time_limit(interpreter: Interpreter, seconds: float) -> Iterator[threading.Event]:
    """Stop the interpreter after ``seconds``; the event says whether that was so."""
    late = threading.Event()

    def stop() -> None:
        late.set()
        interpreter.stop()

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()

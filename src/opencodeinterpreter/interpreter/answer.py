"""How a turn ended: its answer, what it made, what it cost."""

from __future__ import annotations

from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.interpreter.code_actions import prose
from opencodeinterpreter.interpreter.events import Answer, Outcome
from opencodeinterpreter.interpreter.feedback import shorten
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.models.base import Usage
from opencodeinterpreter.sandbox.base import Artifact, Display, FileChange


def answer_of(turn: Turn, outcome: Outcome, dialog: Dialog, language: str) -> Answer:
    """Return the answer of a turn that has ended; where the model had no last word, the state of the job."""
    text = prose(turn.rounds[-1].reply, language) if outcome == "answered" else ""
    return Answer(
        text=text or state_of_job(turn, outcome),
        outcome=outcome,
        rounds=tuple(turn.rounds),
        dialog=dialog,
        artifacts=_artifacts(turn),
        usage=_summed(turn),
    )


def state_of_job(turn: Turn, outcome: Outcome) -> str:
    """Say plainly, in our words, where a job stands that the model gave no last word on."""
    if outcome == "ran":
        return ""  # whoever ran the code sees what it gave
    executed = [round_ for round_ in turn.rounds if round_.result is not None]
    runs = f"{len(executed)} run{'' if len(executed) == 1 else 's'}"
    why = {
        "answered": "The model gave no answer in words.",
        "max rounds": f"Stopped after {runs}, as many as allowed.",
        "repeated": f"Stopped after {runs}: the model repeats itself.",
        "stopped": "Stopped.",
        "rejected": "The code was not run.",
    }[outcome]
    if not executed:
        return why
    result = executed[-1].result
    assert result is not None
    if result.ok:
        output = "\n".join(part for part in (result.stdout.rstrip(), result.result or "") if part)
        shown = f" Its output:\n{shorten(output)}" if output else " It printed nothing."
        return f"{why} The last run ended without error.{shown}"
    if result.reason == "stopped":
        return why
    reason = f"{result.error.name}: {shorten(result.error.value, 300)}" if result.error else result.reason
    advice = " Say what to do differently, or give it more to go on." if outcome in {"repeated", "max rounds"} else ""
    return f"{why} The last run failed: {reason}.{advice}"


def _artifacts(turn: Turn) -> tuple[Artifact, ...]:
    """Every rich output in order, then the last change of each file."""
    displays: list[Display] = []
    files: dict[str, FileChange] = {}
    for round_ in turn.rounds:
        if round_.result is not None:
            displays += round_.result.displays
            for change in round_.result.files:
                known = files.get(change.path)
                made_here = known is not None and known.change == "created"
                files[change.path] = FileChange(change.path, change.size, "created" if made_here else change.change)
    return (*displays, *files.values())


def _summed(turn: Turn) -> Usage:
    usages = [round_.usage for round_ in turn.rounds if round_.usage is not None]

    def total(name: str) -> float | None:
        values = [getattr(usage, name) for usage in usages]
        known = [value for value in values if value is not None]
        return sum(known) if known else None

    return Usage(
        **{  # type: ignore[arg-type]
            name: total(name)
            for name in (
                "prompt_tokens",
                "cached_prompt_tokens",
                "completion_tokens",
                "prompt_seconds",
                "completion_seconds",
                "total_seconds",
            )
        }
    )

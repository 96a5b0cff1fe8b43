"""What a run of a task left behind, what is needed of it, and the verdict."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True)
class Outcome:
    """The state in which a person finds a task when the interpreter has stopped."""

    text: str
    """The final answer in words, without code."""
    shown: str
    """The output of the last execution that succeeded in the last turn."""
    stdout: str
    """The output of every execution of the last turn, joined; kept to be read, never to be graded."""
    files: Path
    """The workspace."""
    rounds: int
    """Executions and replies, over all turns."""


@dataclass(frozen=True)
class Verdict:
    """Whether an outcome answers its task."""

    passed: bool
    reason: str
    """Of a failure: the first need that was not met. Empty for a pass."""


class Need(Protocol):
    """One thing that an outcome must show."""

    def missing(self, outcome: Outcome) -> str | None:
        """Return what is missing, as a phrase, or None if the need is met."""
        ...

    def phrase(self) -> str:
        """Return how a right answer could state it; empty for a file."""
        ...


LINES_SEEN = 40
"""Of an output, the lines that count: a value buried in a dump further up is not an answer."""


def sources(outcome: Outcome) -> tuple[str, str]:
    """Return the places where a value may stand, the answer's text first."""
    return outcome.text, "\n".join(outcome.shown.splitlines()[-LINES_SEEN:])


def judge(needs: tuple[Need, ...], outcome: Outcome) -> Verdict:
    for need in needs:
        missing = need.missing(outcome)
        if missing is not None:
            return Verdict(False, missing)
    return Verdict(True, "")

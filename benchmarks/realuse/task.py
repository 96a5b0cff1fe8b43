"""A task: what is asked, on which files, and what an answer needs."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Literal

from benchmarks.realuse.outcome import Need, Outcome, Verdict, judge

DATA = Path(__file__).parent / "data"

Category = Literal[
    "arithmetic",
    "tables",
    "joins",
    "plots",
    "conversion",
    "text",
    "simulation",
    "algorithms",
    "debugging",
    "follow-ups",
    "surprises",
]
Language = Literal["en", "zh", "de"]
Suite = Literal["everyday", "hard"]

Reference = Callable[[Path], tuple[Need, ...]]
"""Solves the task in a workspace that holds its files: writes the files asked for, returns what is needed."""


@dataclass(frozen=True)
class Turn:
    """One message of the user."""

    message: str
    files: tuple[str, ...] = ()
    """Names in the data folder, uploaded with the message."""


@dataclass(frozen=True)
class Task:
    """Something that a person wants done, with an answer that a machine can check."""

    id: str
    category: Category
    turns: tuple[Turn, ...]
    reference: Reference = field(repr=False)
    language: Language = "en"
    suite: Suite = "hard"

    @property
    def files(self) -> tuple[str, ...]:
        return tuple(name for turn in self.turns for name in turn.files)

    def check(self, outcome: Outcome) -> Verdict:
        """Judge an outcome by what the reference solution finds in the same files."""
        return judge(_needs(self), outcome)

    def solve(self, workspace: Path) -> tuple[Need, ...]:
        """Put the task's files into ``workspace`` and run the reference solution there."""
        for name in self.files:
            shutil.copy(DATA / name, workspace / name)
        return self.reference(workspace)


@cache
def _needs(task: Task) -> tuple[Need, ...]:
    with tempfile.TemporaryDirectory() as folder:
        return task.solve(Path(folder))


def single(
    id: str,  # noqa: A002 - the name of the field
    category: Category,
    message: str,
    files: tuple[str, ...],
    reference: Reference,
    language: Language = "en",
) -> Task:
    """Return a hard task of one turn."""
    return Task(id, category, (Turn(message, files),), reference, language)


def everyday(
    id: str,  # noqa: A002 - the name of the field
    category: Category,
    message: str,
    files: tuple[str, ...],
    reference: Reference,
    language: Language = "en",
) -> Task:
    """Return an everyday task of one turn."""
    return Task(id, category, (Turn(message, files),), reference, language, "everyday")

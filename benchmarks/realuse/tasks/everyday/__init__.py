"""Short everyday tasks: one step wanted, small files; in about a third something fails at first with an error."""

from __future__ import annotations

from benchmarks.realuse.task import Task
from benchmarks.realuse.tasks.everyday import dialogs, jobs, languages, more, programs, questions, surprises

TASKS: tuple[Task, ...] = (
    *questions.TASKS,
    *jobs.TASKS,
    *more.TASKS,
    *surprises.TASKS,
    *programs.TASKS,
    *dialogs.TASKS,
    *languages.TASKS,
)

"""Every task, in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.realuse.task import Task
from benchmarks.realuse.tasks import (
    algorithms,
    arithmetic,
    conversion,
    debugging,
    followups,
    joins,
    languages,
    plots,
    simulation,
    surprises,
    tables,
    text,
)

TASKS: tuple[Task, ...] = (
    *arithmetic.TASKS,
    *tables.TASKS,
    *joins.TASKS,
    *plots.TASKS,
    *conversion.TASKS,
    *text.TASKS,
    *simulation.TASKS,
    *algorithms.TASKS,
    *debugging.TASKS,
    *followups.TASKS,
    *languages.TASKS,
    *surprises.TASKS,
)


def select(ids: Sequence[str]) -> tuple[Task, ...]:
    """Return the tasks of these ids in the fixed order; all of them where no id is given.

    Raises:
        KeyError: naming the ids that no task has.
    """
    unknown = set(ids) - {task.id for task in TASKS}
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    return tuple(task for task in TASKS if not ids or task.id in ids)

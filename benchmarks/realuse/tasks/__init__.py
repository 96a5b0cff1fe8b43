"""Every task, in a fixed order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, get_args

from benchmarks.realuse.task import Suite, Task
from benchmarks.realuse.tasks import (
    algorithms,
    arithmetic,
    conversion,
    debugging,
    everyday,
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
    *everyday.TASKS,
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


Choice = Literal[Suite, "all"]
CHOICES: tuple[Choice, ...] = get_args(Choice)


def select(ids: Sequence[str], suite: Choice = "all") -> tuple[Task, ...]:
    """Return the tasks of these ids, of whichever suite, in the fixed order.

    Args:
        ids: what to select.
        suite: where no id is given, all tasks of this suite.

    Raises:
        KeyError: naming the ids that no task has.
    """
    unknown = set(ids) - {task.id for task in TASKS}
    if unknown:
        raise KeyError(", ".join(sorted(unknown)))
    if ids:
        return tuple(task for task in TASKS if task.id in ids)
    return tuple(task for task in TASKS if suite in ("all", task.suite))

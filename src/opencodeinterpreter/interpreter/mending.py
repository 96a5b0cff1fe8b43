"""Says how a line that failed would be right, where the tables that are there leave no doubt."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

from opencodeinterpreter.interpreter.feedback import failing_line
from opencodeinterpreter.interpreter.hints import modern_line
from opencodeinterpreter.sandbox.base import ErrorInfo

Frames = Mapping[str, Any]
"""Of each table its name, its shape, and its columns, each a list that begins with the name."""


def how_to_mend(error: ErrorInfo, frames: Frames) -> list[str]:
    """Tell how the line that failed would be right, where that is a matter of one name: small models copy it else.

    Args:
        error: of the run.
        frames: the tables that there are.
    """
    line = failing_line(error)
    told = []
    mended = modern_line(error, line)
    if error.name == "KeyError":
        wanted = error.value.strip("'\"")
        meant = _nearest_name(wanted, frames)
        told += _elsewhere(wanted, line, frames)
        if meant is not None:
            told.append(f"There is no column {wanted!r}; there is {meant!r}, to be written exactly so.")
            mended = line.replace(f"'{wanted}'", repr(meant)).replace(f'"{wanted}"', repr(meant))
    if mended and mended != line:
        told.append(f"Wrong: {line}\nRight: {mended}")
    return told


def _elsewhere(wanted: str, line: str, frames: Frames) -> list[str]:
    """Tell of another table that has the column, and how to join it where the two share one."""
    columns = {name: [column[0] for column in described] for name, (_, described) in frames.items()}
    used = [name for name in columns if re.search(rf"\b{re.escape(name)}\b", line) and wanted not in columns[name]]
    told = []
    for other, has in columns.items():
        for name in used:
            shared = [column for column in columns[name] if column in has]
            if wanted in has and shared:
                told.append(
                    f"{name} has no column {wanted!r}, but {other} has it, and both have {shared[0]!r}: "
                    f"join them first, as in {name}.merge({other}, on={shared[0]!r})."
                )
    return told[:1]


def _nearest_name(wanted: str, frames: Frames) -> str | None:
    """Return the column that was probably meant: a space or a capital is easily overlooked."""
    for _, columns in reversed(list(frames.values())):
        known = {column[0].strip().casefold(): column[0] for column in columns}
        near = difflib.get_close_matches(wanted.strip().casefold(), known, n=1)
        if near and wanted not in known.values():
            return str(known[near[0]])
    return None

"""What the log of a session says of it, for the room that holds the session."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.session_log import read_numbered


def chosen(log: Path) -> dict[str, Any]:
    """Return the ``model`` and the ``approve`` that were chosen last; a name is missing if it never was."""
    found: dict[str, Any] = {}
    for _, row in read_numbered(log):
        if row.get("type") in ("session", "chosen"):
            found.update({key: row[key] for key in ("model", "approve") if row.get(key) not in (None, "")})
    return found


def code_of(log: Path, cell: int) -> str:
    """Return the code of a cell.

    Args:
        log: the session's events.
        cell: the number of the event that began the code.

    Raises:
        InputError: the event of this number began no code.
    """
    for _, row in read_numbered(log, cell - 1):
        if row.get("type") in ("code_action_started", "approval_request"):
            return str(row["code"])
        break
    raise InputError(f"Event {cell} is no code cell.")


def turns_before_reset(log: Path) -> int:
    """Return how many turns came before the last reset, whose variables are gone for good."""
    resets = [int(row["turns"]) for _, row in read_numbered(log) if row.get("type") == "reset"]
    return resets[-1] if resets else 0


def was_cut(log: Path) -> bool:
    """Tell whether the last turn has no end: its program was killed."""
    return count_unless_cut(log) is None


def count_unless_cut(log: Path) -> int | None:
    """Return the number of the last event; None where the last turn has no end."""
    cut, last = False, 0
    for last, row in read_numbered(log):  # noqa: B007 - the last number is what is asked for
        kind = row.get("type")
        if kind == "turn_started":
            cut = True
        elif kind in ("answer", "failure", "interrupted", "undo"):
            cut = False
    return None if cut else last

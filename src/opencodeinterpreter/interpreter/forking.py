"""Makes a session out of another one: its dialog and its events up to the end of a turn, and its files."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.copying import copy_folder
from opencodeinterpreter.interpreter.recording import history_of

_OUTPUT = re.compile(rb'"outputs/([0-9a-f]{16}\.[a-z]{3})"')


def fill_fork(source: Path, target: Path, turn: int | None, title: str, limit_mb: int | None) -> None:
    """Put into a new session's folder what it takes over, and an event, "forked", that says where it comes from.

    The log is written last, and whole: until then the new session is not there. Its lines have the numbers that they
    had, so that comments still name their cells.

    Args:
        source: the folder of a session in which nothing runs.
        target: the new session's folder, without a log.
        turn: the last one taken over, 0 being the first; None takes over all.
        title: of the new session.
        limit_mb: of the files in the workspace; None for no limit.

    Raises:
        InputError: there is no such turn, or the files are too large.
        OSError: they cannot be copied.
    """
    lines = (source / "events.jsonl").read_bytes().splitlines(keepends=True)
    rows = [_row(line) for line in lines]
    starts = _live_turns(rows)
    if not starts:
        raise InputError("There is nothing to fork yet.")
    last = len(starts) - 1 if turn is None else turn
    if not 0 <= last < len(starts):
        raise InputError(f"There is no such turn to fork from; the session has {len(starts)}.")
    kept = len(lines) if turn is None else _end_of_turn(rows, starts[last])
    begun = {**rows[0], "time": round(time.time(), 3), "type": "session", "version": 1, "title": title}
    forked = {"time": begun["time"], "type": "forked", "session": source.name, "turn": last, "title": title}
    _copy_files(source, target, b"".join(lines[1:kept]), limit_mb)
    partial = target / "events.part"
    with partial.open("wb") as file:
        file.write(_line(begun))
        file.writelines(lines[1:kept])
        file.writelines(_line({"time": begun["time"], **row}) for row in _rated_later(rows, kept, last))
        file.write(_line(forked))
    partial.replace(target / "events.jsonl")


def _live_turns(rows: Sequence[dict[str, Any]]) -> list[int]:
    """Return where the turns begin that were not taken back: of each the place of its first event."""
    starts: list[int] = []
    for place, row in enumerate(rows):
        if row.get("type") == "turn_started":
            starts.append(place)
        elif row.get("type") == "undo" and starts:
            starts.pop()
    return starts


def _end_of_turn(rows: Sequence[dict[str, Any]], start: int) -> int:
    """Return the place after the last event of the turn that begins at ``start``."""
    later = (place for place in range(start + 1, len(rows)) if rows[place].get("type") == "turn_started")
    return next(later, len(rows))


def _rated_later(rows: Sequence[dict[str, Any]], kept: int, last: int) -> list[dict[str, Any]]:
    """Return the ratings, of the turns taken over, that were given or taken back when the next turn had begun."""
    then, now = history_of(rows[:kept]), history_of(rows)
    return [
        {"type": "rated", "turn": number, "rating": now[number].rating}
        for number in range(last + 1)
        if now[number].rating != then[number].rating
    ]


def _copy_files(source: Path, target: Path, log: bytes, limit_mb: int | None) -> None:
    copy_folder(source / "workspace", target / "workspace", limit_mb)
    for name in ("packages", "logs"):
        if (source / name).is_dir():
            copy_folder(source / name, target / name)
    for found in sorted(set(_OUTPUT.findall(log))):
        output = source / "outputs" / found.decode()
        if output.is_file():
            (target / "outputs").mkdir(exist_ok=True)
            shutil.copyfile(output, target / "outputs" / output.name)


def _row(line: bytes) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError:  # it is passed over wherever the log is read, and keeps its number
        return {}
    return row if isinstance(row, dict) else {}


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row, ensure_ascii=False) + "\n").encode()

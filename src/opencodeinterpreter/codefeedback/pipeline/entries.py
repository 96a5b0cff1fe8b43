"""One line of a stage's journal: what became of one input row, with the rows given as they will stand in the output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from opencodeinterpreter.codefeedback.files.row_files import row_bytes
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome

_ROWS: Final = b',"rows":['
_NO_MORE: Final = b'"drops":[]}\n'


@dataclass(frozen=True)
class Entry:
    """What became of one input row."""

    index: int
    """of the row in the input, from 0"""
    outcome: Outcome
    bad: bool = False
    """it could not be read, or is not what the stage reads; its one drop says why"""


@dataclass(frozen=True)
class Stored:
    """An entry as it is kept: its rows are lines of the output already."""

    index: int
    lines: tuple[bytes, ...]
    drops: tuple[Drop, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    bad: bool = False

    @classmethod
    def of(cls, entry: Entry) -> Stored:
        outcome = entry.outcome
        return cls(entry.index, tuple(map(row_bytes, outcome.rows)), outcome.drops, outcome.notes, entry.bad)


def line_of(stored: Stored) -> bytes:
    """Return an entry as a line: a JSON object in which each row stands as it will in the output.

    How long each row is stands before them: so they are cut out again without being parsed.
    """
    drops = []
    for drop in stored.drops:
        row: dict[str, Any] = {"reason": drop.reason, "detail": drop.detail}
        if drop.row is not None:
            row["row"] = drop.row
        drops.append(row)
    rest: dict[str, Any] = {"drops": drops}
    if stored.notes:
        rest["notes"] = stored.notes
    if stored.bad:
        rest["bad"] = True
    rows = [line[:-1] for line in stored.lines]
    head = f'{{"i":{stored.index},"sizes":{json.dumps([len(row) for row in rows])},"rows":['
    # ASCII: what was dropped may hold half of a surrogate pair.
    tail = json.dumps(rest, separators=(",", ":"), allow_nan=False)
    return b"".join((head.encode("ascii"), b",".join(rows), b"],", tail[1:].encode("ascii"), b"\n"))


def index_of(line: bytes) -> int | None:
    """Return the number of a line's row without reading the whole of it."""
    if not line.startswith(b'{"i":') or not line.endswith(b"}\n"):
        return None
    number = line[5 : line.find(b",", 5)]
    return int(number) if number.isdigit() else None


def stored_of(line: bytes) -> Stored:
    """Read a line of the journal.

    Raises:
        ValueError, KeyError, TypeError: if it is none.
    """
    begun = line.index(_ROWS)
    head = json.loads((line[:begun] + b"}").decode("ascii"))
    at, lines = begun + len(_ROWS), []
    for size in head["sizes"]:
        lines.append(line[at : at + size] + b"\n")
        at += size + 1
    at -= bool(lines)
    if line[at : at + 2] != b"],":
        raise ValueError("the rows are not as long as they are said to be")
    if line[at + 2 :] == _NO_MORE:
        return Stored(int(head["i"]), tuple(lines))
    rest = json.loads((b"{" + line[at + 2 :]).decode("ascii"))
    drops = tuple(Drop(drop["reason"], drop.get("detail", ""), drop.get("row")) for drop in rest["drops"])
    return Stored(int(head["i"]), tuple(lines), drops, rest.get("notes", {}), bool(rest.get("bad")))

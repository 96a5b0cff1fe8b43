"""What rows were compared with before a kill, so that nothing is compared twice."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from opencodeinterpreter.codefeedback.decontamination.detector import Evidence, Likeness
from opencodeinterpreter.codefeedback.decontamination.references import Reference

Likenesses = list[Likeness | None]
"""Of the rows of one batch, in their order."""


class ComparedFile:
    """The likenesses that were found, one line a batch. Use it in a ``with`` block.

    Args:
        path: of the file; what a kill has left half written at its end is cut off.
        references: the problems, in the order in which they were compared.
    """

    def __init__(self, path: Path, references: Sequence[Reference]) -> None:
        self._references = references
        self._file = path.open("a+b")
        self._file.seek(0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def next(self) -> Likenesses | None:
        """Return the next batch that was compared before; None if that and all that follow were not."""
        begin = self._file.tell()
        line = self._file.readline()
        if not line.endswith(b"\n"):
            self._file.truncate(begin)
            return None
        return [None if each is None else self._likeness(each) for each in json.loads(line)]

    def add(self, likenesses: Likenesses) -> Likenesses:
        """Keep a batch that was compared now, behind those that were before; return it."""
        rows = [None if each is None else _row(each) for each in likenesses]
        self._file.write(json.dumps(rows).encode("ascii") + b"\n")
        self._file.flush()
        return likenesses

    def _likeness(self, row: dict[str, Any]) -> Likeness:
        evidence = Evidence(**{**row["evidence"], "found": tuple(row["evidence"]["found"])})
        number = row["number"]
        return Likeness(self._references[number], number, evidence, row["part"], row["hit"], tuple(row["layers"]))


def _row(likeness: Likeness) -> dict[str, Any]:
    return {
        "number": int(likeness.number),
        "part": likeness.part,
        "hit": likeness.hit,
        "layers": likeness.layers,
        "evidence": asdict(likeness.evidence),
    }

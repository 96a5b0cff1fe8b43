"""Likenesses as JSON, so that rows compared before a kill are not compared again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from opencodeinterpreter.codefeedback.decontamination.detector import Evidence, Likeness
from opencodeinterpreter.codefeedback.decontamination.references import Reference

Likenesses = list[Likeness | None]
"""Of the rows of one batch, in their order."""


def to_json(likenesses: Likenesses) -> list[dict[str, Any] | None]:
    """Return likenesses as JSON; a problem is its number among those compared with."""
    return [None if each is None else _row(each) for each in likenesses]


def from_json(rows: Sequence[dict[str, Any] | None], references: Sequence[Reference]) -> Likenesses:
    """Return what ``to_json`` was given, if the problems are the same in the same order."""
    return [None if row is None else _likeness(row, references) for row in rows]


def _row(likeness: Likeness) -> dict[str, Any]:
    return {
        "number": int(likeness.number),
        "part": likeness.part,
        "hit": likeness.hit,
        "layers": likeness.layers,
        "evidence": asdict(likeness.evidence),
    }


def _likeness(row: dict[str, Any], references: Sequence[Reference]) -> Likeness:
    evidence = Evidence(**{**row["evidence"], "found": tuple(row["evidence"]["found"])})
    number = row["number"]
    return Likeness(references[number], number, evidence, row["part"], row["hit"], tuple(row["layers"]))

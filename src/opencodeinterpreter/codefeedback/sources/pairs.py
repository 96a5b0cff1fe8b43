"""Instructions with their responses, one a record."""

from __future__ import annotations

from typing import Final

from opencodeinterpreter.codefeedback.rows import Query
from opencodeinterpreter.codefeedback.sources.base import Format, Given


def _alpaca(given: Given) -> Query:
    fields = given.fields("an instruction record")
    name = "output" if "output" in given.row else "response"
    query, more = fields.text("instruction", required=True).strip(), fields.text("input").strip()
    return given.query(f"{query}\n\n{more}" if more else query, fields.text(name, required=True).strip())


def _oss_instruct(given: Given) -> Query:
    fields = given.fields("an OSS-Instruct record")
    return given.query(
        fields.text("problem", required=True).strip(), fields.text("solution", required=True), fields.text("lang")
    )


def _filtered(given: Given) -> Query:
    fields = given.fields("a CodeFeedback record")
    resource = fields.text("resource")
    return given.query(
        fields.text("query", required=True),
        fields.text("answer", required=True),
        fields.text("lang"),
        **({"resource": resource} if resource else {}),
    )


PAIRS: Final = (
    Format(
        "codefeedback-filtered",
        "CodeFeedback-Filtered-Instruction: query, answer, resource, lang",
        frozenset({"query", "answer", "resource"}),
        _filtered,
        "CodeFeedback-Filtered-Instruction",
        "Apache-2.0",
    ),
    Format(
        "oss-instruct",
        "Magicoder OSS-Instruct: problem, solution, seed, lang",
        frozenset({"problem", "solution", "seed"}),
        _oss_instruct,
        "Magicoder-OSS-Instruct-75K",
        "MIT",
    ),
    Format(
        "alpaca",
        "Alpaca: instruction, perhaps input, output (or response)",
        frozenset({"instruction"}),
        _alpaca,
        fits=lambda row: "output" in row or ("response" in row and "input" in row),
    ),
    Format(
        "evol-instruct",
        "Magicoder Evol-Instruct: instruction, response",
        frozenset({"instruction", "response"}),
        _alpaca,
    ),
)

"""Benchmarks: readable for evaluation and decontamination, and refused as something to train on."""

from __future__ import annotations

from typing import Any, Final

from opencodeinterpreter.codefeedback.rows import Problem, Solution, Tests
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.errors import InputError


def _mbpp(given: Given) -> Problem:
    fields = given.fields("an MBPP record")
    asserts = [*fields.items("test_list"), *fields.items("challenge_test_list")]
    if not asserts or not all(isinstance(each, str) for each in asserts):
        raise InputError("test_list of an MBPP record must be a list of asserts")
    setup = fields.text("test_setup_code")
    return Problem(
        id=given.named(str(given.row["task_id"])),
        title=f"MBPP {given.row['task_id']}",
        statement=fields.text("text") or fields.text("prompt", required=True),
        solutions=(Solution(fields.text("code", required=True).replace("\r\n", "\n"), "python"),),
        tests=Tests("\n".join([*([setup] if setup else []), *asserts]) + "\n"),
        language="python",
        source=given.source,
        licence=given.licence,
    )


def _humaneval(given: Given) -> Problem:
    fields = given.fields("a HumanEval record")
    prompt, entry_point = fields.text("prompt", required=True), fields.text("entry_point", required=True)
    return Problem(
        id=given.named(fields.text("task_id", required=True)),
        title=entry_point,
        statement=prompt,
        solutions=(Solution(prompt + fields.text("canonical_solution"), "python"),),
        tests=Tests(f"{fields.text('test', required=True)}\n\ncheck({entry_point})\n", entry_point),
        language="python",
        source=given.source,
        licence=given.licence,
    )


def _contest(given: Given) -> Problem:
    fields = given.fields("a record of the LeetCode contest benchmark")
    meta: dict[str, Any] = fields.mapping("meta")
    return Problem(
        id=given.named(fields.text("task_id", required=True)),
        title=str(meta.get("title") or fields.text("title")),
        statement=fields.text("prompt_sft", required=True),
        tests=Tests(fields.text("test", required=True)),
        language="python",
        difficulty=str(meta.get("difficulty") or "").lower(),
        source=given.source,
        licence=given.licence,
    )


BENCHMARKS: Final = (
    Format(
        "mbpp",
        "MBPP: task_id, text, code, test_list",
        frozenset({"task_id", "code", "test_list"}),
        _mbpp,
        "MBPP",
        "CC-BY-4.0",
        "MBPP is a benchmark that the models are measured on",
    ),
    Format(
        "humaneval",
        "HumanEval: task_id, prompt, canonical_solution, test, entry_point",
        frozenset({"task_id", "prompt", "canonical_solution", "test", "entry_point"}),
        _humaneval,
        "HumanEval",
        "MIT",
        "HumanEval is a benchmark that the models are measured on",
    ),
    Format(
        "leetcode-contest",
        "the LeetCode contest benchmark of DeepSeek-Coder: task_id, prompt_sft, test",
        frozenset({"task_id", "prompt_sft", "test"}),
        _contest,
        "LeetCode-Contest-180",
        "MIT",
        "the LeetCode contest set is a benchmark",
    ),
)

"""Buggy programs with their fixes: DebugBench, and QuixBugs, which is kept for evaluation."""

from __future__ import annotations

import ast
import json
from typing import Any, Final

from opencodeinterpreter.codefeedback.methods.completing import completed
from opencodeinterpreter.codefeedback.rows import Bug, Tests
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.codefeedback.sources.leetcode import STATEMENT_BY
from opencodeinterpreter.codefeedback.verification.code_blocks import language_name
from opencodeinterpreter.errors import InputError


def _debugbench(given: Given) -> Bug:
    fields = given.fields("a DebugBench record")
    slug, kind = fields.text("slug", required=True), fields.text("bug_type")
    told = fields.text("language") or "python"
    language = language_name(told.removesuffix("3"))
    buggy, fixed = fields.text("buggy_code", required=True), fields.text("oracle_code", required=True)
    if language == "python":
        buggy, fixed = _completed_alike(buggy, fixed)
    other = given.joined.get(slug)
    parts = [fields.text("description", required=True).strip()]
    parts += [f"Example {number}:\n{text}" for number, text in enumerate(fields.items("examples"), start=1)]
    if constraints := fields.text("constraints").strip():
        parts.append(f"Constraints:\n{constraints}")
    more = {"joined": other.source} if other is not None else {}
    return Bug(
        id=given.id,
        statement="\n\n".join(parts),
        buggy=buggy,
        fixed=fixed,
        kind=kind,
        explanation=_explanation(given.row.get("explanations")),
        tests=other.tests if other is not None and language == "python" else None,
        language=language,
        source=given.source,
        licence=given.licence,
        meta={"slug": slug, "level": fields.text("level"), **STATEMENT_BY, **more},
    )


def _completed_alike(buggy: str, fixed: str) -> tuple[str, str]:
    """Return both programs with the imports of the fixed one: what a bug needs must not be lent by the reader."""
    whole = completed(fixed)
    above = whole[: len(whole) - len(fixed.strip("\n").rstrip())]
    return above + buggy.strip("\n").rstrip(), whole


def _explanation(value: Any) -> str:
    if isinstance(value, list):
        return "\n".join(str(each).strip() for each in value)
    return value.strip() if isinstance(value, str) else ""


def _quixbugs(given: Given) -> Bug:
    fields = given.fields("a QuixBugs record")
    name = fields.text("name", required=True)
    buggy, fixed = fields.text("buggy", required=True), fields.text("correct", required=True)
    code, statement = _apart(buggy)
    return Bug(
        id=given.named(name),
        statement=statement,
        buggy=code,
        fixed=_apart(fixed)[0],
        tests=_cases(name, fields.text("json_testcases")),
        language="python",
        source=given.source,
        licence=given.licence,
        meta={"name": name},
    )


def _apart(code: str) -> tuple[str, str]:
    """Split a program from the text at its end, which says what it is meant to do."""
    try:
        body = ast.parse(code).body
    except (SyntaxError, ValueError) as error:
        raise InputError(f"a QuixBugs program that Python cannot read: {error}") from error
    last = body[-1] if body else None
    if isinstance(last, ast.Expr) and isinstance(last.value, ast.Constant) and isinstance(last.value.value, str):
        above = "\n".join(code.splitlines()[: last.lineno - 1])
        return above.strip("\n").rstrip() + "\n", last.value.value.strip()
    return code.strip("\n").rstrip() + "\n", ""


def _cases(name: str, text: str) -> Tests | None:
    cases = []
    for line in text.splitlines():
        if not line.strip():
            continue
        try:
            given, wanted = json.loads(line)
        except ValueError as error:
            raise InputError(f"a test case of {name} that is no JSON pair: {error}") from error
        cases.append([given if isinstance(given, list) else [given], wanted])
    if not cases:
        return None
    program = (
        "import json\n\n\n"
        "def _plain(value):\n"
        "    plain = (bool, int, float, str, dict, type(None))\n"
        "    return value if isinstance(value, plain) else [_plain(each) for each in value]\n\n\n"
        f"for _given, _wanted in json.loads({json.dumps(cases)!r}):\n"
        f"    _found = _plain({name}(*_given))\n"
        "    assert _found == _wanted, (_given, _found, _wanted)\n"
    )
    return Tests(program, name)


BUGS: Final = (
    Format(
        "debugbench",
        "DebugBench: slug, description, buggy_code, oracle_code, bug_type; --join brings tests",
        frozenset({"slug", "description", "buggy_code", "oracle_code"}),
        _debugbench,
        "DebugBench",
        "Apache-2.0",
    ),
    Format(
        "quixbugs",
        "QuixBugs: name, buggy, correct, json_testcases",
        frozenset({"name", "buggy", "correct", "json_testcases"}),
        _quixbugs,
        "QuixBugs",
        "MIT",
        "QuixBugs is kept as a test of repair",
    ),
)

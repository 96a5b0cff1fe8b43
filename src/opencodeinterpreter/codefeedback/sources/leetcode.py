"""Problems of LeetCode: LeetCodeDataset with its tests, and the solutions of kamyu104, joined with it by name.

Statements are LeetCode's own text, whatever licence the data set has; ``meta`` says so.
"""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from functools import lru_cache
from typing import Final

from opencodeinterpreter.codefeedback.methods.completing import completed, missing_lines
from opencodeinterpreter.codefeedback.methods.variants import variants
from opencodeinterpreter.codefeedback.pipeline.stage import Drop
from opencodeinterpreter.codefeedback.rows import Problem, Solution, Tests
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.errors import InputError

STATEMENT_BY: Final = {"statement_by": "LeetCode"}
_INFINITE = re.compile(r"(?<![\w'\"])inf(?![\w'\"])")
_QUESTION = re.compile(r"### Question:\n(.*?)\n*### Format:", re.DOTALL)
_ENDING = re.compile(r"\s*Please complete the following python code precisely:.*", re.DOTALL)


def _dataset(given: Given) -> Problem:
    fields = given.fields("a LeetCodeDataset record")
    slug = fields.text("task_id", required=True)
    code = completed(fields.text("completion", required=True))
    more = fields.mapping("meta")
    statement = _statement(fields.text("query", required=True))
    tags = fields.items("tags") or more.get("tags") or []
    return Problem(
        id=given.named(slug),
        title=_title(slug),
        statement=statement,
        solutions=(Solution(code, "python", text=fields.text("response")),),
        tests=_tests(fields.text("prompt"), fields.text("test", required=True), fields.text("entry_point")),
        language="python",
        tags=tuple(str(tag) for tag in tags),
        difficulty=(fields.text("difficulty") or str(more.get("difficulty") or "")).lower(),
        source=given.source,
        licence=given.licence,
        meta={"slug": slug, **STATEMENT_BY},
    )


def _statement(query: str) -> str:
    """Return the problem alone, with the code that is to be completed: without the orders around it."""
    if found := _QUESTION.search(query):
        starter = re.search(r"```python\n.*?```", query[found.end() :], re.DOTALL)
        text = found[1].strip()
        return f"{text}\n\nComplete this code:\n{starter[0]}" if starter else text
    starter = re.search(r"```python\n.*?```", query, re.DOTALL)
    text = _ENDING.sub("", query).strip()
    return f"{text}\n\nComplete this code:\n{starter[0]}" if starter else text


def _tests(prompt: str, test: str, entry_point: str) -> Tests:
    if not entry_point:
        raise InputError("a LeetCodeDataset record lacks entry_point")
    helpers = _helpers(prompt, test)
    above = missing_lines(helpers) if helpers else ""
    if _INFINITE.search(test):  # the one name besides those of the helpers that the tests take from above
        above = f"from math import inf\n{above}".strip()
    program = "\n\n\n".join(part for part in (above, helpers, test.strip()) if part)
    return Tests(f"{program}\n\n\ncheck({entry_point})\n", entry_point)


def _helpers(prompt: str, test: str) -> str:
    """Return those functions and classes above the solution that the tests use, directly or through each other.

    Nothing else of it: below the solution, ``from operator import *`` would replace what the solution defines.
    """
    defined = _definitions(prompt)
    used: set[str] = set()
    todo = [name for name in defined if re.search(rf"\b{name}\b", test)]
    while todo:
        if (name := todo.pop()) not in used:
            used.add(name)
            parts = {part.id for part in ast.walk(defined[name]) if isinstance(part, ast.Name)}
            todo += [part for part in parts if part in defined]
    pieces = []
    for name, node in defined.items():
        if name not in used:
            continue
        source = ast.unparse(node)
        if isinstance(node, ast.ClassDef):
            # The solution has made nodes of its own class, if it has one.
            indented = source.replace("\n", "\n    ")
            source = f"if {name!r} not in globals():\n    {indented}"
        pieces.append(source)
    return "\n\n\n".join(pieces)


@lru_cache(maxsize=64)
def _definitions(prompt: str) -> dict[str, ast.FunctionDef | ast.ClassDef]:
    """Return what is defined above a solution; few problems have something of their own there."""
    try:
        body = ast.parse(prompt).body
    except (SyntaxError, ValueError):
        return {}
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef)}


def _title(slug: str) -> str:
    return slug.replace("-", " ").capitalize()


def _kamyu(given: Given) -> Problem | Drop:
    fields = given.fields("a record of LeetCode solutions")
    slug = fields.text("slug", required=True)
    python, cpp = fields.text("python"), fields.text("cpp")
    if not python.strip() and not cpp.strip():
        raise InputError("a record of LeetCode solutions has neither python nor cpp")
    files = [Solution(text, language) for text, language in ((python, "python"), (cpp, "cpp")) if text.strip()]
    solutions = [solution for file in files for solution in variants(file)]
    other = given.joined.get(slug)
    if given.joined and other is None:
        return Drop("no problem of this name to join", slug)
    statement, tests, more = "", None, {"slug": slug}
    if other is not None:
        statement, tests = other.statement, other.tests
        solutions = [_complete(solution) for solution in solutions]
        more = {**more, **STATEMENT_BY, "joined": other.source}
    difficulty = fields.text("difficulty").strip().lower()
    return Problem(
        id=given.named(slug),
        title=fields.text("title") or _title(slug),
        statement=statement,
        solutions=tuple(solutions),
        tests=tests,
        language="python",
        tags=tuple(str(tag) for tag in fields.items("topics")),
        # Some rows have a piece of the table beside it there.
        difficulty=difficulty if difficulty in ("easy", "medium", "hard") else "",
        source=given.source,
        licence=given.licence,
        meta=more,
    )


def _complete(solution: Solution) -> Solution:
    return replace(solution, code=completed(solution.code)) if solution.language == "python" else solution


LEETCODE: Final = (
    Format(
        "leetcodedataset",
        "LeetCodeDataset: task_id, query, completion, test, entry_point",
        frozenset({"task_id", "query", "completion", "test", "entry_point"}),
        _dataset,
        "LeetCodeDataset",
        "MIT",
    ),
    Format(
        "kamyu104",
        "kamyu104's LeetCode solutions: slug, topics, python, cpp; --join brings statements and tests",
        frozenset({"slug", "topics", "python", "cpp"}),
        _kamyu,
        "kamyu104",
        "MIT",
    ),
)

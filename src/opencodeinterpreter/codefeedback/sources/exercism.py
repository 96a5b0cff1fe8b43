"""Exercises of exercism: those of the Python track with their tests, and the specifications that all tracks share."""

from __future__ import annotations

import re
from typing import Any, Final

from opencodeinterpreter.codefeedback.rows import Problem, Solution, Tests
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.errors import InputError

_HEADING = re.compile(r"^# (?:Introduction|Instructions|Instructions append|Description)\s*\n", re.MULTILINE)


def _python_track(given: Given) -> Problem:
    fields = given.fields("an exercism exercise")
    slug = fields.text("slug", required=True)
    texts = [fields.text(name) for name in ("introduction", "instructions", "instructions_append")]
    statement = "\n\n".join(_HEADING.sub("", text).strip() for text in texts if text.strip())
    if not statement:
        raise InputError("an exercism exercise without instructions")
    stub = fields.mapping("stub")
    starter = "\n\n".join(str(text).strip() for text in stub.values())
    if starter:
        statement += f"\n\nComplete this code:\n```python\n{starter}\n```"
    solution = fields.text("example_solution", required=True)
    approaches = sorted(fields.mapping("approaches"))
    return Problem(
        id=given.named(slug),
        title=slug.replace("-", " ").capitalize(),
        statement=statement,
        solutions=(Solution(solution, "python"),),
        tests=_tests(list(stub), fields.mapping("tests")),
        language="python",
        source=given.source,
        licence=given.licence,
        meta={"slug": slug, **({"approaches": approaches} if approaches else {})},
    )


def _tests(stubs: list[str], files: dict[str, Any]) -> Tests | None:
    """Return the test file as a program below the solution, which stands there for the module that is imported."""
    mains = [name for name in files if name.endswith("_test.py")]
    if len(mains) != 1 or not all(isinstance(text, str) for text in files.values()):
        return None
    lines = ["import sys", "import types", "import unittest", ""]
    for name in stubs:
        lines.append(f"sys.modules[{_module(name)!r}] = sys.modules['__main__']")
    for name, text in files.items():
        if name not in mains:
            lines += [
                f"_module = sys.modules[{_module(name)!r}] = types.ModuleType({_module(name)!r})",
                f"exec({text!r}, _module.__dict__)",
            ]
    text = files[mains[0]]
    ending = "" if "unittest.main(" in text else "\n\nunittest.main()\n"
    return Tests("\n".join(lines) + "\n\n" + text.strip() + "\n" + ending)


def _module(file: str) -> str:
    return file.rpartition("/")[2].removesuffix(".py")


def _specification(given: Given) -> Problem:
    fields = given.fields("an exercism specification")
    slug = fields.text("slug", required=True)
    texts = [fields.text("introduction"), fields.text("description")]
    statement = "\n\n".join(_HEADING.sub("", text).strip() for text in texts if text.strip()) or fields.text("blurb")
    if not statement.strip():
        raise InputError("an exercism specification without a description")
    return Problem(
        id=given.named(slug),
        title=fields.text("title") or slug,
        statement=statement,
        language=given.language,
        source=given.source,
        licence=given.licence,
        meta={"slug": slug, "cases": _cases(fields.mapping("canonical_data"))},
    )


def _cases(data: dict[str, Any]) -> int:
    """Count the cases of a specification; they are nested in groups."""
    cases = data.get("cases")
    if not isinstance(cases, list):
        return 1 if "expected" in data else 0
    return sum(_cases(case) for case in cases if isinstance(case, dict))


EXERCISM: Final = (
    Format(
        "exercism",
        "exercism's Python track: slug, instructions, stub, tests, example_solution",
        frozenset({"slug", "instructions", "tests", "example_solution"}),
        _python_track,
        "exercism",
        "MIT",
    ),
    Format(
        "exercism-specifications",
        "exercism's problem specifications: slug, description, canonical_data",
        frozenset({"slug", "description", "canonical_data"}),
        _specification,
        "exercism-specifications",
        "MIT",
    ),
)

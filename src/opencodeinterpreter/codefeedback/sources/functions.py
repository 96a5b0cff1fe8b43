"""Functions that check themselves: TheAlgorithms with doctests, and the puzzles of P3."""

from __future__ import annotations

import ast
import builtins
import doctest
import re
import symtable
import textwrap
from collections.abc import Iterator
from typing import Final

from opencodeinterpreter.codefeedback.methods.completing import completed
from opencodeinterpreter.codefeedback.pipeline.stage import Drop
from opencodeinterpreter.codefeedback.rows import Problem, Solution, Tests
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.errors import InputError

_HEADING: Final = re.compile(
    r"[#*\s]*(?:doc ?tests?|(?:some |for )?examples?|usage|tests?)(?: usage)?\s*:*-*", re.IGNORECASE
)
"""A line that only says that examples follow."""


def _algorithm(given: Given) -> Problem | Drop:
    fields = given.fields("a function of TheAlgorithms")
    name, path = fields.text("name", required=True), fields.text("path", required=True)
    code, docstring = fields.text("code", required=True), fields.text("docstring", required=True)
    whole = completed(code)
    if missing := _undefined(whole):
        return Drop("uses names that are not in it", ", ".join(sorted(missing)))
    try:
        examples = doctest.DocTestParser().get_examples(docstring)
    except ValueError as error:
        raise InputError(f"a docstring that doctest cannot read: {error}") from error
    if not examples:
        return Drop("no doctest", path)
    prose = re.sub(r"\n{3,}", "\n\n", "\n".join(_prose(docstring))).strip()
    signature = _signature(code)
    shown = "\n".join(f">>> {each.source.strip()}\n{each.want.strip()}".strip() for each in examples[:3])
    statement = f"Write a Python function `{signature}`."
    statement += f"\n\n{prose}" if prose else ""
    statement += f"\n\nExamples:\n```\n{shown}\n```"
    return Problem(
        id=given.named(f"{path.removesuffix('.py')}/{name}"),
        title=name.replace("_", " "),
        statement=statement,
        solutions=(Solution(whole, "python"),),
        tests=Tests(_doctest_program(docstring, name), name),
        language="python",
        tags=(path.partition("/")[0],),
        source=given.source,
        licence=given.licence,
        meta={"path": path, "doctests": len(examples)},
    )


def _undefined(code: str) -> set[str]:
    """Return the global names that a program uses and does not define."""
    try:
        top = symtable.symtable(code, "program", "exec")
    except (SyntaxError, ValueError) as error:
        raise InputError(f"code that Python cannot read: {error}") from error
    known = {symbol.get_name() for symbol in top.get_symbols() if symbol.is_assigned() or symbol.is_imported()}
    known |= {symbol.get_name() for symbol in top.get_symbols() if symbol.is_namespace()} | set(dir(builtins))
    return {name for name in _global_names(top) if name not in known}


def _global_names(table: symtable.SymbolTable) -> Iterator[str]:
    for symbol in table.get_symbols():
        if symbol.is_referenced() and (symbol.is_global() or table.get_type() == "module"):
            yield symbol.get_name()
    for inner in table.get_children():
        yield from _global_names(inner)


def _prose(docstring: str) -> list[str]:
    """Return the lines of a docstring that are no examples, and do not only say that some follow."""
    lines: list[str] = []
    within = False
    for line in docstring.splitlines():
        stripped = line.strip()
        if stripped.startswith(">>>") and not within:
            while lines and (not lines[-1].strip() or _HEADING.fullmatch(lines[-1].strip())):
                lines.pop()
            lines.append("")
        within = stripped.startswith(">>>") or (within and bool(stripped))
        if not within:
            lines.append(line)
    return lines


def _signature(code: str) -> str:
    try:
        node = ast.parse(code).body[0]
    except (SyntaxError, ValueError, IndexError) as error:
        raise InputError(f"code that Python cannot read: {error}") from error
    if not isinstance(node, ast.FunctionDef):
        raise InputError("code that does not begin with a function")
    node.body = [ast.Pass()]
    node.decorator_list = []
    return ast.unparse(node).removeprefix("def ").partition("\n")[0].removesuffix(":")


def _doctest_program(docstring: str, name: str) -> str:
    """Return a program that runs the examples; they are in it, since another solution may have no docstring."""
    return (
        "import doctest\n\n"
        f"_examples = doctest.DocTestParser().get_doctest({docstring!r}, dict(globals()), {name!r}, None, 0)\n"
        "_runner = doctest.DocTestRunner()\n"
        "_runner.run(_examples)\n"
        "if _runner.summarize(verbose=False).failed:\n"
        "    raise SystemExit(1)\n"
    )


def _puzzle(given: Given) -> Problem:
    fields = given.fields("a puzzle")
    name, sat = fields.text("name", required=True), fields.text("sat", required=True)
    header = fields.text("sol_header", required=True)
    docstring = textwrap.dedent(fields.text("sol_docstring")).strip()
    if not sat.startswith("def sat("):
        raise InputError("a puzzle whose sat is no function")
    bodies = [body for body in fields.items("sol_bodies") if isinstance(body, str) and body.strip()]
    code = completed(sat)
    statement = (
        f"Write a Python function `{header.removeprefix('def ').removesuffix(':')}` that returns a value for which "
        f"`sat` returns True (a value of type {fields.text('ans_type') or 'any'}):\n```python\n{code}\n```"
    )
    if text := docstring.strip("\"' \n"):
        statement += f"\n\nIn words: {text}"
    solutions = tuple(Solution(completed(f"{header}\n{body}"), "python") for body in bodies)
    return Problem(
        id=given.named(name),
        title=name,
        statement=statement,
        solutions=solutions,
        tests=Tests(f"{code}\n\n\nassert sat(sol()) is True\n", "sol"),
        language="python",
        tags=(fields.text("module").removesuffix(".py"),),
        source=given.source,
        licence=given.licence,
    )


def _from_humaneval(module: str) -> bool:
    return "human_eval" in module


FUNCTIONS: Final = (
    Format(
        "thealgorithms",
        "functions of TheAlgorithms with doctests: path, name, docstring, code",
        frozenset({"path", "name", "docstring", "code"}),
        _algorithm,
        "TheAlgorithms",
        "MIT",
    ),
    Format(
        "p3-humaneval",
        "puzzles of P3 that were made from HumanEval",
        frozenset({"name", "sat", "sol_header", "sol_bodies", "module"}),
        _puzzle,
        "P3",
        "MIT",
        "these puzzles were made from HumanEval",
        fits=lambda row: _from_humaneval(str(row.get("module"))),
    ),
    Format(
        "p3",
        "Python programming puzzles: name, sat, sol_header, sol_bodies",
        frozenset({"name", "sat", "sol_header", "sol_bodies"}),
        _puzzle,
        "P3",
        "MIT",
    ),
)

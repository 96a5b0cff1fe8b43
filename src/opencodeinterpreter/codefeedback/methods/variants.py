"""Takes a file that holds several solutions of one problem apart, each with its complexity.

The layout is that of kamyu104/LeetCode-Solutions: classes ``Solution``, ``Solution2``, ..., each below a comment with
its time and space. Each becomes a program of its own whose class is called ``Solution``.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator
from dataclasses import replace

from opencodeinterpreter.codefeedback.methods.complexity import complexity
from opencodeinterpreter.codefeedback.methods.python2 import to_python3
from opencodeinterpreter.codefeedback.rows import Solution

_CLASS = re.compile(r"Solution\d*")
_CPP_HEAD = re.compile(r"^// *Time *:", re.MULTILINE)
_FACT = re.compile(r"^\s*(?:#|//) *(Time|Space) *: *(.*)$", re.MULTILINE)
_NOTE = re.compile(r"^\s*(?:#|//) *(?!Time\b|Space\b|http|@)([\w ,'()+/-]{3,80}) *$", re.MULTILINE)


def variants(solution: Solution) -> tuple[Solution, ...]:
    """Return the solutions in a file of solutions; one that holds a single solution comes back with Python 3 in it."""
    language = solution.language.lower() or "python"
    if language in ("python", "python3"):
        return tuple(_python(replace(solution, code=to_python3(solution.code), language="python")))
    if language in ("cpp", "c++"):
        return tuple(_cpp(replace(solution, language="cpp")))
    return (solution,)


def _python(solution: Solution) -> Iterator[Solution]:
    code = solution.code
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        yield solution
        return
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef) and _CLASS.fullmatch(node.name)]
    if not classes:
        yield solution
        return
    lines = code.splitlines()
    ends = {id(node): node.end_lineno or node.lineno for node in tree.body}
    before = 0
    for node in classes:
        head = "\n".join(lines[before : node.lineno - 1])
        before = ends[id(node)]
        needed = _needed(tree, node, classes)
        pieces = [_source(lines, each) for each in tree.body if each in needed]
        body = re.sub(rf"\b{node.name}\b", "Solution", _source(lines, node, comments=False))
        facts = _facts(head)
        comment = _comment(head)
        program = "\n".join([*pieces, *(["", ""] if pieces else []), *comment, body]).strip("\n")
        if len(classes) == 1:
            program = code.strip("\n")
        yield replace(
            solution,
            code=program,
            time=facts.get("Time") or (solution.time if len(classes) == 1 else ""),
            space=facts.get("Space") or (solution.space if len(classes) == 1 else ""),
            note=_note(head) or solution.note,
            text=solution.text if len(classes) == 1 else "",
        )


def _needed(tree: ast.Module, node: ast.stmt, classes: list[ast.ClassDef]) -> list[ast.stmt]:
    """Return the imports and helpers at the top level that a class uses, directly or through each other."""
    defines: dict[str, list[ast.stmt]] = {}
    for each in tree.body:
        for name in _defined(each):
            if each not in classes:
                defines.setdefault(name, []).append(each)
    found: list[ast.stmt] = []
    todo: list[ast.stmt] = [node]
    while todo:
        for name in {part.id for part in ast.walk(todo.pop()) if isinstance(part, ast.Name)}:
            for each in defines.get(name, []):
                # The same import may stand above each of the classes that need it.
                if each not in found and not any(ast.dump(each) == ast.dump(other) for other in found):
                    found.append(each)
                    todo.append(each)
    return found


def _defined(node: ast.stmt) -> list[str]:
    match node:
        case ast.Import(names=names) | ast.ImportFrom(names=names):
            return [(alias.asname or alias.name).split(".")[0] for alias in names]
        case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
            return [name]
        case ast.Assign(targets=targets):
            return [target.id for target in targets if isinstance(target, ast.Name)]
    return []


def _source(lines: list[str], node: ast.stmt, comments: bool = True) -> str:
    """Return the lines of a statement, with its decorators and the comment right above it."""
    first = min([node.lineno, *(each.lineno for each in getattr(node, "decorator_list", []))])
    while comments and first > 1 and re.match(r"#(?! *(?:Time|Space)\b)", lines[first - 2]):
        first -= 1
    text = "\n".join(lines[first - 1 : node.end_lineno])
    return text if isinstance(node, ast.Import | ast.ImportFrom | ast.Assign) else f"\n{text}\n"


def _comment(head: str) -> list[str]:
    return [line for line in head.splitlines() if _FACT.match(line)]


def _facts(head: str) -> dict[str, str]:
    """Return the last time and space that a comment tells, as ``O(...)``."""
    return {name: complexity(text) for name, text in _FACT.findall(head) if complexity(text)}


def _note(head: str) -> str:
    notes = [match.strip() for match in _NOTE.findall(head)]
    return notes[-1] if notes else ""


def _cpp(solution: Solution) -> Iterator[Solution]:
    starts = [match.start() for match in _CPP_HEAD.finditer(solution.code)]
    pieces = [solution.code[a:b] for a, b in itertools.pairwise([*starts, len(solution.code)])]
    pieces = [piece for piece in pieces if re.search(r"^class Solution\d*\b", piece, re.MULTILINE)]
    if not pieces:
        yield solution
        return
    for piece in pieces:
        head = piece[: piece.index("class Solution")]
        facts = _facts(head)
        yield replace(
            solution,
            code=re.sub(r"\bSolution\d+\b", "Solution", piece).strip("\n").rstrip(),
            time=facts.get("Time", ""),
            space=facts.get("Space", ""),
            note=_note(head) or solution.note,
            text="",
        )

"""The top-level statements of a program: what each binds and uses, and which of them one name needs.

Of a model's program only what its entry point needs is kept, as in EvalPlus: imports, and the definitions and
assignments that can be reached from it; tests, prints and a main guard are not run. Kept as well, where EvalPlus drops
them, are decorated and asynchronous functions, definitions under ``try`` or ``if``, and loops that fill a table.
"""

from __future__ import annotations

import ast
import builtins
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from opencodeinterpreter.evaluation.parsing import parse, walk

Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPOUND: Final = (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.TryStar, ast.Match)
_GIVEN: Final = frozenset(dir(builtins)) | {"__name__", "__file__", "__doc__"}
_SETTINGS: Final = frozenset({"sys.setrecursionlimit", "setrecursionlimit"})
"""Calls that decide whether a right solution runs."""


@dataclass(frozen=True)
class Statement:
    """One statement at the top level."""

    node: ast.stmt
    first: int
    """its first line from 0, with its decorators"""
    end: int
    """the line after its last one"""
    binds: frozenset[str]
    uses: frozenset[str]
    """names that it takes from outside"""
    changes: frozenset[str] = field(default_factory=frozenset)
    """names whose values it changes without binding them"""

    @property
    def is_import(self) -> bool:
        return isinstance(self.node, ast.Import | ast.ImportFrom)

    def defines(self, name: str) -> bool:
        """Return whether ``name`` is bound here to more than the beginning of a function."""
        return name in self.binds and not (isinstance(self.node, Function) and is_stub(self.node))


@dataclass(frozen=True)
class Program:
    """A program that can be parsed."""

    source: str
    statements: tuple[Statement, ...] = field(repr=False)

    def defines(self, name: str) -> bool:
        return any(statement.defines(name) for statement in self.statements)

    def missing(self) -> frozenset[str]:
        """Return the names that nothing here binds and that Python does not know."""
        bound = frozenset[str]().union(*(statement.binds for statement in self.statements))
        used = frozenset[str]().union(*(statement.uses for statement in self.statements))
        return used - bound - _GIVEN


def read_program(source: str) -> Program | None:
    """Return the program that ``source`` is; None if it cannot be parsed."""
    tree = parse(source)
    if isinstance(tree, SyntaxError):
        return None
    return Program(source, tuple(_statement(node) for node in tree.body))


def needed_by(program: Program, names: Iterable[str], entry_point: str) -> list[Statement]:
    """Return the statements other than imports that ``names`` need, in their order."""
    serving: dict[str, list[int]] = {}
    found = set[int]()
    for index, statement in enumerate(program.statements):
        if _is_setting(statement.node):
            found.add(index)
        elif not statement.is_import and _may_be_kept(statement, entry_point):
            for name in statement.binds | statement.changes:
                serving.setdefault(name, []).append(index)
    waiting, seen = list(names), set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            for index in serving.get(name, ()):
                found.add(index)
                waiting.extend(program.statements[index].uses)
    return [program.statements[index] for index in sorted(found)]


def keep(program: Program, kept: list[Statement]) -> str:
    """Return the source of some statements of a program, as it was written, with the comments between them."""
    if not kept:
        return ""
    if len(kept) == len(program.statements):
        return program.source.strip("\n")
    lines = program.source.split("\n")
    chosen = {id(statement) for statement in kept}
    pieces: list[str] = []
    above = last_end = 0
    for statement in program.statements:
        if statement.first < above:  # two statements on one line
            return "\n".join(ast.unparse(each.node) for each in kept)
        if id(statement) in chosen:
            pieces += lines[above : statement.end]
            last_end = len(pieces)
        above = statement.end
    return re.sub(r"\n{4,}", "\n\n\n", "\n".join(pieces[:last_end])).strip("\n")


def is_stub(function: Function) -> bool:
    """Return whether a function has no body but a docstring, ``pass``, ``...`` or ``raise NotImplementedError``."""
    for statement in function.body:
        if isinstance(statement, ast.Pass) or (
            isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
        ):
            continue
        if isinstance(statement, ast.Raise) and statement.exc and "NotImplemented" in ast.unparse(statement.exc):
            continue
        return False
    return True


def gives_something(program: Program, name: str) -> bool:
    """Return whether a function ``name`` of the program returns or yields by itself: what it defines does not count."""
    return any(
        isinstance(statement.node, Function) and statement.node.name == name and _returns(statement.node)
        for statement in program.statements
    )


def _returns(function: Function) -> bool:
    stack: list[ast.AST] = [*function.body]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Return | ast.Yield | ast.YieldFrom):
            return True
        if not isinstance(node, Function | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(node))
    return False


def _is_setting(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in _SETTINGS


def _may_be_kept(statement: Statement, entry_point: str) -> bool:
    """Return whether a statement serves the names that it binds or changes, and is no test of the entry point."""
    node = statement.node
    if isinstance(node, ast.Expr):
        return entry_point not in statement.uses
    if isinstance(node, _COMPOUND):
        return not _is_main_guard(node) and (entry_point not in statement.uses or entry_point in statement.binds)
    return not isinstance(node, ast.Assert | ast.Delete)


def _is_main_guard(node: ast.stmt) -> bool:
    return isinstance(node, ast.If) and any(name.id == "__name__" for name in walk(node.test, ast.Name))


def _statement(node: ast.stmt) -> Statement:
    decorators = getattr(node, "decorator_list", [])
    first = min([node.lineno, *(each.lineno for each in decorators)]) - 1
    try:
        uses = frozenset(_free(node))
    except RecursionError:
        uses = frozenset(name.id for name in walk(node, ast.Name))
    return Statement(node, first, node.end_lineno or node.lineno, frozenset(_bound(node)), uses, _changed(node))


def _bound(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement binds in its own scope."""
    stack: list[ast.AST] = [node]
    while stack:
        each = stack.pop()
        if isinstance(each, Function | ast.ClassDef):
            yield each.name
        elif isinstance(each, ast.Import | ast.ImportFrom):
            for alias in each.names:
                yield alias.asname or (alias.name.partition(".")[0] if isinstance(each, ast.Import) else alias.name)
        elif isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id
        elif isinstance(each, ast.MatchAs | ast.MatchStar | ast.ExceptHandler) and each.name:
            yield each.name
        if not isinstance(each, Function | ast.ClassDef | ast.Lambda):
            stack.extend(ast.iter_child_nodes(each))


def _changed(node: ast.stmt) -> frozenset[str]:
    """Return whose items or attributes a statement sets, or whose methods it calls for their effect."""
    found = set()
    if isinstance(node, Function | ast.ClassDef | ast.Import | ast.ImportFrom):
        return frozenset()
    for each in ast.walk(node):
        target: ast.expr | None = None
        if isinstance(each, ast.Subscript | ast.Attribute) and isinstance(each.ctx, ast.Store):
            target = each
        elif isinstance(each, ast.Expr) and isinstance(each.value, ast.Call):
            target = each.value.func if isinstance(each.value.func, ast.Attribute) else None
        while isinstance(target, ast.Subscript | ast.Attribute):
            target = target.value
        if isinstance(target, ast.Name):
            found.add(target.id)
    return frozenset(found)


def _free(node: ast.AST) -> set[str]:
    """Return the names that a piece of program takes from around it."""
    if isinstance(node, ast.Name):
        # An augmented assignment reads what it binds; other stores are no use.
        return {node.id} if not isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return {node.target.id} | _free(node.value)
    if not isinstance(node, Function | ast.Lambda):
        return set[str]().union(*(_free(child) for child in ast.iter_child_nodes(node)))
    arguments = node.args
    every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
    own = {each.arg for each in every if each}
    outside: list[ast.AST] = [*arguments.defaults, *filter(None, arguments.kw_defaults)]
    outside += [each.annotation for each in every if each and each.annotation]
    inside: list[ast.AST] = [node.body] if isinstance(node, ast.Lambda) else [*node.body]
    if not isinstance(node, ast.Lambda):
        outside += [*node.decorator_list, *([node.returns] if node.returns else [])]
        shared = {name for each in walk(node, ast.Global) for name in each.names}
        own |= {name for statement in node.body for name in _bound(statement)} - shared
        inside += [ast.Name(name, ast.Load()) for name in shared]
    taken = set[str]().union(*(_free(each) for each in inside)) - own
    return taken.union(*(_free(each) for each in outside))

"""Mutants: a program with one small mistake in it, such as a model makes."""

from __future__ import annotations

import ast
import copy
import itertools
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

_COMPARISONS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.FloorDiv,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
}
Change = Callable[[], None]


@dataclass(frozen=True)
class Mutant:
    kind: str
    """What was changed: ``comparison``, ``constant``, ``arithmetic``, ``dropped statement``, ``negation``, …"""
    code: str


def mutants(code: str, count: int, seed: str) -> list[Mutant]:
    """Return up to ``count`` mutants of a program, no two alike; the same ones for the same seed.

    Raises:
        SyntaxError: if the program cannot be parsed.
    """
    tree = ast.parse(code)
    seen = {ast.unparse(tree)}
    places = [
        (kind, at, number) for at, node in enumerate(ast.walk(tree)) for number, (kind, _) in enumerate(_changes(node))
    ]
    random.Random(seed).shuffle(places)
    found: list[Mutant] = []
    for _, at, number in _kinds_in_turn(places):
        if len(found) == count:
            break
        fresh = copy.deepcopy(tree)
        node = next(node for place, node in enumerate(ast.walk(fresh)) if place == at)
        kind, change = list(_changes(node))[number]
        change()
        text = ast.unparse(ast.fix_missing_locations(fresh))
        if text not in seen:
            seen.add(text)
            found.append(Mutant(kind, text + "\n"))
    return found


def _kinds_in_turn(places: list[tuple[str, int, int]]) -> list[tuple[str, int, int]]:
    """Return the places so that no kind comes twice before every other came once: some are far more frequent."""
    had: Counter[str] = Counter()
    ranks = []
    for kind, _, _ in places:
        ranks.append(had[kind])
        had[kind] += 1
    return [place for _, place in sorted(zip(ranks, places, strict=True), key=lambda pair: pair[0])]


def _changes(node: ast.AST) -> Iterator[tuple[str, Change]]:
    """Yield what can be done to a node, as functions that do it in place."""
    if isinstance(node, ast.Compare):
        for at, operator in enumerate(node.ops):
            yield "comparison", _setter(node.ops, at, _COMPARISONS[type(operator)]())
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield "constant", _setter(node, "value", node.value + 1)
        yield "constant", _setter(node, "value", node.value - 1)
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        yield "negation", _setter(node, "value", not node.value)
    if isinstance(node, ast.BinOp | ast.AugAssign) and type(node.op) in _ARITHMETIC:
        yield "arithmetic", _setter(node, "op", _ARITHMETIC[type(node.op)]())
    if isinstance(node, ast.BoolOp):
        yield "negation", _setter(node, "op", ast.And() if isinstance(node.op, ast.Or) else ast.Or())
    if isinstance(node, ast.If | ast.While | ast.IfExp):
        yield "negation", _setter(node, "test", _negated(node.test))
    if isinstance(node, ast.FunctionDef):
        yield from _returns(node)
    for block in _blocks(node):
        for at, statement in enumerate(block):
            if not isinstance(statement, _KEPT) and not _is_text(statement):
                yield "dropped statement", _setter(block, at, ast.Pass())


_KEPT = ast.FunctionDef | ast.ClassDef | ast.Import | ast.ImportFrom | ast.Pass


def _blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    for name in ("body", "orelse", "finalbody"):
        block = getattr(node, name, None)
        if isinstance(block, list):
            yield block


def _is_text(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _negated(test: ast.expr) -> ast.expr:
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    return ast.UnaryOp(ast.Not(), test)


def _returns(function: ast.FunctionDef) -> Iterator[tuple[str, Change]]:
    """Yield the exchange of what two returns give, and of the members of a returned tuple."""
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    for one, other in itertools.pairwise(returns):

        def exchange(one: ast.Return = one, other: ast.Return = other) -> None:
            one.value, other.value = other.value, one.value

        yield "swapped returns", exchange
    for each in returns:
        if isinstance(each.value, ast.Tuple):
            yield "swapped returns", _setter(each.value, "elts", each.value.elts[::-1])


def _setter(owner: Any, place: str | int, value: Any) -> Change:
    def change() -> None:
        if isinstance(place, int):
            owner[place] = value
        else:
            setattr(owner, place, value)

    return change

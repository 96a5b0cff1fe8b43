"""Python source that may be anything, parsed without an exception and without a warning."""

from __future__ import annotations

import ast
import threading
import warnings
from typing import Any, Final, TypeVar, cast

_QUIET: Final = threading.Lock()
"""Warning filters belong to the whole process: two threads must not restore each other's."""

UNREADABLE: Final = (SyntaxError, ValueError, TypeError, RecursionError, MemoryError)
"""What parsing text or evaluating a literal can raise."""

NOTHING: Final = object()
"""No literal; None is one."""

Kind = TypeVar("Kind")


def parse(source: str) -> ast.Module | SyntaxError:
    """Return a program's tree, or why there is none."""
    with _QUIET, warnings.catch_warnings():
        # A model's "\d" is no news for the person who evaluates it.
        warnings.simplefilter("ignore")
        try:
            return ast.parse(source)
        except SyntaxError as error:
            return error
        except UNREADABLE as error:
            return SyntaxError(str(error) or type(error).__name__)


def expression(source: str) -> ast.expr | None:
    """Return the tree of a single expression, which may span lines; None if ``source`` is something else."""
    tree = parse(f"({source}\n)")
    if isinstance(tree, SyntaxError) or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Expr):
        return None
    return tree.body[0].value


def literal(source: str) -> Any:
    """Return the value of a literal, or ``NOTHING``."""
    tree = expression(source)
    return NOTHING if tree is None else literal_of(tree)


def literal_of(tree: ast.expr) -> Any:
    """Return the value of a tree that is a literal, or ``NOTHING``."""
    try:
        return ast.literal_eval(tree)
    except UNREADABLE:
        return NOTHING


def walk(tree: ast.AST, kind: type[Kind]) -> list[Kind]:
    """Return the nodes of one kind in a tree."""
    return [cast(Kind, node) for node in ast.walk(tree) if isinstance(node, kind)]

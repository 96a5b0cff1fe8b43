"""Whether code can be read in its language. Python is read by Python; of other languages nothing is ever run."""

from __future__ import annotations

import ast
import importlib
import threading
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from opencodeinterpreter.codefeedback.verification.code_blocks import language_name
from opencodeinterpreter.errors import MissingExtraError

if TYPE_CHECKING:
    from tree_sitter import Node, Parser

_GRAMMARS: Final = {
    "bash": ("bash", "language"),
    "c": ("c", "language"),
    "cpp": ("cpp", "language"),
    "csharp": ("c_sharp", "language"),
    "go": ("go", "language"),
    "java": ("java", "language"),
    "javascript": ("javascript", "language"),
    "php": ("php", "language_php"),
    "ruby": ("ruby", "language"),
    "rust": ("rust", "language"),
    "tsx": ("typescript", "language_tsx"),
    "typescript": ("typescript", "language_typescript"),
}
"""language → (package ``tree_sitter_…``, function that gives the grammar)"""
PARSED: Final = frozenset({"python", *_GRAMMARS})
"""Languages that can be parsed."""

_QUIET: Final = threading.Lock()
"""Warning filters belong to the whole process: two threads must not restore each other's."""
_PARSERS = threading.local()


@dataclass(frozen=True)
class Syntax:
    """What parsing code gave."""

    status: Literal["ok", "error", "not parsed"]
    """ "not parsed": there is no grammar for its language here"""
    line: int | None = None
    """of the first error, from 1"""
    detail: str = ""


def check_syntax(code: str, language: str) -> Syntax:
    """Return whether ``code`` is free of syntax errors; nothing is run.

    Args:
        code: a whole program or a piece of one.
        language: by any of its names.

    Raises:
        MissingExtraError: if the grammars are not installed.
    """
    language = language_name(language)
    if language == "python":
        tree = parse_python(code)
        return Syntax("error", tree.lineno, tree.msg) if isinstance(tree, SyntaxError) else Syntax("ok")
    if language not in _GRAMMARS:
        return Syntax("not parsed")
    if language == "php" and "<?" not in code:
        code = f"<?php {code}"  # most snippets leave out what tells PHP from a page's text
    root = _parser(language).parse(code.encode("utf-8", "replace")).root_node
    if not root.has_error:
        return Syntax("ok")
    node = _first_error(root)
    what = f"{node.type} is missing" if node.is_missing else "cannot be read"
    return Syntax("error", node.start_point[0] + 1, what)


def parse_python(code: str) -> ast.Module | SyntaxError:
    """Return a program's tree, or why there is none; without an exception and without a warning."""
    with _QUIET, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return ast.parse(code)
        except SyntaxError as error:
            return error
        except (ValueError, RecursionError, MemoryError) as error:
            return SyntaxError(str(error) or type(error).__name__)


def _first_error(root: Node) -> Node:
    """Return the innermost first node that could not be read."""
    node = root
    while True:
        worse = next((child for child in node.children if child.has_error or child.is_error or child.is_missing), None)
        if worse is None:
            return node
        node = worse


def _parser(language: str) -> Parser:
    """Return this thread's parser: one must not be used by two at a time."""
    parsers: dict[str, Parser] = _PARSERS.__dict__
    if language not in parsers:
        package, function = _GRAMMARS[language]
        try:
            tree_sitter = importlib.import_module("tree_sitter")
            grammar = getattr(importlib.import_module(f"tree_sitter_{package}"), function)
        except ImportError as error:
            raise MissingExtraError("Looking for syntax errors in languages other than Python", "data") from error
        parsers[language] = tree_sitter.Parser(tree_sitter.Language(grammar()))
    return parsers[language]

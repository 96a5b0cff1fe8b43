"""Reads complexities as people write them, well enough to say which of two grows faster."""

from __future__ import annotations

import ast
import math
import re

_AT = 1000.0
"""The size at which expressions are compared."""
_BIG = re.compile(r"[OΘ]\s*\(")
_WORDS = re.compile(r"log|sqrt|max|min|[A-Za-zα]\w*|\d+(?:\.\d+)?|\*\*|[-+*/^()!,|]")
_CAP = 1e6
"""Powers and factorials are kept as logarithms; this is the largest of those."""


def complexity(text: str) -> str:
    """Return the first ``O(...)`` in a text, without what is said of it; empty if there is none."""
    found = _BIG.search(text)
    if found is None:
        return ""
    depth = 0
    for position in range(found.end() - 1, len(text)):
        depth += {"(": 1, ")": -1}.get(text[position], 0)
        if depth == 0:
            return "O" + re.sub(r"\s+", " ", text[found.end() - 1 : position + 1])
    return ""


def growth(text: str) -> float | None:
    """Return the logarithm of a complexity at a large size; None for one that cannot be read.

    All variables are taken to be of one size, so ``O(m + n)`` and ``O(n)`` are nearly, and here exactly, equal.
    """
    inside = complexity(text)[2:-1]
    if not inside:
        return None
    try:
        tree = ast.parse(_python(inside), mode="eval")
        return round(_logarithm(tree.body), 2)
    except (SyntaxError, ValueError, KeyError, OverflowError, RecursionError):
        return None


def _python(text: str) -> str:
    """Write the expression as Python does: powers, and the signs of products that people leave out."""
    text = re.sub(r"\|(\w+)\|", r"\1", text)  # |V|, the size of a set
    text = re.sub(r"log(?=[a-z])", "log ", text)  # logn
    text = re.sub(r"(?<=[A-Za-z])log\b", " log", text)  # nlog
    words: list[str] = []
    for word in _WORDS.findall(text):
        if word == "^":
            word = "**"
        before = words[-1] if words else ""
        if before and _ends(before) and (re.match(r"[\w(α]", word)):
            if before not in ("log", "sqrt", "max", "min"):
                words.append("*")
            elif word != "(":
                words += ["(", word, ")"]
                continue
        words.append(word)
    return re.sub(r"(\w+|\([^()]*\))\s*!", r"factorial(\1)", " ".join(words))


def _ends(word: str) -> bool:
    return bool(re.fullmatch(r"[\wα.]+|\)", word))


def _logarithm(node: ast.expr) -> float:
    """Return log10 of the value of an expression in which every variable is ``_AT``."""
    match node:
        case ast.Constant(value=int() | float() as value):
            return math.log10(value) if value > 1 else 0.0
        case ast.Name():
            return math.log10(_AT)
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _logarithm(left) + _logarithm(right)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return max(0.0, _logarithm(left) - _logarithm(right))
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() | ast.BitOr(), right=right):
            return max(_logarithm(left), _logarithm(right))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            # Two to the n is nothing like n to the two: the exponent's value counts.
            return min(_CAP, _logarithm(left) * 10 ** min(6.0, _value(right)))
        case ast.Call(func=ast.Name(id=name), args=args) if args:
            inner = max(_logarithm(each) for each in args)
            known = {"log": math.log10(max(1.0, inner / math.log10(2))), "sqrt": inner / 2, "factorial": _CAP}
            return known.get(name, inner)
    raise ValueError(ast.dump(node))


def _value(node: ast.expr) -> float:
    """Return log10 of an exponent, which may be a plain number below one power of ten."""
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value > 0:
        return math.log10(node.value)
    return _logarithm(node)

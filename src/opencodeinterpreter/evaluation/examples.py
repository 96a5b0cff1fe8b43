"""The examples that a prompt itself shows: what an honest protocol may test a solution with.

Read are Python sessions (``>>> f(1)``), calls with their result in any of the usual notations (``f(1) == 2``,
``f(1) ➞ 2``, ``f(1) returns 2``, ``assert f(1) == 2``), and, where a prompt shows none, examples without a call
(``For x = 1 the output should be 2``, ``Input: 1  Output: 2``). What is no equality of two values is left out.
Whether an example is right is not judged here: some prompts show wrong ones.
"""

from __future__ import annotations

import ast
import builtins
import keyword
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from opencodeinterpreter.evaluation.described import described_examples
from opencodeinterpreter.evaluation.parsing import NOTHING, expression, literal, literal_of, parse, walk
from opencodeinterpreter.evaluation.problems import Example, Problem
from opencodeinterpreter.evaluation.written import Written, balanced_end, literal_at, only_spaces_after, same_line

_ARROW = r"={1,3}>|-{1,2}>|➞|→|⇒|==="
_SIGN: Final = re.compile(
    rf"[ \t]*(?:\#[ \t]*)?(?:(?P<arrow>{_ARROW}|==)|(?P<weak>=)|"
    r"(?P<word>(?:should|will|must|would)?\s*\b(?:returns?|gives?|equals?|outputs?|yields?|be|is)\b:?))\s*"
)
_STRONG_SIGN: Final = re.compile(rf"[ \t]*(?:{_ARROW}|==)[ \t]*")
_HEADING: Final = re.compile(r"^[ \t]*(?:for[ \t]+)?exam[pb]les?\b[^\n(]{0,20}$", re.IGNORECASE | re.MULTILINE)
_SUM: Final = re.compile(r"[\d \t+\-*/().]+=[ \t]*(?=\S+[ \t]*$)", re.MULTILINE)
_SESSION: Final = re.compile(r"^(?P<margin>[ \t]*)>>>[ \t]?(?P<code>.*(?:\n[ \t]*\.\.\.(?:[ \t].*)?)*)", re.MULTILINE)
_ASSERT: Final = re.compile(r"^[ \t]*assert\b", re.MULTILINE)
_MOST_ASSERT_LINES: Final = 20


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    call: str
    expected: str
    inputs: tuple[Any, ...] | None


def examples_of(prompt: str, entry_point: str) -> tuple[Example, ...]:
    """Return the examples that ``prompt`` shows for the function ``entry_point``, in the order of the prompt.

    ``call`` and ``expected`` of each are Python expressions; those of MBPP may name ``math`` and ``sys``. A plain
    ``assert f(1)`` is ``bool(f(1))`` and ``True``.
    """
    if not entry_point.isidentifier():
        return ()
    text, parameters = _description(prompt, entry_point)
    found = list(_asserts(text, entry_point))
    if not found:
        found = [*_sessions(text, entry_point), *_calls(text, entry_point, entry_point, parameters)]
    if not found:
        found = list(_misnamed(text, prompt, entry_point, parameters))
    if not found:
        found = [_of_described(each, entry_point) for each in described_examples(text, parameters)]
    unique = {(each.call, each.expected): each for each in sorted(found, key=lambda each: -each.start)}
    ordered = sorted(unique.values(), key=lambda each: each.start)
    return tuple(
        Example(each.call, expected, _lines(text, each.start, each.end), each.inputs)
        for each, expected in zip(ordered, _tuples_as_meant([each.expected for each in ordered]), strict=True)
    )


def example_inputs(problem: Problem, example: Example) -> Iterator[tuple[Any, ...]]:
    """Yield the arguments of each call of the entry point in an example, also within ``bool(f(1))`` or ``not f(1)``."""
    if example.inputs is not None:
        yield example.inputs
    tree = expression(example.call)
    for call in walk(tree, ast.Call) if tree is not None else ():
        inputs = _inputs(call, problem.entry_point)
        if inputs is not None:
            yield inputs


def _description(prompt: str, entry_point: str) -> tuple[str, tuple[str, ...]]:
    """Return the text that describes the function, as it stands in the prompt, and the names of its parameters."""
    tree = parse(prompt)
    if isinstance(tree, SyntaxError):
        return prompt, ()
    for node in reversed(walk(tree, ast.FunctionDef)):
        if node.name == entry_point:
            parameters = tuple(each.arg for each in (*node.args.posonlyargs, *node.args.args))
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                # The text of the file, not the value: people read "\n" in an example as its author typed it.
                lines = prompt.split("\n")[first.lineno - 1 : first.end_lineno]
                return "\n".join(lines), parameters
            return prompt, parameters
    return prompt, ()


def _asserts(text: str, entry_point: str) -> Iterator[_Found]:
    for match in _ASSERT.finditer(text):
        end = match.end()
        for _ in range(_MOST_ASSERT_LINES):
            line_end = text.find("\n", end)
            end = len(text) if line_end < 0 else line_end
            source = text[match.start() : end].strip()
            tree = parse(source)
            if not isinstance(tree, SyntaxError) or end == len(text):
                break
            end += 1
        if isinstance(tree, SyntaxError) or len(tree.body) != 1 or not isinstance(tree.body[0], ast.Assert):
            continue
        sides = _sides(tree.body[0].test, source, entry_point)
        if sides:
            call = expression(sides[0])
            yield _Found(match.start(), end, *sides, _inputs(call, entry_point))


def _sides(test: ast.expr, source: str, entry_point: str) -> tuple[str, str] | None:
    if not _uses(test, entry_point):
        return None
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq):
        left, right = test.left, test.comparators[0]
        if not _uses(left, entry_point):
            left, right = right, left
        if _uses(right, entry_point):
            return None
        return ast.get_source_segment(source, left) or "", ast.get_source_segment(source, right) or ""
    whole = ast.get_source_segment(source, test) or ""
    certain = isinstance(test, ast.Compare) or (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not))
    called = isinstance(test, ast.Call) and isinstance(test.func, ast.Attribute)
    return (whole if certain or called else f"bool({whole})"), "True"


def _uses(tree: ast.expr, entry_point: str) -> bool:
    return any(isinstance(call.func, ast.Name) and call.func.id == entry_point for call in walk(tree, ast.Call))


def _inputs(tree: ast.expr | None, entry_point: str) -> tuple[Any, ...] | None:
    """Return the arguments of a plain call of the entry point with literals."""
    if not isinstance(tree, ast.Call) or not isinstance(tree.func, ast.Name) or tree.func.id != entry_point:
        return None
    values = [literal_of(argument) for argument in tree.args]
    return None if tree.keywords or any(value is NOTHING for value in values) else tuple(values)


def _sessions(text: str, entry_point: str) -> Iterator[_Found]:
    """Find ``>>> f(1)`` with its result on the next lines, or behind it."""
    for match in _SESSION.finditer(text):
        code = re.sub(r"\n[ \t]*\.\.\.[ \t]?", "\n", match["code"])
        tree = expression(code)
        if tree is None or isinstance(tree, ast.Subscript):  # "f(1) [2]" reads as an index
            yield from _result_behind(text, match, entry_point)
        elif _uses(tree, entry_point) and not isinstance(tree, ast.Compare):
            call = ast.get_source_segment(f"({code}\n)", tree) or ""
            end, expected = _result_below(text, match.end())
            if expected is not None:
                yield _Found(match.start(), end, call, expected, _inputs(tree, entry_point))


def _result_behind(text: str, match: re.Match[str], entry_point: str) -> Iterator[_Found]:
    start = match.start("code")
    if text.startswith(f"{entry_point}(", start) and (end := balanced_end(text, start + len(entry_point))):
        written = literal_at(text, end + 1) if text[end : end + 1] == " " else None
        tree = expression(text[start:end])
        if written and only_spaces_after(text, written.end) and (inputs := _inputs(tree, entry_point)) is not None:
            yield _Found(match.start(), written.end, text[start:end], written.source, inputs)


def _result_below(text: str, end: int) -> tuple[int, str | None]:
    """Return where the output of a session's line ends, and the literal that it is; no output is None."""
    lines: list[str] = []
    for line in text[end:].split("\n")[1:]:
        if not line.strip() or line.lstrip().startswith((">>>", '"""', "'''")):
            break
        lines.append(line)
    for count in range(len(lines), 0, -1):
        source = "\n".join(lines[:count])
        if literal(source) is not NOTHING:
            return end + len(source) + 1, source.strip()
    return end, None if lines else "None"


def _calls(text: str, name: str, entry_point: str, parameters: tuple[str, ...], sign: re.Pattern[str] = _SIGN,
           ) -> Iterator[_Found]:  # fmt: skip
    """Find calls that are followed by a sign and a literal."""
    headings = [match.start() for match in _HEADING.finditer(text)]
    for match in re.finditer(rf"(?<![\w.]){re.escape(name)}[ \t]*(?=\()", text):
        end = balanced_end(text, match.end())
        mark = sign.match(text, end) if end else None
        if end is None or mark is None or re.search(r"\bdef[ \t]+$", text[: match.start()][-20:]):
            continue
        # With "=" a sequence is defined, too: "tri(1) = 3" before the examples is none.
        if sign is _SIGN and mark["weak"] and headings and match.start() < headings[-1]:
            continue
        total = _SUM.match(text, mark.end())
        written = literal_at(text, total.end() if total else mark.end())
        call = _call(text[match.end() : end], entry_point, parameters, quotes=bool(mark[0].strip(" \t#")[0] in "=-➞→⇒"))
        if written is None or call is None or not _ends_here(text, written, mark):
            continue
        yield _Found(match.start(), written.end, call, written.source, _inputs(expression(call), entry_point))


def _ends_here(text: str, written: Written, mark: re.Match[str]) -> bool:
    after = same_line(text, written.end)
    if "\n" in mark[0] and not mark[0].split("\n")[0].strip():
        return False
    # "= 1 + n / 2" is a formula, '""aaa"' a slip of the pen.
    return not re.match(r"[ \t]*[-+*/%=<>|&^\[]|[\w\"']", after)


def _call(arguments: str, entry_point: str, parameters: tuple[str, ...], *, quotes: bool) -> str | None:
    """Return the call in Python; words that are no names of anything are texts whose quotes were left away."""
    tree = expression(entry_point + arguments)
    if not isinstance(tree, ast.Call) or tree.keywords:
        return None
    written = []
    for argument in tree.args:
        if isinstance(argument, ast.Name) and quotes and argument.id not in parameters:
            written.append(repr(argument.id))
        elif literal_of(argument) is NOTHING:
            return None
        else:
            written.append("")
    if not any(written):
        return entry_point + arguments
    if not all(written):
        return None
    return f"{entry_point}({', '.join(written)})"


def _misnamed(text: str, prompt: str, entry_point: str, parameters: tuple[str, ...]) -> Iterator[_Found]:
    """Find calls under another name, as in prompts whose function was renamed."""
    defined = set(re.findall(r"\bdef[ \t]+(\w+)", prompt))
    names = dict.fromkeys(re.findall(r"(?<![\w.])([A-Za-z_]\w*)(?=\()", text))
    for name in names:
        if name not in defined and not hasattr(builtins, name) and not keyword.iskeyword(name):
            yield from _calls(text, name, entry_point, parameters, _STRONG_SIGN)


def _of_described(written: tuple[int, int, tuple[str, ...], str], entry_point: str) -> _Found:
    start, end, arguments, expected = written
    call = f"{entry_point}({', '.join(arguments)})"
    return _Found(start, end, call, expected, _inputs(expression(call), entry_point))


def _tuples_as_meant(expected: list[str]) -> list[str]:
    """Where others are tuples, ``("a")`` is meant to be one, too."""
    if not any(isinstance(literal(each), tuple) for each in expected):
        return expected
    return [
        each[:-1] + ",)"
        if each.startswith("(") and each.endswith(")") and not isinstance(literal(each), tuple)
        else each
        for each in expected
    ]


def _lines(text: str, start: int, end: int) -> str:
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", end)
    return text[first : last if last >= 0 else len(text)]

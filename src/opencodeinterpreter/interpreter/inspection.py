"""Looks at what is there after code failed or gave nothing: the model mends from facts instead of guesses."""

from __future__ import annotations

import ast
import json
import re
from pathlib import PurePosixPath
from typing import Any

from opencodeinterpreter.errors import InputError, SandboxError
from opencodeinterpreter.interpreter.mending import how_to_mend
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import ExecutionResult

_FRAMES = 3
_COLUMNS = 15
_FILES = 20
_LINES = 4
_HEAD_BYTES = 1_000_000
_LINE_CHARACTERS = 120
_TEXT_FILES = frozenset({".csv", ".tsv", ".txt", ".md", ".json", ".jsonl"})
_FILES_SHOWN = 3
_FILE_LINES = 3
_FILE_HEAD_BYTES = 10_000
_READING_ERRORS = frozenset(
    {"ParserError", "UnicodeDecodeError", "JSONDecodeError", "EmptyDataError", "UnsupportedOperation", "Error"}
)

# Runs in a namespace of its own: the session's variables are read and not touched.
_LOOK = r"""
exec(r'''
import re, sys
pandas = sys.modules.get("pandas")
found = {}
if pandas is not None:
    for name, value in list(variables.items()):
        if not name.startswith("_") and isinstance(value, pandas.DataFrame):
            missing = value.isna().sum()
            columns = []
            for i in range(min(value.shape[1], limit + 1)):
                shapes = {}
                if value.dtypes.iloc[i] == object:
                    for text in value.iloc[:1000, i].dropna().astype(str):
                        shapes.setdefault(re.sub("[^\W\d_]+", "a", re.sub("\d+", "9", text)), text[:30])
                columns.append([str(value.columns[i]), str(value.dtypes.iloc[i]), int(missing.iloc[i]),
                                list(shapes.values())[:3]])
            found[name] = [list(value.shape), columns]
import json
print(json.dumps(found))
''', {"variables": globals(), "limit": LIMIT})
""".replace("LIMIT", str(_COLUMNS))


# Those of the names that hold something short enough to be shown.
_VALUES = r"""
exec(r'''
shown = []
for name in NAMES:
    value = variables.get(name)
    if not isinstance(value, (int, float, complex, str, list, tuple, dict, set)) and (
        type(value).__module__.split(".")[0] not in ("pandas", "numpy", "decimal", "fractions", "datetime")
    ):
        continue
    if hasattr(value, "__len__") and len(value) > 20 and not isinstance(value, str):
        continue
    text = value.to_string() if hasattr(value, "to_string") else repr(value)
    if len(text) <= 600:
        shown.append(name + " =" + ("\n" if "\n" in text else " ") + text)
print("\n".join(shown[-4:]))
''', {"variables": globals()})
"""


def values_after(code: str, sandbox: AnySandbox) -> str:
    """Return the short values that the code gave names to; of code that printed nothing they are the result."""
    names = _assigned(code) if sandbox.language == "python" else []
    if not names:
        return ""
    try:
        looked = sandbox.run(_VALUES.replace("NAMES", repr(names)))
    except SandboxError:
        # A look that fails tells nothing; the next run will say what is wrong.
        return ""
    text = looked.stdout.strip() if looked.ok else ""
    return f"Values now:\n{text}" if text else ""


def files_after(result: ExecutionResult, sandbox: AnySandbox) -> str:
    """Show how the text files begin that a run made or changed: a column that got lost is seen there."""
    told: list[str] = []
    for change in result.files:
        if PurePosixPath(change.path).suffix.lower() not in _TEXT_FILES or len(told) == _FILES_SHOWN:
            continue
        head = _head(change.path, _FILE_HEAD_BYTES, sandbox).decode("utf-8", "replace")
        lines = [f"  {line[:_LINE_CHARACTERS]}" for line in head.splitlines()[:_FILE_LINES]]
        if lines:
            told.append("\n".join([f"{change.path} begins:", *lines]))
    return "\n".join(told)


def _head(path: str, limit: int, sandbox: AnySandbox) -> bytes:
    """Return the first bytes of a file, none if code that still runs has taken it away meanwhile."""
    try:
        return sandbox.read(path, limit)
    except InputError:
        return b""


def _assigned(code: str) -> list[str]:
    """Return the names that a program assigns to outside its functions, the last one last; loop variables are none."""
    try:
        statements = list(ast.parse(code).body)
    except (SyntaxError, ValueError, RecursionError):
        return []
    names: dict[str, None] = {}
    while statements:
        statement = statements.pop(0)
        targets = getattr(statement, "targets", []) or [getattr(statement, "target", None)]
        if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
            for name in (name for target in targets for name in _changed(target)):
                names.pop(name, None)
                names[name] = None
        elif not isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            inner = [child for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt)]
            statements[:0] = inner
    return [name for name in names if not name.startswith("_")]


def _changed(target: ast.AST) -> list[str]:
    """Return the names that an assignment to this target changes: of ``frame["a"]`` it is ``frame``."""
    while isinstance(target, ast.Subscript | ast.Attribute | ast.Starred):
        target = target.value
    if isinstance(target, ast.Tuple | ast.List):
        return [name for element in target.elts for name in _changed(element)]
    return [target.id] if isinstance(target, ast.Name) else []


def facts_after(code: str, result: ExecutionResult, sandbox: AnySandbox) -> str:
    """Return what is true in the sandbox now and helps to understand ``result``; may be empty.

    Tables (pandas data frames) are told by their shape, columns, types and missing values; after a file was not found,
    the files that are there are named; after a file could not be read, its raw lines are shown.
    """
    if result.state_lost or sandbox.language != "python":
        return ""
    error = result.error.name if result.error else ""
    if error == "FileNotFoundError":
        names = [repr(info.path) for info in sandbox.files()]
        listed = ", ".join(names[:_FILES]) + (f" and {len(names) - _FILES} more" if len(names) > _FILES else "")
        return f"Files in the current folder: {listed or 'none'}."
    if result.error is not None and error in _READING_ERRORS:
        return _raw_lines(code, result.error.value, sandbox)
    if result.status not in {"ok", "error"} or error in {"SyntaxError", "IndentationError", "ModuleNotFoundError"}:
        return ""
    try:
        looked = sandbox.run(_LOOK)
        frames: dict[str, Any] = json.loads(looked.stdout) if looked.ok else {}
    except (SandboxError, ValueError):
        # A look that fails tells nothing; the error itself has been told already.
        return ""
    told = [_frame(name, *described) for name, described in list(frames.items())[-_FRAMES:]]
    if result.error is not None:
        told += how_to_mend(result.error, frames)
    return "\n".join(told)


def _frame(name: str, shape: list[int], columns: list[list[Any]]) -> str:
    told = []
    for column, kind, missing, examples in columns[:_COLUMNS]:
        like = f" like {', '.join(map(repr, examples))}" if examples else ""
        told.append(f"{column!r} ({kind}{like}{f', {missing} missing' if missing else ''})")
    more = ", ..." if len(columns) > _COLUMNS else ""
    return f"{name} is a DataFrame of {shape[0]} rows; its columns: {', '.join(told)}{more}"


def _raw_lines(code: str, error: str, sandbox: AnySandbox) -> str:
    """Show the raw lines of the text files that the code names: the first ones, and the one that the error names."""
    told = []
    for info in sandbox.files():
        if info.path not in code:
            continue
        raw = _head(info.path, _HEAD_BYTES, sandbox)
        if b"\0" in raw:
            continue
        lines = raw.decode("utf-8", "backslashreplace").splitlines()
        wanted = set(range(_LINES))
        for number in re.findall(r"line (\d+)", error):
            wanted |= {int(number) - 1, int(number)}
        shown = [f"{n + 1}: {lines[n][:_LINE_CHARACTERS]!r}" for n in sorted(wanted) if 0 <= n < len(lines)]
        told.append(f"raw lines of {info.path}:\n" + "\n".join(shown))
    return "\n".join(told[:2])

"""Looks at what is there after code failed, so that the model can mend it from facts instead of guesses."""

from __future__ import annotations

import json
from typing import Any

from opencodeinterpreter.errors import SandboxError
from opencodeinterpreter.sandbox import Sandbox
from opencodeinterpreter.sandbox.base import ExecutionResult

_FRAMES = 3
_COLUMNS = 15
_FILES = 20

# Runs in a namespace of its own: the session's variables are read and not touched.
_LOOK = """\
exec('''
import sys
pandas = sys.modules.get("pandas")
found = {}
if pandas is not None:
    for name, value in list(variables.items()):
        if not name.startswith("_") and isinstance(value, pandas.DataFrame):
            missing = value.isna().sum()
            columns = [[str(value.columns[i]), str(value.dtypes.iloc[i]), int(missing.iloc[i])]
                       for i in range(min(value.shape[1], limit + 1))]
            found[name] = [list(value.shape), columns]
import json
print(json.dumps(found))
''', {"variables": globals(), "limit": LIMIT})
""".replace("LIMIT", str(_COLUMNS))


def facts_after(result: ExecutionResult, sandbox: Sandbox) -> str:
    """Return what is true in the sandbox now and helps to understand the error of ``result``; may be empty.

    Tables (pandas data frames) are told by their shape, columns, types and missing values; after a file was not found,
    the files that are there are named.
    """
    if result.status != "error" or result.error is None or result.state_lost:
        return ""
    if result.error.name == "FileNotFoundError":
        names = [repr(info.path) for info in sandbox.files()]
        listed = ", ".join(names[:_FILES]) + (f" and {len(names) - _FILES} more" if len(names) > _FILES else "")
        return f"Files in the current folder: {listed or 'none'}."
    if sandbox.language != "python" or result.error.name in {"SyntaxError", "IndentationError", "ModuleNotFoundError"}:
        return ""
    try:
        looked = sandbox.run(_LOOK)
        frames: dict[str, Any] = json.loads(looked.stdout) if looked.ok else {}
    except (SandboxError, ValueError):
        # A look that fails tells nothing; the error itself has been told already.
        return ""
    return "\n".join(_frame(name, *described) for name, described in list(frames.items())[-_FRAMES:])


def _frame(name: str, shape: list[int], columns: list[list[Any]]) -> str:
    told = [
        f"{column!r} ({kind}{f', {missing} missing' if missing else ''})"
        for column, kind, missing in columns[:_COLUMNS]
    ]
    more = ", ..." if len(columns) > _COLUMNS else ""
    return f"{name} is a DataFrame of {shape[0]} rows; its columns: {', '.join(told)}{more}"

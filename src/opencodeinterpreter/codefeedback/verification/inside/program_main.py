"""Runs a solution, and the tests below it, in a process of its own; given to ``python -c`` inside the sandbox.

    python -c SOURCE CHANNEL PART...

A part is a file of the current folder. The first is the solution, the second, if there is one, its tests: both share
one namespace, as if the second were written below the first. While the solution is loaded above tests, its module is
not called ``__main__``, so that what it does when it is run as a program does not stand in the tests' way.

To ``CHANNEL`` goes one JSON object a line: ``step`` (``tests`` once they begin, ``end`` when all has been done), so
that code which ends the process with a good status before its tests have begun cannot pass for a right solution; and
``error``, with the frames of the parts alone.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import types


def _run(channel: int, parts: list[str]) -> None:
    sys.argv = [parts[0]]
    module = types.ModuleType("__main__")
    module.__dict__.update(__file__=parts[0], __builtins__=__builtins__)
    sys.modules["__main__"] = sys.modules["solution"] = module
    try:
        for number, part in enumerate(parts):
            last = number == len(parts) - 1
            module.__dict__["__name__"] = "__main__" if last else "solution"
            if number:
                _tell(channel, {"step": "tests"})
            with open(part, encoding="utf-8") as file:  # noqa: PTH123 - starts faster without pathlib
                source = file.read()
            exec(compile(source, part, "exec", dont_inherit=True), module.__dict__)  # noqa: S102 - what it is for
        _tell(channel, {"step": "end"})
    except SystemExit as error:
        if last and error.code in (None, 0):
            _tell(channel, {"step": "end"})
        elif error.code not in (None, 0):
            _tell(channel, {"error": {"name": "SystemExit", "value": str(error.code), "traceback": ""}})
        raise
    except BaseException as error:  # whatever the program raised is what is to be told
        _tell(channel, {"error": _told(error, set(parts))})
        raise SystemExit(1) from None


def _tell(channel: int, row: dict[str, object]) -> None:
    os.write(channel, json.dumps(row).encode() + b"\n")


def _told(error: BaseException, own: set[str]) -> dict[str, str]:
    whole = traceback.TracebackException(type(error), error, error.__traceback__, compact=True)
    queue: list[traceback.TracebackException | None] = [whole]
    seen: set[int] = set()
    while queue:
        part = queue.pop()
        if part is None or id(part) in seen:
            continue
        seen.add(id(part))
        part.stack[:] = [frame for frame in part.stack if frame.filename in own]
        queue += [part.__cause__, part.__context__]
    try:
        value = str(error)
    except Exception:  # of the program's own exception class
        value = ""
    return {"name": type(error).__name__, "value": value[:4000], "traceback": "".join(whole.format())[-8000:]}


_run(int(sys.argv[1]), sys.argv[2:])

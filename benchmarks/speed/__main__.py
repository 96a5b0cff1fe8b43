"""Measure speed and memory: ``python -m benchmarks.speed [--only NAME] [--quick] [--json]``.

Every comparison is made within the run, its sides taking turns. The table goes to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from benchmarks.grading import speed as grading
from benchmarks.grading import verdicts
from benchmarks.progress import tell
from benchmarks.speed import machine, memory, prompt, report, roundtrip, start, tokens
from benchmarks.speed.measure import Plan, Row
from opencodeinterpreter import OcintError

BENCHMARKS = {
    "start": start.rows,
    "roundtrip": roundtrip.rows,
    "memory": memory.rows,
    "prompt": prompt.rows,
    "tokens": tokens.rows,
    "grading": grading.rows,
    "verdicts": verdicts.rows,
}


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", choices=BENCHMARKS, help="leave out the others; may be repeated")
    parser.add_argument("--quick", action="store_true", help="few repetitions: to see it work, not to measure")
    parser.add_argument("--json", action="store_true", help="the same as JSON")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="run by the embedded engine (%(default)s)")
    options = parser.parse_args(arguments)
    parts = machine.describe()
    if machine.is_busy():
        tell("This machine is busy with something else: times will be too long, and ratios unreliable.")
    plan = Plan(options.quick, options.model, tell)
    rows: list[Row] = []
    try:
        for name in options.only or BENCHMARKS:
            found = BENCHMARKS[name](plan)
            rows += found
            tell(report.table(found))
    except OcintError as error:
        tell(str(error))
        return 1
    _print(report.as_json(rows, parts, options.quick) if options.json else _page(rows, parts, options.quick))
    return 0


def _page(rows: Sequence[Row], parts: dict[str, str], quick: bool) -> str:
    warning = "\n\nA quick run: it shows that all works, and its figures mean little." if quick else ""
    return (
        f"{report.table(rows)}\n\nMedians, with quartiles of ours; ratios are ours to the other side's, with a 95 % "
        f"interval.\nMachine: {report.machine(parts)}{warning}"
    )


def _print(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())

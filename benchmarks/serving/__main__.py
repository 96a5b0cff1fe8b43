"""Measure many users: ``python -m benchmarks.serving [--only PART] [--quick] [--json] [--write PAGE]``.

The program's own server runs as a process, and people come to it over HTTP. What is measured goes line by line into a
file of records, from which an interrupted run goes on. The tables go to stdout, progress to stderr.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from benchmarks.progress import tell
from benchmarks.serving import report
from benchmarks.serving.many import Level, Load, level
from benchmarks.serving.parking import Parking, parking
from benchmarks.serving.records import Records
from benchmarks.serving.users import Users, users
from benchmarks.speed import machine
from opencodeinterpreter import OcintError

Part = Callable[[], Level | Parking | Users]


def parts(quick: bool, model: str) -> dict[str, Part]:
    """Return what is measured: name → how."""
    loads = (
        [Load(1, 4, 2, 0.1, 2), Load(3, 3, 2, 0.1, 1)]
        if quick
        else [Load(1, 60, 10, 1.0, 20), Load(10, 15, 8, 2.0, 8), Load(50, 6, 6, 4.0, 4)]
    )
    people = 2 if quick else 4
    found: dict[str, Part] = {f"sessions-{load.sessions}": partial(level, load, tell) for load in loads}
    found["parking"] = partial(parking, 2 if quick else 10, tell)
    for slots in (1, people):
        found[f"users-{slots}"] = partial(users, model, slots, people, tell)
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__.splitlines()[0])
    parser.add_argument("--only", action="append", help="leave out the other parts, by the beginning of its name")
    parser.add_argument("--quick", action="store_true", help="few sessions, few repetitions: to see it work")
    parser.add_argument("--json", action="store_true", help="print the records")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="run by the embedded engine (%(default)s)")
    parser.add_argument("--records", type=Path, help="where they are kept, and taken from (output/serving.jsonl)")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="put the tables into this page")
    options = parser.parse_args(arguments)
    known = parts(options.quick, options.model)
    chosen = [name for name in known if not options.only or name.startswith(tuple(options.only))]
    if not chosen:
        parser.error(f"--only names none of {', '.join(known)}")
    default = Path("output") / ("serving-quick.jsonl" if options.quick else "serving.jsonl")
    records = Records(options.records or default)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that servers are ended on the way out
    if machine.is_busy():
        tell("This machine is busy with something else: times will be too long, and ratios unreliable.")
    for name in chosen:
        if name in records.found:
            tell(f"{name}: taken from {records.path}")
            continue
        try:
            records.add(name, asdict(known[name]()))
        except OcintError as error:
            tell(str(error))
            return 1
    found = [records.found[name] for name in known if name in records.found]
    if options.write is not None:
        report.write(options.write, found)
    sys.stdout.write((json.dumps(found, indent=1) if options.json else report.tables(found)) + "\n")
    return 0 if report.faultless(found) else 1


if __name__ == "__main__":
    sys.exit(main())

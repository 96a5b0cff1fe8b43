"""What it adds that a sandbox is on a worker of a Ray cluster: ``python -m benchmarks.speed.on_ray [--quick]``.

A cluster is started on this machine, or the one that ``RAY_ADDRESS`` names is used; where that is another machine, the
network between the two is measured along. The sandboxes of the two sides take turns. Needs the extra ``ray``.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.progress import tell
from benchmarks.speed import machine, report
from benchmarks.speed.measure import Row, against, alone, interleave
from benchmarks.speed.memory import proportional
from benchmarks.speed.start import CODE, check, first_answer
from opencodeinterpreter import OcintError, Sandbox
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.on_ray import sandbox_on_ray

_FILE_MB = 16
_SLEEP = "import time\nprint('begun', flush=True)\ntime.sleep(300)"
_STORE_BYTES = 100 << 20


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed.on_ray", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few repetitions: to see it work, not to measure")
    options = parser.parse_args(arguments)
    parts = machine.describe()
    if machine.is_busy():
        tell("This machine is busy with something else: times will be too long, and ratios unreliable.")
    try:
        with _cluster():
            rows = _rows(options.quick)
    except OcintError as error:
        tell(str(error))
        return 1
    sys.stdout.write(f"{report.table(rows)}\n\nMachine: {report.machine(parts)}\n")
    return 0


@contextmanager
def _cluster() -> Iterator[None]:
    """Connect to the cluster; a local one is kept small."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    import ray

    # Ray's workers step back behind all else on their machine, which here is the other side.
    small = {
        "num_cpus": os.cpu_count(),
        "object_store_memory": _STORE_BYTES,
        "_system_config": {"worker_niceness": 0},
    }
    options: dict[str, Any] = {} if "RAY_ADDRESS" in os.environ else small
    ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR", **options)
    try:
        yield
    finally:
        ray.shutdown()


def _rows(quick: bool) -> list[Row]:
    rows = []
    with Sandbox() as here, sandbox_on_ray() as there, TemporaryDirectory() as folder:
        for sandbox in (here, there):
            check(sandbox.run(CODE))
        tell("round trips")
        figures = interleave(
            {"there": partial(_seconds, there), "here": partial(_seconds, here)}, 30 if quick else 300, 5
        )
        rows.append(_beside("round trip of 1+1", "ms", figures, 1000))
        tell("output")
        lines = "for i in range(2000): print(i)"
        figures = interleave(
            {"there": partial(_timed, there, lines), "here": partial(_timed, here, lines)}, 5 if quick else 30
        )
        rows.append(_beside("a run that prints 2,000 lines", "ms", figures, 1000))
        tell("files")
        source = Path(folder) / "data"
        source.write_bytes(os.urandom(1 << 20) * _FILE_MB)
        read = "import pathlib\nlen(pathlib.Path({!r}).read_bytes())"
        sides = {"there": partial(_uploaded, there, source, read), "here": partial(_uploaded, here, source, read)}
        rows.append(_beside(f"{_FILE_MB} MB uploaded and read", "ms", interleave(sides, 3 if quick else 10), 1000))
    tell(report.table(rows))
    tell("starts")
    sides = {"there": partial(first_answer, sandbox_on_ray), "here": partial(first_answer, Sandbox)}
    rows.append(_beside("first answer of a new sandbox", "s", interleave(sides, 2 if quick else 7), 1))
    tell(report.table(rows[-1:]))
    tell("memory")
    rows.append(alone("memory of a worker's own process", "MiB", [_memory() for _ in range(1 if quick else 3)]))
    tell("workers killed in mid run")
    rows.append(alone("from the kill to the error", "ms", [_told() for _ in range(2 if quick else 7)], scale=1000))
    return rows


def _beside(name: str, unit: str, figures: dict[str, list[float]], scale: float) -> Row:
    return against(name, unit, figures["there"], "a sandbox here", figures["here"], scale=scale)


def _timed(sandbox: AnySandbox, code: str, on_output: Callable[[object], None] = lambda _: None) -> float:
    began = time.monotonic()
    if not sandbox.run(code, on_output=on_output).ok:
        raise RuntimeError("the code failed")
    return time.monotonic() - began


def _seconds(sandbox: AnySandbox) -> float:
    began = time.monotonic()
    answer = sandbox.run(CODE)
    seconds = time.monotonic() - began
    check(answer)
    return seconds


def _uploaded(sandbox: AnySandbox, source: Path, read: str) -> float:
    """From the upload to the end of the run that reads the file; its removal does not count."""
    began = time.monotonic()
    name = sandbox.upload(source).path
    result = sandbox.run(read.format(name))
    seconds = time.monotonic() - began
    if result.result != str(_FILE_MB << 20):
        raise RuntimeError(f"the file came as {result}")
    (sandbox.workspace / name).unlink()
    sandbox.run(f"import os\nif os.path.exists({name!r}): os.remove({name!r})")
    return seconds


def _memory() -> float:
    with sandbox_on_ray() as sandbox:
        check(sandbox.run(CODE))
        return proportional(_worker())


def _told() -> float:
    killed: list[float] = []
    with sandbox_on_ray() as sandbox:
        sandbox.wait_ready()
        worker = _worker()

        def kill(_: object) -> None:
            if not killed:
                killed.append(time.monotonic())
                os.kill(worker, 9)

        try:
            sandbox.run(_SLEEP, on_output=kill)
        except OcintError:
            return time.monotonic() - killed[0]
    raise RuntimeError("the run ended")


def _worker() -> int:
    """Return the process of the only worker on this machine."""
    import psutil

    processes = psutil.process_iter(["pid", "cmdline"])
    found = [each.info["pid"] for each in processes if "ray::Worker" in " ".join(each.info["cmdline"] or ())]
    if len(found) != 1:
        raise RuntimeError(f"{len(found)} workers run on this machine; this needs it for itself")
    return int(found[0])


if __name__ == "__main__":
    sys.exit(main())

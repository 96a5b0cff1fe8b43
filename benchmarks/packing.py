"""Measure packing without embedding: ``python -m benchmarks.packing [--queries N]``.

The whole stage runs from file to file: it reads the queries, compares each with all others of its language, packs
dialogs and writes them. The vectors are random ones, drawn from a fixed seed, in place of a model's. Prints seconds and
the most memory that was in use; the vectors are a part of that.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.progress import tell

if TYPE_CHECKING:
    from opencodeinterpreter.codefeedback.pipeline.stage import TableStage
    from opencodeinterpreter.codefeedback.similarity.embedding import Vectors

QUERIES = 156_000
"""As many as the published set was packed from."""
DIMENSIONS = 384
"""As MiniLM has them."""
MAIN_SHARE = 0.67
"""Of the queries in one language, Python; the others share the rest evenly."""
OTHERS = ("cpp", "go", "java", "javascript", "rust")
CORES = 2
SEED = 0


def on_cores(count: int) -> None:
    """Keep this program to so many cores and threads; before numpy is imported, whose threads are counted then."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(count)
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:count])


def rows(count: int) -> Iterator[str]:
    """Yield queries as lines of a row file, each of some hundred characters, as real ones are."""
    import json
    import random

    draw = random.Random(SEED)
    for number in range(count):
        language = "python" if draw.random() < MAIN_SHARE else draw.choice(OTHERS)
        query = {"query": f"Task {number}: " + "write it well. " * 20, "answer": "```\nprint()\n```\n" * 20}
        yield json.dumps({"id": f"q{number}", **query, "language": language, "source": "made", "licence": "MIT"}) + "\n"


def vectors(count: int) -> Vectors:
    """Return random vectors of length one."""
    import numpy as np

    from opencodeinterpreter.codefeedback.similarity.embedding import unit

    return unit(np.random.default_rng(SEED).standard_normal((count, DIMENSIONS), dtype=np.float32))


def packing(given: Vectors) -> TableStage:
    """Return the stage with vectors that are there already."""
    from opencodeinterpreter.codefeedback.methods.packing import PackingSettings, PackingStage

    class Embedded(PackingStage):
        def _embedded(self, *_: object) -> tuple[Vectors, str]:
            return given, "random"

    # Random vectors are hardly alike: every query is to have neighbours, as most real ones have.
    return Embedded(PackingSettings(floor=-1.0, seed=SEED))


def measured(count: int, folder: Path) -> str:
    """Pack so many queries; return what it took."""
    import resource

    from opencodeinterpreter.codefeedback.pipeline.running import Job, run_stage

    with (folder / "queries.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(rows(count))
    stage = packing(vectors(count))
    tell(f"packing {count:,} queries")
    began = time.monotonic()
    ended = run_stage(Job(stage, [folder / "queries.jsonl"], folder / "packed.jsonl"))
    seconds = time.monotonic() - began
    # In KiB on Linux, in bytes on macOS.
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    manifest = ended.manifest
    return (
        f"{count:,} queries, {manifest['rows_out']:,} dialogs, {manifest['rows_dropped']:,} left over: "
        f"{seconds:.1f} s, at most {peak / 2**30:.2f} GiB"
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packing", description=__doc__)
    parser.add_argument("--queries", type=int, default=QUERIES, metavar="N", help="how many (%(default)s)")
    options = parser.parse_args(arguments)
    on_cores(CORES)
    with tempfile.TemporaryDirectory() as folder:
        print(measured(options.queries, Path(folder)))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Measure decontamination: ``python -m benchmarks.decontamination [FILE…] [--model minilm]``.

Prints how many of the planted problems are found, by half and by kind, and for each file how many of its rows are hits.
Whether a hit on a file is a false one, only a reader can say: with ``--hits`` they are listed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from benchmarks.progress import tell
from opencodeinterpreter import OcintError
from opencodeinterpreter.codefeedback.decontamination import Detector, load_references, parts_of
from opencodeinterpreter.codefeedback.decontamination.behaviour import Behaviour
from opencodeinterpreter.codefeedback.decontamination.references import load_problems
from opencodeinterpreter.codefeedback.files.jsonl import read_records
from opencodeinterpreter.codefeedback.pipeline.stage import Row
from opencodeinterpreter.codefeedback.similarity.embedding_models import load_embedder

PLANTED = Path(__file__).parents[2] / "tests" / "codefeedback" / "planted_problems.jsonl"
_KINDS = {"rename": "renamed", "reword": "told in other words"}


def planted(detector: Detector) -> str:
    """Return the table of what is found of the planted problems."""
    rows = [json.loads(line) for line in PLANTED.read_text(encoding="utf-8").splitlines()]
    likenesses = detector.compare([[(row["query"], row["answer"])] for row in rows])
    found: Counter[tuple[str, str]] = Counter()
    total: Counter[tuple[str, str]] = Counter()
    for row, likeness in zip(rows, likenesses, strict=True):
        for kind in ("all", _KINDS.get(row["kind"], "translated")):
            total[row["half"], kind] += 1
            found[row["half"], kind] += bool(likeness and likeness.hit)
    kinds = ("all", "renamed", "told in other words", "translated")
    lines = [f"| planted | {' | '.join(kinds)} |", "|---" + "|---:" * len(kinds) + "|"]
    for half in ("tuning", "held-out"):
        cells = " | ".join(f"{found[half, kind]} of {total[half, kind]}" for kind in kinds)
        lines.append(f"| {half} | {cells} |")
    return "\n".join(lines)


def rows_of(file: Path, count: int | None, skip: int = 0) -> list[Row]:
    """Return the rows of a file, or a sample of them that is always the same."""
    rows = [record.row for record in read_records(file) if record.row is not None]
    if count is None:
        return rows
    return sorted(rows, key=lambda row: hashlib.sha256(str(row.get("id")).encode()).hexdigest())[skip : skip + count]


def hits_in(detector: Detector, rows: Sequence[Row], name: str, listed: bool) -> str:
    """Return how many rows are hits; with ``listed`` also which, of what, and by which layers."""
    likenesses = detector.compare([parts_of(row) for row in rows])
    hits = [
        (row, likeness) for row, likeness in zip(rows, likenesses, strict=True) if likeness is not None and likeness.hit
    ]
    alone = sum(likeness.layers == ("behaviour",) for _, likeness in hits)
    lines = [f"{name}: {len(hits)} of {len(rows)} rows, {alone} of them by behaviour alone"]
    if listed:
        lines += [
            f"  {row.get('id')}: {likeness.reference.id}, likeness {likeness.evidence.likeness:.2f}, "
            f"by {', '.join(likeness.layers)}"
            for row, likeness in hits
        ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.decontamination", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="rows, as ocint data read writes them")
    parser.add_argument(
        "--model", default="tfidf", help="of the embedding layer: tfidf, minilm or another (%(default)s)"
    )
    parser.add_argument("--read-only", action="store_true", help="do not run the rows' programs")
    parser.add_argument("--sample", type=int, metavar="N", help="so many rows of each file, by the hash of their ids")
    parser.add_argument("--skip", type=int, default=0, metavar="N", help="so many before the sample begins")
    parser.add_argument("--hits", action="store_true", help="list the rows that are hits")
    options = parser.parse_args(arguments)
    try:
        embed = None if options.model == "tfidf" else load_embedder(options.model).embed
        behaviour = None if options.read_only else Behaviour(load_problems())
        detector = Detector(load_references(), embed, behaviour=behaviour)
        tell(f"the planted problems, with {options.model}")
        print(planted(detector))
        for file in options.files:
            tell(file.name)
            print(hits_in(detector, rows_of(file, options.sample, options.skip), file.name, options.hits))
    except OcintError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

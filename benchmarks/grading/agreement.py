"""The report of a cross-check: how often two graders agree, and every difference."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.grading.evalplus import Theirs
from benchmarks.grading.programs import Program
from benchmarks.grading.reasons import Difference, reason
from opencodeinterpreter.evaluation.verdicts import Grade, Verdict

_SHOWN = 120


@dataclass(frozen=True)
class Pair:
    """A program with both grades."""

    benchmark: str
    program: Program
    ours: Grade
    theirs: Theirs


def report(pairs: Sequence[Pair], differences: Sequence[Difference]) -> str:
    """Return both tables and the list as Markdown."""
    parts = ["## Agreement", _agreements(pairs), "## Verdicts on base and plus inputs", _kinds(pairs)]
    parts += ["## Differences", _reasons(differences), *map(_described, differences)]
    return "\n\n".join(parts)


def _agreements(pairs: Sequence[Pair]) -> str:
    rows: dict[tuple[str, str], Counter[str]] = {}
    for pair in pairs:
        row = rows.setdefault((pair.benchmark, pair.program.source), Counter())
        row["programs"] += 1
        if Verdict.HARNESS in (pair.ours.base.verdict, pair.ours.plus.verdict):
            row["harness"] += 1
        for suite, ours, theirs in zip(
            ("base", "plus"), (pair.ours.base.passed, pair.ours.plus.passed), pair.theirs.passes, strict=True
        ):
            row[f"{suite} {ours} {theirs}"] += 1
    lines = [
        "Each cell: both pass / both fail / only ours passes / only EvalPlus passes.",
        "",
        "| data | programs of | programs | base | base and plus | harness errors |",
        "|---|---|---:|---|---|---:|",
    ]
    for (benchmark, source), row in rows.items():
        cells = [
            " / ".join(
                str(row[f"{suite} {ours} {theirs}"])
                for ours, theirs in ((True, True), (False, False), (True, False), (False, True))
            )
            for suite in ("base", "plus")
        ]
        lines.append(f"| {benchmark} | {source} | {row['programs']} | {cells[0]} | {cells[1]} | {row['harness']} |")
    return "\n".join(lines)


def _kinds(pairs: Sequence[Pair]) -> str:
    counts = Counter((str(pair.ours.plus.verdict), _kind(pair.theirs)) for pair in pairs)
    theirs = sorted({kind for _, kind in counts}, key=lambda kind: (kind != "pass", kind))
    lines = ["| ours | " + " | ".join(f"EvalPlus: {kind}" for kind in theirs) + " |", "|---|" + "---:|" * len(theirs)]
    for verdict in Verdict:
        row = [counts[str(verdict), kind] for kind in theirs]
        if any(row):
            lines.append(f"| {verdict} | " + " | ".join(map(str, row)) + " |")
    return "\n".join(lines)


def _kind(theirs: Theirs) -> str:
    return theirs.plus if theirs.base == "pass" else theirs.base


def _reasons(differences: Sequence[Difference]) -> str:
    if not differences:
        return "None."
    counts = Counter(map(reason, differences)).most_common()
    return "\n".join(["| reason | programs |", "|---|---:|", *(f"| {text} | {count} |" for text, count in counts)])


def _described(difference: Difference) -> str:
    program, result = difference.program, difference.result
    origin = " ".join(filter(None, (program.source, program.detail)))
    again = [f"{one.base}/{one.plus}" for one in difference.again]
    lines = [
        f"### {program.problem.id}, {origin}: {difference.suite}",
        "",
        f"- ours: {result.verdict}; EvalPlus: {difference.their_verdict}"
        + (f"; asked again (base/plus): {', '.join(again)}" if again else ""),
        f"- reason: {reason(difference)}",
    ]
    if difference.apart is not None:
        lines.append(f"- ours with the plus inputs in a process of their own: {difference.apart}")
    if result.failure is not None:
        failure = result.failure
        last = failure.error.strip().splitlines()[-1:]
        what = f"`{_cut(failure.actual)}`, expected `{_cut(failure.expected)}`" if not last else f"`{_cut(last[0])}`"
        lines.append(f"- ours on `{_cut(failure.input)}`: {what}")
    return "\n".join([*lines, "", "```python", program.code.strip("\n"), "```"])


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN else text[:_SHOWN] + " …"

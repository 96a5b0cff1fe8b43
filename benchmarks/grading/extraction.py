"""What is extracted from stored replies, beside EvalPlus's ``sanitize``; both graded by our grader.

``python -m benchmarks.grading.extraction RUN_FOLDER...``
"""

from __future__ import annotations

import argparse
import ast
import difflib
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.grading.evalplus import ROOT, EvalPlus, EvalPlusFailedError, EvalPlusMissingError, ensure
from benchmarks.grading.programs import benchmark_of, spread
from benchmarks.progress import tell
from opencodeinterpreter import OcintError
from opencodeinterpreter.evaluation.datasets import load_dataset
from opencodeinterpreter.evaluation.extraction import Extraction, extract
from opencodeinterpreter.evaluation.grading import Grader
from opencodeinterpreter.evaluation.parsing import parse
from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.run_folder import Run, read_run
from opencodeinterpreter.evaluation.verdicts import Grade


@dataclass(frozen=True)
class Reply:
    """A reply, what both find in it, and what that is worth."""

    run: str
    place: str
    """Problem, sample and attempt."""
    problem: Problem
    ours: Extraction
    theirs: str | None
    """None where EvalPlus raises an exception."""
    our_grade: Grade
    their_grade: Grade

    @property
    def same_code(self) -> bool:
        """Return whether both programs are one, apart from comments, docstrings and layout."""
        return _normal(self.ours.code) == _normal(self.theirs or "")

    @property
    def outcome(self) -> str:
        """Return who lets the model pass where not both do: ``same``, ``ours`` or ``EvalPlus``."""
        ours = (self.our_grade.base.passed, self.our_grade.plus.passed)
        theirs = (self.their_grade.base.passed, self.their_grade.plus.passed)
        if ours == theirs:
            return "same"
        return "ours" if ours > theirs else "EvalPlus"


def compared(run: Run, evalplus: EvalPlus, limit: int | None) -> list[Reply]:
    """Extract from every reply of a run by both, and grade what is found."""
    name, version = benchmark_of(run)
    dataset = load_dataset(name, version)
    problems = {problem.id: problem for problem in spread(dataset.problems, limit)}
    asked = [
        (f"{record.problem}, sample {record.sample}, attempt {index}", problems[record.problem], attempt.reply)
        for record in run.records
        if record.problem in problems
        for index, attempt in enumerate(record.attempts)
    ]
    tell(f"{run.path.name}: {len(asked)} replies")
    ours = [extract(reply, problem.entry_point, problem.prompt) for _, problem, reply in asked]
    with tempfile.TemporaryDirectory(prefix="extraction-") as folder:
        theirs = list(evalplus.sanitize([(reply, problem.entry_point) for _, problem, reply in asked], Path(folder)))
    with Grader(dataset) as grader:
        our_grades = list(
            grader.grade_many((problem, found.code) for (_, problem, _), found in zip(asked, ours, strict=True))
        )
        their_grades = list(
            grader.grade_many((problem, found or "") for (_, problem, _), found in zip(asked, theirs, strict=True))
        )
    return [
        Reply(run.path.name, place, problem, mine, other, my_grade, their_grade)
        for (place, problem, _), mine, other, my_grade, their_grade in zip(
            asked, ours, theirs, our_grades, their_grades, strict=True
        )
    ]


def report(replies: Sequence[Reply]) -> str:
    """Return the counts, and every reply of which the two make different programs, as Markdown."""
    runs: dict[str, list[Reply]] = {}
    for reply in replies:
        runs.setdefault(reply.run, []).append(reply)
    lines = ["| | " + " | ".join(runs) + " |", "|---|" + "---:|" * len(runs)]
    counts = [_counts(found) for found in runs.values()]
    lines += [f"| {name} | " + " | ".join(str(count[name]) for count in counts) + " |" for name in counts[0]]
    rules = Counter(reply.ours.rule for reply in replies).most_common()
    lines += ["", "Ours, by rule: " + ", ".join(f"{rule} {count}" for rule, count in rules) + ".", ""]
    different = sorted(
        (reply for reply in replies if not reply.same_code), key=lambda reply: (reply.outcome == "same", reply.outcome)
    )
    return "\n".join([*lines, *map(_described, different)])


def _counts(replies: Sequence[Reply]) -> dict[str, int]:
    outcomes = Counter(reply.outcome for reply in replies)
    return {
        "replies": len(replies),
        "same program": sum(reply.same_code for reply in replies),
        "another program, same verdicts": sum(not reply.same_code and reply.outcome == "same" for reply in replies),
        "better verdict with ours": outcomes["ours"],
        "better verdict with EvalPlus's": outcomes["EvalPlus"],
        "pass base, ours": sum(reply.our_grade.base.passed for reply in replies),
        "pass base, EvalPlus's": sum(reply.their_grade.base.passed for reply in replies),
        "pass base and plus, ours": sum(reply.our_grade.plus.passed for reply in replies),
        "pass base and plus, EvalPlus's": sum(reply.their_grade.plus.passed for reply in replies),
        "no code, ours": sum(not reply.ours.code.strip() for reply in replies),
        "no code, EvalPlus's": sum(not (reply.theirs or "").strip() for reply in replies),
        "no entry point, ours": sum(
            bool(reply.ours.code.strip()) and not reply.ours.has_entry_point for reply in replies
        ),
        "no entry point, EvalPlus's": sum(
            bool((reply.theirs or "").strip()) and not _defines(reply.theirs or "", reply.problem.entry_point)
            for reply in replies
        ),
        "exception in EvalPlus's": sum(reply.theirs is None for reply in replies),
    }


def _defines(code: str, entry_point: str) -> bool:
    tree = parse(code)
    if isinstance(tree, SyntaxError):
        return False
    return any(
        getattr(node, "name", None) == entry_point
        or (
            isinstance(node, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == entry_point for target in node.targets)
        )
        for node in tree.body
    )


def _normal(code: str) -> str:
    tree = parse(code)
    if isinstance(tree, SyntaxError):
        return code.strip()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and ast.get_docstring(
            node, clean=False
        ):
            node.body[0] = ast.Pass()
    return ast.unparse(tree)


def _described(reply: Reply) -> str:
    better = "" if reply.outcome == "same" else f" (better with {reply.outcome})"
    theirs = _normal(reply.theirs or "").splitlines()
    changed = difflib.unified_diff(theirs, _normal(reply.ours.code).splitlines(), "EvalPlus", "ours", lineterm="", n=1)
    verdicts = [f"{grade.base.verdict} / {grade.plus.verdict}" for grade in (reply.our_grade, reply.their_grade)]
    return "\n".join(
        [
            f"### {reply.run}: {reply.place}{better}",
            "",
            f"rule: {reply.ours.rule}; ours: {verdicts[0]}; EvalPlus's: {verdicts[1]}",
            "",
            "```diff",
            *changed,
            "```",
            "",
        ]
    )


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.grading.extraction", description=__doc__)
    parser.add_argument("runs", nargs="+", type=Path, help="folders of stored runs")
    parser.add_argument("--limit", type=int, help="so many problems of each data set, spread over it")
    parser.add_argument("--out", type=Path, default=ROOT / "output" / "extraction.md", help="file (%(default)s)")
    parser.add_argument("--evalplus", type=Path, help="a virtual environment that has EvalPlus 0.3.1")
    options = parser.parse_args(arguments)
    try:
        evalplus = ensure(tell, options.evalplus)
        replies = [reply for path in options.runs for reply in compared(read_run(path), evalplus, options.limit)]
    except (OcintError, EvalPlusMissingError, EvalPlusFailedError) as error:
        print(error, file=sys.stderr)
        return 1
    if not replies:
        print("The runs hold no replies.", file=sys.stderr)
        return 1
    text = report(replies)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    options.out.write_text(text + "\n", encoding="utf-8")
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())

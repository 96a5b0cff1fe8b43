"""Report measurements as Markdown: ``python -m benchmarks.realuse.report FILE.jsonl... > results.md``."""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from statistics import mean, median
from typing import Any

from benchmarks.realuse.records import read
from benchmarks.realuse.statistics import Pairs, clustered_p, difference_interval, mcnemar, rate_interval, sign_test

Row = dict[str, Any]


def load(paths: Iterable[Path]) -> dict[str, list[Row]]:
    """Return the records by series: a suite, done by a model with its settings and one state of the interpreter.

    Suites are never pooled: a rate over both says nothing of either.

    Of several records of one task and seed in a series the last one counts.
    """
    series: dict[str, dict[tuple[str, int], Row]] = defaultdict(dict)
    for path in paths:
        for row in read(path):
            series[_series(row)][row["task"], row["seed"]] = row
    # A stable sort: the suites one after the other, the series of each in the order of the files.
    ordered = sorted(series, key=lambda name: name.split()[0])
    return {name: [series[name][key] for key in sorted(series[name])] for name in ordered}


def _series(row: Row) -> str:
    settings = row["settings"]
    return (
        f"{row.get('suite', 'hard')} tasks, {row['model']}, at most {settings['max_rounds']} rounds, "
        f"temperature {settings['temperature']}, source {row['source'][:8]}"
    )


def pairs_of(rows: Iterable[Row]) -> Pairs:
    pairs: dict[str, list[tuple[bool, bool]]] = defaultdict(list)
    for row in rows:
        pairs[row["task"]].append((row["single"]["passed"], row["feedback"]["passed"]))
    return pairs


def percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def report(series: dict[str, list[Row]]) -> str:
    lines = list(_overview(series))
    for name, rows in series.items():
        commits = sorted({str(row["commit"]) for row in rows})
        versions = ", ".join(f"{part} {number}" for part, number in sorted(rows[0]["versions"].items()))
        lines += ["", f"## {name}", "", f"Commit {', '.join(commits)}; {versions}.", ""]
        for part in (_comparison, _categories, _effort, _flips, _missed):
            lines += [*part(rows), ""]
    return "\n".join(lines).rstrip() + "\n"


def _overview(series: dict[str, list[Row]]) -> Iterator[str]:
    yield "| series | runs | without execution feedback | with execution feedback | difference |"
    yield "|---|---|---|---|---|"
    for name, rows in series.items():
        pairs = pairs_of(rows)
        without = rate_interval({task: [before for before, _ in runs] for task, runs in pairs.items()})
        with_it = rate_interval({task: [after for _, after in runs] for task, runs in pairs.items()})
        gain, low, high = difference_interval(pairs)
        seeds = len({row["seed"] for row in rows})
        yield (
            f"| {name} | {len(pairs)} tasks, {seeds} seeds, {len(rows)} runs | {_interval(without)} | "
            f"{_interval(with_it)} | {100 * gain:+.1f} points ({100 * low:+.1f} to {100 * high:+.1f}) |"
        )
    yield ""
    yield (
        "Rates are over task and seed, with 95 % intervals by a bootstrap over tasks. Without execution feedback is "
        "the same generation stopped after its first execution; in tasks of several turns it is a run with one "
        "execution a turn."
    )


def _interval(values: tuple[float, float, float]) -> str:
    rate, low, high = values
    return f"{percent(rate)} ({percent(low)} to {percent(high)})"


def _comparison(rows: Sequence[Row]) -> Iterator[str]:
    pairs = pairs_of(rows)
    mended, spoiled, exact = mcnemar(pairs)
    up, down, sign = sign_test(pairs)
    yield "### Paired comparison"
    yield ""
    yield "| test | up | down | two-sided p |"
    yield "|---|---|---|---|"
    yield f"| McNemar, exact, over runs | {mended} mended | {spoiled} spoiled | {_p(exact)} |"
    yield f"| sign test over tasks | {up} gain | {down} lose | {_p(sign)} |"
    yield f"| permutation of the arms of whole tasks | | | {_p(clustered_p(pairs))} |"


def _categories(rows: Sequence[Row]) -> Iterator[str]:
    yield "### By category, language and turns"
    yield ""
    yield "| | runs | without | with | rounds |"
    yield "|---|---|---|---|---|"
    groups: list[tuple[str, Callable[[Row], str]]] = [
        ("category", lambda row: str(row["category"])),
        ("language", lambda row: f"language {row['language']}"),
        ("turns", lambda row: "one turn" if row["turns"] == 1 else "several turns"),
    ]
    for _, key in groups:
        parts: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            parts[key(row)].append(row)
        for name in sorted(parts):
            part = parts[name]
            yield (
                f"| {name} | {len(part)} | {percent(mean(row['single']['passed'] for row in part))} | "
                f"{percent(mean(row['feedback']['passed'] for row in part))} | "
                f"{mean(row['feedback']['rounds'] for row in part):.1f} |"
            )


def _effort(rows: Sequence[Row]) -> Iterator[str]:
    def of(arm: str, name: str) -> list[float]:
        return [row[arm]["cost"][name] for row in rows]

    yield "### Effort of a run"
    yield ""
    yield "| | without, mean | with, mean | with, median | with, longest |"
    yield "|---|---|---|---|---|"
    names = (
        "seconds",
        "model_seconds",
        "sandbox_seconds",
        "prompt_tokens",
        "cached_prompt_tokens",
        "completion_tokens",
    )
    for name in names:
        some = of("feedback", name)
        yield (
            f"| {name.replace('_', ' ')} | {mean(of('single', name)):,.1f} | {mean(some):,.1f} | {median(some):,.1f} "
            f"| {max(some):,.1f} |"
        )
    for name in ("rounds", "executions"):
        some = [row["feedback"][name] for row in rows]
        one = mean(row["single"][name] for row in rows)
        yield f"| {name} | {one:.2f} | {mean(some):.2f} | {median(some):.0f} | {max(some):.0f} |"


def _flips(rows: Sequence[Row]) -> Iterator[str]:
    def runs(before: bool, after: bool) -> str:
        counts: dict[str, list[int]] = defaultdict(list)
        for row in rows:
            if (row["single"]["passed"], row["feedback"]["passed"]) == (before, after):
                counts[row["task"]].append(row["seed"])
        return ", ".join(f"{task} ({_seeds(seeds)})" for task, seeds in sorted(counts.items())) or "none"

    yield "### What execution feedback changed"
    yield ""
    yield f"- Mended: {runs(False, True)}"
    yield f"- Spoiled: {runs(True, False)}"


def _seeds(seeds: Sequence[int]) -> str:
    return f"seed{'s' if len(seeds) > 1 else ''} {', '.join(map(str, sorted(seeds)))}"


def _missed(rows: Sequence[Row]) -> Iterator[str]:
    missed = [row for row in rows if not row["feedback"]["passed"]]
    yield f"### Missed with execution feedback: {len(missed)} of {len(rows)}"
    for kind, count in Counter(row["feedback"]["kind"] for row in missed).most_common():
        yield ""
        yield f"{kind[:1].upper()}{kind[1:]}: {count}"
        yield ""
        yield "| task | seed | rounds | what was missing | last error |"
        yield "|---|---|---|---|---|"
        for row in missed:
            arm = row["feedback"]
            if arm["kind"] == kind:
                yield (
                    f"| {row['task']} | {row['seed']} | {arm['rounds']} | {cell(arm['reason'])} | "
                    f"{cell(arm['error'] or '')} |"
                )


def cell(text: str, characters: int = 160) -> str:
    """Return ``text`` fit for a cell of a Markdown table."""
    flat = " ".join(text.split())
    cut = flat if len(flat) <= characters else flat[:characters] + "…"
    return cut.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("_", "\\_")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.realuse.report", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args(arguments)
    missing = [str(path) for path in options.files if not path.is_file()]
    if missing:
        print(f"There is no file {', '.join(missing)}", file=sys.stderr)
        return 2
    series = load(options.files)
    if not series:
        print("These files hold no records", file=sys.stderr)
        return 1
    sys.stdout.write(report(series))
    return 0


if __name__ == "__main__":
    sys.exit(main())

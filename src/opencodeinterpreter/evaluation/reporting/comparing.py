"""Comparison of two runs, or of two sets of runs, on the problems that both have."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from opencodeinterpreter.errors import EvaluationError
from opencodeinterpreter.evaluation.records import ENDPOINTS, LEAK_MARK, RunConfig
from opencodeinterpreter.evaluation.reporting.tables import data_name, edition, model_name, remarks, telling_settings
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.evaluation.statistics import CONFIDENCE, SIGNIFICANCE, PairedResult, paired
from opencodeinterpreter.evaluation.summary import Scores, Suite, Summary, scores, suites

TOGETHER = "all together"
_OF_THE_MODEL = ("model file", "server")
"""What is a model's own: where the models differ, so may these."""


@dataclass(frozen=True)
class Part:
    """The comparison on one benchmark, or on all of them pooled."""

    data: str
    results: Mapping[Suite, PairedResult]


@dataclass(frozen=True)
class Comparison:
    """What changes from the first to the second."""

    first: str
    second: str
    parts: tuple[Part, ...]
    """one a benchmark, and with several a last one that pools them"""
    notes: tuple[str, ...]

    @property
    def whole(self) -> Part:
        """The part with the most evidence."""
        return self.parts[-1]

    def sentence(self, part: Part, suite: Suite) -> str:
        """Say in words what the figures allow to be said; no winner without significance."""
        result = part.results[suite]
        tests = "base tests" if suite == "base" else "base and plus tests"
        counts = (
            f"{part.data}, {tests}: {100 * result.first:.1f} → {100 * result.second:.1f} on {result.total} problems "
            f"({100 * result.difference:+.1f}, {CONFIDENCE:.0%} interval {100 * result.interval.low:+.1f} to "
            f"{100 * result.interval.high:+.1f}); {len(result.fixed)} fixed, {len(result.broken)} broken, "
            f"{result.unchanged} unchanged; p {p_text(result.p)}"
        )
        if result.winner is None:
            return f"{counts}. No winner: chance alone could make this difference."
        return f"{counts}. {(self.first, self.second)[result.winner]} is better."


def compare(first: Sequence[Run], second: Sequence[Run]) -> Comparison:
    """Pair the runs that are on the same data and compare them problem by problem.

    Args:
        first: one run, or one a benchmark.
        second: likewise.

    Raises:
        EvaluationError: if no two runs are on the same data, a side has two runs on the same data, or the pair shares
            no graded problem.
    """
    mine, theirs = _by_data(first), _by_data(second)
    shared = [data for data in mine if data in theirs]
    if not shared:
        sides = [" and ".join(dict.fromkeys(data_name(run.config) for run in runs)) for runs in (first, second)]
        raise EvaluationError(f"the runs are on different data, {sides[0]} and {sides[1]}, and cannot be compared")
    parts = [_part(data_name(mine[data].config), [(mine[data], theirs[data])]) for data in shared]
    # Two versions of one benchmark hold the same problems: pooled they would count twice.
    if len(parts) > 1 and len({benchmark for benchmark, _ in shared}) == len(parts):
        parts.append(_part(TOGETHER, [(mine[data], theirs[data]) for data in shared]))
    if not any(result.total for part in parts for result in part.results.values()):
        raise EvaluationError("the runs have no graded problem in common, and cannot be compared")
    names = _names(mine[shared[0]], theirs[shared[0]])
    return Comparison(*names, parts=tuple(parts), notes=tuple(_notes([(mine[data], theirs[data]) for data in shared])))


def natural_comparisons(runs: Sequence[Run]) -> list[Comparison]:
    """Compare what a reader of a report will want compared.

    That is every protocol with ``single`` of the same model, and models with each other under the same protocol, where
    both were asked in the same way. Runs of several benchmarks that belong together are pooled; a further run of the
    same thing is compared by itself.
    """
    groups: dict[tuple[str, ...], list[Run]] = {}
    for run in runs:
        identity = (run.config.model, *_manner(run.config))
        while any(_data(run) == _data(other) for other in groups.get(identity, ())):
            identity = (*identity, "again")
        groups.setdefault(identity, []).append(run)
    found = []
    listed = list(groups.items())
    for place, (mine, first) in enumerate(listed):
        for theirs, second in listed[place + 1 :]:
            one, other = first[0].config, second[0].config
            refined = one.model == other.model and "single" in (one.protocol, other.protocol)
            refined = refined and one.protocol != other.protocol and not _asked_differently(one, other)
            if not refined and not (one.model != other.model and mine[1:] == theirs[1:]):
                continue
            pair = (second, first) if refined and other.protocol == "single" else (first, second)
            try:
                found.append(compare(*pair))
            except EvaluationError:
                continue  # on other data: there is nothing to compare, and nothing wrong with it
    return found


def _manner(config: RunConfig) -> tuple[str, ...]:
    """Return what two runs share that differ in their models only, or in their data."""
    asked = {name: value for name, value in _asked(config).items() if name not in _OF_THE_MODEL}
    # Where a model is served is as much its own as its name.
    settings = sorted((name, value) for name, value in config.settings.items() if name not in ENDPOINTS)
    return (config.synthesizer, config.protocol, repr(settings), repr(asked), str(remarks(config)), edition(config))


def _asked(config: RunConfig) -> dict[str, object]:
    """Return what decides the first answers of a run, besides the model's name."""
    return {
        "prompt": config.settings.get("prompt", ""),
        "flattened": bool(config.settings.get("flattened")),
        "texts": config.prompts,
        "temperature": config.temperature,
        "top-p": config.top_p,
        "tokens": config.max_tokens,
        "model file": config.model_sha256[:12],
        "server": config.settings.get(ENDPOINTS[0], ""),
    }


def _asked_differently(first: RunConfig, second: RunConfig) -> list[str]:
    """Name what was different for the first answers: ``prompt evalplus and qwen``."""
    mine, theirs = _asked(first), _asked(second)
    names = [name for name in mine if name not in _OF_THE_MODEL or first.model == second.model]
    return [f"{name} {mine[name]} and {theirs[name]}" for name in names if mine[name] != theirs[name]]


def p_text(p: float) -> str:
    """Write a p for reading, with its sign of relation: three decimals, and no zero that is none."""
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def refinement_sentence(summary: Summary, suite: Suite) -> str:
    """Say what a run's refinement did to its own first answers."""
    result = summary.refinement[suite]
    verdict = "significant" if result.significant else f"not significant at {SIGNIFICANCE:g}"
    return (
        f"{len(result.fixed)} fixed, {len(result.broken)} broken, {result.unchanged} unchanged; "
        f"{100 * result.difference:+.1f} ({100 * result.interval.low:+.1f} to {100 * result.interval.high:+.1f}), "
        f"p {p_text(result.p)}, {verdict}"
    )


def _by_data(runs: Sequence[Run]) -> dict[tuple[str, str], Run]:
    found: dict[tuple[str, str], Run] = {}
    for run in runs:
        data = _data(run)
        if data in found:
            raise EvaluationError(
                f"{found[data].path} and {run.path} are both on {data_name(run.config)}: name the one to compare"
            )
        found[data] = run
    return found


def _data(run: Run) -> tuple[str, str]:
    return run.config.benchmark, run.config.dataset_sha256


def _part(name: str, pairs: Sequence[tuple[Run, Run]]) -> Part:
    results: dict[Suite, PairedResult] = {}
    having = [suites(first.config) for first, _ in pairs]
    for suite in ("base", "plus"):
        if all(suite in each for each in having):
            sides: tuple[Scores, Scores] = ({}, {})
            for pair in pairs:
                for side, run in zip(sides, pair, strict=True):
                    side.update(scores(run, suite))
            results[suite] = paired(*sides)
    return Part(name, results)


def _names(first: Run, second: Run) -> tuple[str, str]:
    """Name two runs by what they differ in, and by all that matters where that leaves them alike."""
    configs = (first.config, second.config)
    telling = telling_settings(configs)
    texts = [", ".join([f"{model_name(c)} · {c.protocol} [{c.leakage}]", *remarks(c, telling)]) for c in configs]
    if texts[0] == texts[1]:
        texts = [
            f"{text} ({run.path.name or run.config.key[:8]})" for text, run in zip(texts, (first, second), strict=True)
        ]
    return texts[0], texts[1]


def _notes(pairs: Sequence[tuple[Run, Run]]) -> list[str]:
    notes = []
    if any(first.config.honest != second.config.honest for first, second in pairs):
        notes.append(
            "One of the two sees the hidden tests and the other does not: the difference says how much that is worth, "
            "not which is better in use."
        )
    for first, second in pairs:
        if different := _asked_differently(first.config, second.config):
            notes.append(
                f"{data_name(first.config)}: the two were asked in different ways ({'; '.join(different)}), which is "
                "part of the difference."
            )
        for which, run in (("first", first), ("second", second)):
            if leaked := sum(bool(record.notes.get(LEAK_MARK)) for record in run.records):
                notes.append(
                    f"{data_name(run.config)}: hidden content stood before {leaked} answers of the {which}, which is "
                    "not honest."
                )
        alone = [{record.problem for record in run.records} for run in (first, second)]
        if alone[0] != alone[1]:
            notes.append(
                f"{data_name(first.config)}: {len(alone[0] - alone[1])} problems only in the first and "
                f"{len(alone[1] - alone[0])} only in the second are left out."
            )
        if max(first.config.samples, second.config.samples) > 1:
            notes.append(
                f"{data_name(first.config)}: p by a sign-flip test over problems, for there are several samples."
            )
    return notes

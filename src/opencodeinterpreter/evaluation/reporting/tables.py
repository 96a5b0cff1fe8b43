"""The tables of a report: our rows with the published ones beside them, honest protocols apart from the others."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from opencodeinterpreter.evaluation.problems import Family
from opencodeinterpreter.evaluation.records import RunConfig
from opencodeinterpreter.evaluation.reporting.published import (
    FEEDBACK_NOTE,
    HUMANEVAL_NOTE,
    MBPP_NOTE,
    PublishedRow,
    published_rows,
)
from opencodeinterpreter.evaluation.statistics import Interval
from opencodeinterpreter.evaluation.summary import Suite, Summary

FAMILIES: tuple[Family, ...] = ("humaneval", "mbpp")
FAMILY_NAMES: Mapping[Family, str] = {"humaneval": "HumanEval", "mbpp": "MBPP"}
BENCHMARK_NAMES: Mapping[str, str] = {
    "humaneval": "HumanEval",
    "humaneval+": "HumanEval+",
    "mbpp": "MBPP",
    "mbpp+": "MBPP+",
}
TableName = Literal["honest", "upper"]
TITLES: Mapping[TableName, str] = {
    "honest": "Honest protocols: nothing of the hidden tests reaches the model",
    "upper": "Upper bounds: the hidden tests or the reference solution take part",
}
_USUAL: Mapping[str, object] = {
    "flattened": False,
    "refine": "plain",
    "candidates": 1,
    "again": 0,
    "refine_temperature": 0.0,
    "samples": 1,
}
"""settings of a protocol that a row names wherever they are otherwise: with them a figure stands or falls"""
_PUBLISHED_VERSIONS = frozenset({("humaneval", "0.1.9"), ("mbpp", "0.1.0")})
"""of the data that the published system was measured on"""


@dataclass(frozen=True)
class Figure:
    """A pass rate as a fraction; published ones have no interval and no count."""

    value: float
    interval: Interval | None = None
    total: int | None = None


@dataclass(frozen=True)
class Cell:
    """Base and plus of one benchmark."""

    base: Figure
    plus: Figure | None = None


@dataclass(frozen=True)
class Row:
    """One model under one protocol."""

    model: str
    protocol: str
    leakage: str
    honest: bool
    data: tuple[str, ...]
    """benchmarks with their versions: ``HumanEval+ v0.1.10``"""
    cells: Mapping[Family, Cell]
    average: Cell | None
    """of the benchmarks, where the row has both"""
    source: Literal["ours", "published"]
    remarks: tuple[str, ...] = ()
    """settings that are not the usual ones; what is missing; where it was published"""


@dataclass(frozen=True)
class Table:
    """Rows that may be compared with each other."""

    name: TableName
    title: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def build_tables(summaries: Sequence[Summary], *, published: bool = True) -> tuple[Table, ...]:
    """Put runs of one model, protocol and configuration into a row, and the rows into tables.

    Args:
        summaries: of the runs, in the order in which they are to be shown.
        published: with the published rows.
    """
    ours = _our_rows(summaries)
    theirs = [_published_row(row) for row in published_rows()] if published else []
    tables = (_table("honest", [*ours, *theirs]), _table("upper", [*ours, *theirs]))
    return tuple(table for table in tables if table.rows)


def _table(name: TableName, rows: Sequence[Row]) -> Table:
    mine = [row for row in rows if row.honest is (name == "honest")]
    return Table(name, TITLES[name], tuple(mine), _notes(mine))


def model_name(config: RunConfig) -> str:
    """Return the model's name, with the synthesizer's where there is one."""
    return f"{config.model} (feedback by {config.synthesizer})" if config.synthesizer else config.model


def data_name(config: RunConfig) -> str:
    """Return benchmark and version: ``MBPP+ v0.2.0``."""
    name = BENCHMARK_NAMES.get(config.benchmark, config.benchmark)
    version = config.dataset_version
    return f"{name} {'v' if version[:1].isdigit() else ''}{version}"


def family(config: RunConfig) -> Family:
    return "humaneval" if config.benchmark.startswith("humaneval") else "mbpp"


def run_name(config: RunConfig) -> str:
    """Return what tells a run from others for a reader: model, protocol with its class, data."""
    return f"{model_name(config)} · {config.protocol} [{config.leakage}] · {data_name(config)}"


def remarks(config: RunConfig, telling: Collection[str] = ()) -> tuple[str, ...]:
    """Say how the run was decoded and refined, beyond what the protocol's name says.

    Args:
        config: of the run.
        telling: further settings of the protocol that are worth a word; those at nothing (``False``, 0) never are.
    """
    said = []
    if config.temperature:
        said.append(f"temperature {config.temperature:g}")
    if config.samples > 1:
        said.append(f"{config.samples} samples")
    if config.rounds > 1:
        said.append(f"{config.rounds} rounds")
    for name, value in sorted(config.settings.items()):
        unusual = name in _USUAL and value != _USUAL[name]
        if value and (unusual or name in telling):
            said.append(name if value is True else f"{name.replace('_', ' ')} {value}")
    return tuple(said)


def telling_settings(configs: Sequence[RunConfig]) -> frozenset[str]:
    """Return the names of the settings in which runs of one protocol differ, which therefore tell them apart."""
    telling = set()
    for name in {name for config in configs for name in config.settings}:
        values: dict[str, set[str]] = {}
        for config in configs:
            values.setdefault(config.protocol, set()).add(json.dumps(config.settings.get(name), sort_keys=True))
        if any(len(seen) > 1 for seen in values.values()):
            telling.add(name)
    return frozenset(telling)


def edition(config: RunConfig) -> str:
    """Return which set of data versions a run belongs to: runs of different editions share no row."""
    if (family(config), config.dataset_version.lstrip("v")) in _PUBLISHED_VERSIONS:
        return "published"
    return "plus" if config.benchmark.endswith("+") else "plain"


def _our_rows(summaries: Sequence[Summary]) -> list[Row]:
    telling = telling_settings([summary.config for summary in summaries])
    groups: dict[tuple[object, ...], list[Summary]] = {}
    for summary in summaries:
        config = summary.config
        identity = (
            *(model_name(config), config.model_sha256, config.synthesizer_sha256),
            *(config.protocol, config.leakage, config.honest, config.prompts, config.seed, config.top_p),
            *(config.max_tokens, remarks(config), json.dumps(dict(config.settings), sort_keys=True), edition(config)),
        )
        group = groups.setdefault(identity, [])
        if any(family(other.config) == family(config) for other in group):
            # A second run of the same thing is a row of its own, not hidden behind the first.
            groups[(*identity, len(groups))] = [summary]
        else:
            group.append(summary)
    return [_our_row(group, telling) for group in groups.values()]


def _our_row(group: list[Summary], telling: frozenset[str]) -> Row:
    group = sorted(group, key=lambda summary: FAMILIES.index(family(summary.config)))
    config = group[0].config
    cells = {family(summary.config): summary_cell(summary) for summary in group}
    said = [f"feedback by {config.synthesizer}"] if config.synthesizer else []
    said += remarks(config, telling)
    said += [f"LEAK before {s.leaked} answers of {data_name(s.config)}: not honest" for s in group if s.leaked]
    said += [f"{s.problems} of {s.config.problem_count} {data_name(s.config)}" for s in group if s.missing]
    return Row(
        model=config.model,
        protocol=config.protocol,
        leakage=config.leakage,
        honest=config.honest,
        data=tuple(data_name(summary.config) for summary in group),
        cells=cells,
        average=_average(cells),
        source="ours",
        remarks=tuple(said),
    )


def summary_cell(summary: Summary) -> Cell:
    """Return a run's own figures."""

    def figure(suite: Suite) -> Figure | None:
        found = summary.rates.get(suite)
        return Figure(found.value, found.interval, found.total) if found else None

    base = figure("base")
    assert base is not None
    return Cell(base, figure("plus"))


def _average(cells: Mapping[Family, Cell]) -> Cell | None:
    if len(cells) < len(FAMILIES):
        return None
    pluses = [cell.plus.value for cell in cells.values() if cell.plus]
    return Cell(
        Figure(fmean(cell.base.value for cell in cells.values())),
        Figure(fmean(pluses)) if len(pluses) == len(cells) else None,
    )


def _published_row(row: PublishedRow) -> Row:
    def cell(pair: tuple[float, float]) -> Cell:
        return Cell(Figure(pair[0] / 100), Figure(pair[1] / 100))

    return Row(
        model=row.model,
        protocol=row.protocol,
        leakage=row.leakage,
        honest=row.honest,
        data=row.data,
        cells={"humaneval": cell(row.humaneval), "mbpp": cell(row.mbpp)},
        average=cell(row.average),
        source="published",
        remarks=(row.source,),
    )


def _notes(rows: Sequence[Row]) -> tuple[str, ...]:
    notes = ["Figures are pass@1 in percent: base tests, and in brackets base and plus tests together."]
    published = [row for row in rows if row.source == "published"]
    if published:
        notes += [HUMANEVAL_NOTE, MBPP_NOTE]
    if any(not row.honest for row in published):
        notes.append(FEEDBACK_NOTE)
    return tuple(notes)

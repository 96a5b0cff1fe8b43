"""Plots as SVG: pass by round, by protocol, by model. Each panel is one SVG, narrow enough for a telephone.

Colours come from classes, so that a page can show the same panel light or dark; ``standalone`` adds a style of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal

from opencodeinterpreter.evaluation.reporting.tables import (
    FAMILIES,
    FAMILY_NAMES,
    Figure,
    Row,
    Table,
    data_name,
    remarks,
    telling_settings,
)
from opencodeinterpreter.evaluation.summary import Summary

WIDTH = 380
COLOURS = 8
STYLE = """
.plot{font:12px system-ui,sans-serif;background:#fff}
.plot text{fill:#1c2330}.plot .faint{fill:#5b6472}.plot .axis{stroke:#d5dae2}.plot .whisker{stroke-width:1.5}
.s0{--c:#1f5fd0}.s1{--c:#c2410c}.s2{--c:#0f8a5f}.s3{--c:#9333ea}
.s4{--c:#b3261e}.s5{--c:#0e7490}.s6{--c:#a16207}.s7{--c:#be185d}.sx{--c:#7b8494}
.plot .line{stroke:var(--c);fill:none;stroke-width:2}.plot .dot{fill:var(--c);stroke:var(--c)}
.plot .ring{fill:#fff;stroke:var(--c);stroke-width:1.5}.plot .whisker{stroke:var(--c)}
@media(prefers-color-scheme:dark){.plot{background:#14181f}.plot text{fill:#e6e9ef}.plot .faint{fill:#9aa4b2}
.plot .axis{stroke:#333b48}.plot .ring{fill:#14181f}.s0{--c:#7aa7ff}.s1{--c:#ff9a62}.s2{--c:#4fd1a1}.s3{--c:#c99bff}
.s4{--c:#ff8a80}.s5{--c:#5ccfe6}.s6{--c:#e3b341}.s7{--c:#ff8ac2}.sx{--c:#8b95a5}}
"""

_LEFT, _RIGHT = 30, 14
_ROW, _LOW_ROW = 40, 32


@dataclass(frozen=True)
class Dot:
    """One line of a dot plot."""

    label: str
    base: Figure
    plus: Figure | None
    colour: int | None
    """None for a published row"""


@dataclass(frozen=True)
class Panel:
    """One SVG with its caption."""

    plot: Literal["rounds", "protocols", "models"]
    title: str
    svg: str


def panels(summaries: Sequence[Summary], tables: Sequence[Table]) -> list[Panel]:
    """Return all panels that the runs give rise to."""
    return [*_round_panels(summaries), *_protocol_panels(summaries), *_model_panels(tables)]


def standalone(panel: Panel) -> str:
    """Return a panel as a file of its own, with its style."""
    head, _, body = panel.svg.partition(">")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{head}><style>{STYLE}</style>{body}\n'


def _round_panels(summaries: Sequence[Summary]) -> list[Panel]:
    by_data: dict[str, list[Summary]] = {}
    for summary in summaries:
        if len(summary.rounds) > 1:
            by_data.setdefault(data_name(summary.config), []).append(summary)
    return [Panel("rounds", data, _round_svg(data, group)) for data, group in by_data.items()]


def _round_svg(data: str, group: Sequence[Summary]) -> str:
    """Draw the strictest suite over rounds, a line a run."""
    lines = [
        (label, [list(each.rates.values())[-1] for each in summary.rounds])
        for label, summary in zip(_labels(group), group, strict=True)
    ]
    last = max(len(points) for _, points in lines) - 1
    lowest = min(rate.interval.low for _, points in lines for rate in points)
    highest = max(rate.interval.high for _, points in lines for rate in points)
    floor, ceiling = max(0, int(lowest * 20)) / 20, min(20, int(highest * 20) + 1) / 20
    top, height = 12, 190
    parts = []
    for tick in _ticks(floor, ceiling):
        y = top + height * (ceiling - tick) / (ceiling - floor)
        parts.append(_line(_LEFT, y, WIDTH - _RIGHT, y, "axis"))
        parts.append(_text(_LEFT - 6, y + 4, f"{100 * tick:.0f}", "faint", "end"))

    def across(number: float) -> float:
        return _LEFT + 20 + (WIDTH - _LEFT - _RIGHT - 40) * number / max(1, last)

    for number in range(last + 1):
        parts.append(_text(across(number), top + height + 18, f"round {number}", "faint", "middle"))
    for place, (label, points) in enumerate(lines):
        aside = (place - (len(lines) - 1) / 2) * 7  # whiskers beside each other, not on top of each other
        spots = [
            (across(number) + aside, top + height * (ceiling - rate.value) / (ceiling - floor), rate)
            for number, rate in enumerate(points)
        ]
        drawn = [f'<polyline class="line" points="{" ".join(f"{x:.1f},{y:.1f}" for x, y, _ in spots)}"/>']
        for x, y, rate in spots:
            low, high = (
                top + height * (ceiling - end) / (ceiling - floor) for end in (rate.interval.low, rate.interval.high)
            )
            drawn.append(_line(x, low, x, high, "whisker"))
            drawn.append(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3.5"/>')
        said = " → ".join(f"{100 * rate.value:.1f}" for rate in points)
        y = top + height + 42 + 18 * place
        drawn.append(f'<rect class="dot" x="{_LEFT}" y="{y - 9:.0f}" width="10" height="10" rx="2"/>')
        parts.append(_group(place, f"{label}: {said}", [*drawn, _text(_LEFT + 16, y, f"{_cut(label, 40)}: {said}")]))
    return _svg(f"Pass rate by round on {data}", top + height + 38 + 18 * len(lines), parts)


def _protocol_panels(summaries: Sequence[Summary]) -> list[Panel]:
    models = list(dict.fromkeys(summary.config.model for summary in summaries))
    by_data: dict[str, list[Summary]] = {}
    for summary in summaries:
        by_data.setdefault(data_name(summary.config), []).append(summary)
    found = []
    for data, group in by_data.items():
        dots = []
        for label, summary in zip(_labels(group), group, strict=True):
            rates = {suite: Figure(rate.value, rate.interval) for suite, rate in summary.rates.items()}
            dots.append(Dot(label, rates["base"], rates.get("plus"), models.index(summary.config.model)))
        found.append(Panel("protocols", data, _dots(f"Pass rate by protocol on {data}", dots)))
    return found


def _model_panels(tables: Sequence[Table]) -> list[Panel]:
    """Draw, for each protocol that we have run, every model under it, ours first, on the mean of the benchmarks."""
    found = []
    for table in tables:
        for protocol in dict.fromkeys(row.protocol for row in table.rows if row.source == "ours"):
            rows = [row for row in table.rows if row.protocol == protocol]
            if len({row.model for row in rows}) < 2:
                continue
            title = f"{protocol} [{rows[0].leakage}]"
            for name, dots in _model_dots(rows):
                found.append(Panel("models", f"{title}, {name}", _dots(f"Pass rate by model, {title}, {name}", dots)))
    return found


def _model_dots(rows: Sequence[Row]) -> list[tuple[str, list[Dot]]]:
    ours = list(dict.fromkeys(row.model for row in rows if row.source == "ours"))
    if any(row.source == "ours" and row.average for row in rows):
        picked = [("mean of both benchmarks", [(row, row.average) for row in rows])]
    else:
        having = [each for each in FAMILIES if any(row.source == "ours" and each in row.cells for row in rows)]
        picked = [(FAMILY_NAMES[each], [(row, row.cells.get(each)) for row in rows]) for each in having]
    return [
        (
            name,
            [
                Dot(label, cell.base, cell.plus, ours.index(row.model) if row.source == "ours" else None)
                for label, (row, cell) in zip(_row_labels(rows), cells, strict=True)
                if cell
            ],
        )
        for name, cells in picked
    ]


def _row_labels(rows: Sequence[Row]) -> list[str]:
    plain = [f"{row.model}, published" if row.source == "published" else row.model for row in rows]
    return [
        ", ".join([name, *row.remarks, row.data[0].rpartition(" ")[2]]) if plain.count(name) > 1 else name
        for name, row in zip(plain, rows, strict=True)
    ]


def _dots(title: str, dots: Sequence[Dot]) -> str:
    """Draw a line a row: plus a full dot, base a ring, whiskers their intervals."""
    top, left = 20, 8

    def across(value: float) -> float:
        return left + (WIDTH - left - _RIGHT) * value

    # Without intervals nothing is in the way of base and plus on one line.
    flat = not any(dot.base.interval for dot in dots)
    row = _LOW_ROW if flat else _ROW
    bottom = top + row * len(dots)
    parts = [_line(across(tick), top - 6, across(tick), bottom, "axis") for tick in _TENTHS]
    parts += [_text(across(tick), top - 9, f"{100 * tick:.0f}", "faint", "middle") for tick in _TENTHS]
    for place, dot in enumerate(dots):
        y = top + row * place
        pair = f"{100 * dot.base.value:.1f}" + (f" ({100 * dot.plus.value:.1f})" if dot.plus else "")
        drawn = [_text(left, y + 14, _cut(dot.label, 46)), _text(WIDTH - _RIGHT, y + 14, pair, "figure", "end")]
        for figure, offset, kind in ((dot.base, 0, "ring" if dot.plus else "dot"), (dot.plus, 7, "dot")):
            if figure is None:
                continue
            level = y + 23 + (0 if flat else offset)
            if figure.interval:
                drawn.append(_line(across(figure.interval.low), level, across(figure.interval.high), level, "whisker"))
            drawn.append(f'<circle class="{kind}" cx="{across(figure.value):.1f}" cy="{level}" r="3.5"/>')
        parts.append(_group(dot.colour, f"{dot.label}: {pair}", drawn))
    return _svg(title, bottom + 4, parts)


_TENTHS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)


def _ticks(floor: float, ceiling: float) -> list[float]:
    step = 5 if ceiling - floor <= 0.4 else 10
    return [tick / 100 for tick in range(0, 101, step) if floor <= tick / 100 <= ceiling]


def _labels(summaries: Sequence[Summary]) -> list[str]:
    """Name runs on the same data by no more than it takes to tell them apart."""
    configs = [summary.config for summary in summaries]
    plain = [f"{config.model} · {config.protocol} [{config.leakage}]" for config in configs]
    telling = telling_settings(configs)
    return [
        ", ".join([name, *remarks(config, telling)]) if plain.count(name) > 1 else name
        for name, config in zip(plain, configs, strict=True)
    ]


def _cut(text: str, characters: int) -> str:
    return text if len(text) <= characters else text[: characters - 1] + "…"


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="plot" viewBox="0 0 {WIDTH} {height:.0f}" width="{WIDTH}" '
        f'height="{height:.0f}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
    )


def _group(colour: int | None, title: str, parts: Sequence[str]) -> str:
    shade = "sx" if colour is None else f"s{colour % COLOURS}"
    return f'<g class="{shade}"><title>{escape(title)}</title>{"".join(parts)}</g>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, kind: str = "", anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'

"""The composition of a data set as pictures: by method, turns, tokens, languages, and what became of the code."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from opencodeinterpreter.codefeedback.presentation.statistics import Statistics

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_COLOURS: Final = {
    "packing": "#1f5fd0",
    "simulation": "#0f8a5f",
    "correction": "#c2410c",
    "similar": "#9333ea",
    "followup": "#0e7490",
    "session": "#a16207",
}
_CODE: Final = {
    "passed its tests": "#0f8a5f",
    "ran, without tests": "#1f5fd0",
    "failed": "#c2410c",
    "not executed": "#a16207",
    "no code": "#9aa4b2",
}
_OTHER: Final = "#7b8494"
_INK, _FAINT, _LINE = "#1c2330", "#5b6472", "#dfe3ea"
_CUT: Final = 4096
"""Tokens that the paper trains on; what is longer is cut there."""
_BARS: Final = 8
"""Bars in a panel; what is rarer is put together."""
_STYLE: Final = {
    "font.family": "sans-serif",
    "font.size": 10,
    "svg.fonttype": "none",
    "svg.hashsalt": "opencodeinterpreter",
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _FAINT,
    "text.color": _INK,
    "xtick.color": _FAINT,
    "ytick.color": _INK,
}


def composition_svg(statistics: Statistics) -> str:
    """Return one picture of a data set. The same data gives the same text."""
    return _drawn(statistics, "svg").decode("utf-8")


def composition_png(statistics: Statistics) -> bytes:
    """Return the same picture as a PNG."""
    return _drawn(statistics, "png")


def _drawn(statistics: Statistics, form: str) -> bytes:
    # Without pyplot: it keeps every figure, and asks for a window.
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    with rc_context(_STYLE):
        room = ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.16)
        figure = Figure(figsize=(11, 7.4), facecolor="white", layout=room)
        FigureCanvasAgg(figure)
        _panels(figure, statistics)
        file = io.BytesIO()
        figure.savefig(file, format=form, dpi=110, metadata={"Date": None} if form == "svg" else None)
    return file.getvalue()


def _panels(figure: Figure, statistics: Statistics) -> None:
    grid: dict[str, Axes] = figure.subplot_mosaic([["methods", "languages", "code"], ["turns", "tokens", "tokens"]])
    whole = statistics.whole
    tokens = f"{'about ' if statistics.estimated else ''}{_short(whole.tokens)} tokens"
    figure.suptitle(
        f"{whole.dialogs:,} dialogs, {whole.turns:,} turns, {tokens}",
        x=0.015,
        ha="left",
        fontsize=14,
        fontweight="bold",
    )
    methods = {name: part.dialogs for name, part in statistics.in_order()}
    _bars(grid["methods"], "Dialogs by method", methods, [_COLOURS.get(name, _OTHER) for name in methods])
    languages = _largest(statistics.languages)
    _bars(grid["languages"], "Dialogs by language", languages, ["#1f5fd0"] * len(languages))
    code = {name: statistics.code[name] for name in _CODE if statistics.code[name]}
    _bars(grid["code"], "What became of code", code, [_CODE[name] for name in code])
    _turns(grid["turns"], statistics)
    _tokens(grid["tokens"], statistics)


def _bars(axes: Axes, title: str, counts: Mapping[str, int], colours: Sequence[str]) -> None:
    """Draw a bar a row, with its number and its share."""
    _titled(axes, title)
    names, values = list(counts), list(counts.values())
    places = range(len(names))
    axes.barh(places, values, color=list(colours), height=0.62)
    axes.set_yticks(list(places), names)
    axes.invert_yaxis()
    total, largest = sum(values) or 1, max(values, default=1) or 1
    for place, value in zip(places, values, strict=True):
        axes.text(value + largest * 0.02, place, f"{value:,}  ({value / total:.0%})", va="center", fontsize=9)
    axes.set_xlim(0, largest * 1.42)
    axes.set_ylim(max(len(names), 4) - 0.4, -0.6)
    axes.set_xticks([])
    _bare(axes, "left")


def _turns(axes: Axes, statistics: Statistics) -> None:
    _titled(axes, "Turns of a dialog")
    counts = dict.fromkeys(range(1, max(statistics.turns_each, default=1) + 1), 0)
    for number in statistics.turns_each:
        counts[number] = counts.get(number, 0) + 1
    numbers = sorted(counts)[:16]
    values = [counts[number] for number in numbers]
    axes.bar(numbers, values, color="#1f5fd0", width=0.7)
    for number, value in zip(numbers, values, strict=True):
        if value:
            axes.text(number, value, f"{value:,}", ha="center", va="bottom", fontsize=9)
    axes.set_xticks(numbers)
    axes.set_yticks([])
    axes.set_xlim(0.3, max(6, numbers[-1]) + 0.7)
    axes.set_ylim(0, max(1, *values) * 1.15)
    _bare(axes, "bottom")


def _tokens(axes: Axes, statistics: Statistics) -> None:
    _titled(axes, "Tokens of a dialog" + (" (estimated)" if statistics.estimated else ""))
    longest = max(statistics.tokens_each, default=0)
    end = next((size for size in (500, 1000, 2000) if longest <= size), 4500)
    step = end // 25
    axes.hist(
        [min(each, end - 1) for each in statistics.tokens_each], range(0, end + 1, step), color="#0f8a5f", rwidth=0.86
    )
    axes.set_xlim(0, end * 1.02)
    ticks = list(range(0, end + 1, end // 5 if end < 4500 else 1000))
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    if end == 4500:
        axes.axvline(_CUT, color="#c2410c", linewidth=1, linestyle=(0, (4, 3)))
        axes.text(_CUT - 40, axes.get_ylim()[1], f"{_CUT:,}", ha="right", va="top", fontsize=9, color="#c2410c")
    axes.set_yticks([])
    _bare(axes, "bottom")


def _titled(axes: Axes, title: str) -> None:
    axes.set_title(title, loc="left", fontsize=11, fontweight="bold", pad=10)


def _bare(axes: Axes, kept: str) -> None:
    for side, spine in axes.spines.items():
        spine.set_visible(side == kept)
    axes.tick_params(length=0)


def _largest(counts: Mapping[str, int]) -> dict[str, int]:
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    kept = dict(ordered[:_BARS])
    if rest := sum(value for _, value in ordered[_BARS:]):
        kept["others"] = rest
    return kept


def _short(number: int) -> str:
    for size, ending in ((1_000_000_000, " billion"), (1_000_000, " million"), (10_000, "")):
        if number >= size:
            return f"{number / size:.1f}{ending}" if ending else f"{round(number, -3):,}"
    return f"{number:,}"

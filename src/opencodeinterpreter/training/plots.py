"""The loss over the steps, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Final

_WIDTH, _HEIGHT, _LEFT, _TOP = 560, 260, 46, 16
_STYLE: Final = (
    ".plot{font:12px system-ui,sans-serif;background:#fff}.plot text{fill:#1c2330}.plot .faint{fill:#5b6472}"
    ".plot .axis{stroke:#d5dae2}.plot .raw{stroke:#b9cdf2;fill:none}"
    ".plot .loss{stroke:#1f5fd0;fill:none;stroke-width:2}"
    ".plot .held{stroke:#c2410c;fill:none;stroke-width:2}.plot .dot{fill:#c2410c}"
    "@media(prefers-color-scheme:dark){.plot{background:#14181f}.plot text{fill:#e6e9ef}.plot .faint{fill:#9aa4b2}"
    ".plot .axis{stroke:#333b48}.plot .raw{stroke:#33507f}.plot .loss{stroke:#7aa7ff}.plot .held{stroke:#ff9a62}"
    ".plot .dot{fill:#ff9a62}}"
)

Points = Sequence[tuple[int, float]]


def loss_plot(losses: Points, held_out: Points) -> str:
    """Return a plot of the training loss, thin as it is and thick smoothed, and of the evaluation loss."""
    both = [*losses, *held_out]
    if not both:
        return _svg([f'<text x="{_LEFT}" y="{_TOP + 20}">no step was logged</text>'])
    last = max(1, max(step for step, _ in both))
    top = max(loss for _, loss in both) * 1.05 or 1.0

    def place(step: int, loss: float) -> str:
        return f"{_LEFT + (_WIDTH - _LEFT - 12) * step / last:.1f},{_TOP + _HEIGHT * (1 - loss / top):.1f}"

    def line(points: Points, kind: str) -> str:
        return f'<polyline class="{kind}" points="{" ".join(place(*point) for point in points)}"/>'

    parts = []
    for fifth in range(6):
        value = top * fifth / 5
        y = _TOP + _HEIGHT * (1 - fifth / 5)
        parts.append(f'<line class="axis" x1="{_LEFT}" y1="{y:.1f}" x2="{_WIDTH - 12}" y2="{y:.1f}"/>')
        parts.append(f'<text class="faint" x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{value:.2f}</text>')
        x = _LEFT + (_WIDTH - _LEFT - 12) * fifth / 5
        step = f'<text class="faint" x="{x:.1f}" y="{_TOP + _HEIGHT + 18}" text-anchor="middle">'
        parts.append(f"{step}{round(last * fifth / 5)}</text>")
    parts += [line(losses, "raw"), line(_smoothed(losses), "loss"), line(held_out, "held")]
    for point in held_out:
        across, down = place(*point).split(",")
        parts.append(f'<circle class="dot" cx="{across}" cy="{down}" r="3"/>')
    said = [f"training loss {losses[0][1]:.3f} → {losses[-1][1]:.3f}"] if losses else []
    if held_out:
        said.append(f"held out {held_out[0][1]:.3f} → {held_out[-1][1]:.3f}")
    parts.append(f'<text x="{_LEFT}" y="{_TOP + _HEIGHT + 40}">{escape(" · ".join(said))}, over steps</text>')
    return _svg(parts)


def _smoothed(points: Points) -> list[tuple[int, float]]:
    width = max(1, len(points) // 40)
    found = []
    for index, (step, _) in enumerate(points):
        near = [loss for _, loss in points[max(0, index - width) : index + width + 1]]
        found.append((step, sum(near) / len(near)))
    return found


def _svg(parts: Sequence[str]) -> str:
    height = _TOP + _HEIGHT + 52
    return (
        f'<?xml version="1.0" encoding="UTF-8"?>\n<svg xmlns="http://www.w3.org/2000/svg" class="plot" '
        f'viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" height="{height}" role="img" aria-label="Loss over steps">'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )

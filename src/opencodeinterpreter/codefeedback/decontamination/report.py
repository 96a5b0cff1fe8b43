"""What decontamination found, to be read by people and by programs."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.codefeedback.decontamination.detector import LAYERS, Likeness

TITLES: Final = {"humaneval": "HumanEval", "mbpp": "MBPP"}
_SHOWN: Final = 300
"""Characters of a question in the page; the JSON file has more."""


@dataclass(frozen=True)
class Pair:
    """A row and the problem that it is like."""

    id: str
    source: str
    question: str
    likeness: Likeness
    outcome: str
    """``dropped``, ``listed`` (left in, to be looked at) or ``cleared`` (left in: the judge says they differ)"""

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "source": self.source,
            "benchmark": self.likeness.reference.benchmark,
            "problem": self.likeness.reference.id,
            "outcome": self.outcome,
            "layers": list(self.likeness.layers),
            "likeness": round(self.likeness.evidence.likeness, 3),
            "evidence": self.likeness.evidence.to_json(),
            "question": self.question,
            "statement": self.likeness.reference.statement,
        }


@dataclass
class Report:
    """The findings of one run."""

    benchmarks: Mapping[str, int]
    """problems of each benchmark"""
    threshold: float
    model: str
    rows: int = 0
    pairs: list[Pair] = field(default_factory=list)
    leakage_before: Mapping[str, float] = field(default_factory=dict)
    leakage_after: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "model": self.model,
            "threshold": self.threshold,
            "benchmarks": {name: self._of(name) for name in self.benchmarks},
            "pairs": [pair.to_json() for pair in self.pairs],
        }

    def _of(self, benchmark: str) -> dict[str, Any]:
        pairs = [pair for pair in self.pairs if pair.likeness.reference.benchmark == benchmark]
        layers = Counter(layer for pair in pairs for layer in pair.likeness.layers)
        return {
            "problems": self.benchmarks[benchmark],
            "problems hit": len({pair.likeness.reference.id for pair in pairs}),
            "rows": len(pairs),
            "outcomes": dict(sorted(Counter(pair.outcome for pair in pairs).items())),
            "layers": {layer: layers[layer] for layer in LAYERS},
            "leakage before": self.leakage_before.get(benchmark, 0.0),
            "leakage after": self.leakage_after.get(benchmark, 0.0),
        }

    def markdown(self) -> str:
        """Return the report as a page, the pairs that are most alike first."""
        lines = [
            "# Decontamination",
            "",
            f"{self.rows:,} rows compared; a hit has a likeness of at least {self.threshold}, or a layer that is sure "
            f"alone. Embedding: {self.model}.",
            "",
            "| benchmark | problems | hit | rows | " + " | ".join(LAYERS) + " | leakage before | after |",
            "|---|" + "---:|" * (5 + len(LAYERS)),
        ]
        for name in self.benchmarks:
            found = self._of(name)
            counts = [found["problems"], found["problems hit"], found["rows"], *found["layers"].values()]
            figures = [found["leakage before"], found["leakage after"]]
            lines.append(f"| {TITLES.get(name, name)} | " + " | ".join(map(str, [*counts, *figures])) + " |")
        lines += ["", "A row may be found by several layers. Leakage: the mean over all problems of the largest share "]
        lines[-1] += "of a problem's runs of five words that one row holds, times 100."
        for name in self.benchmarks:
            pairs = [pair for pair in self.pairs if pair.likeness.reference.benchmark == name]
            lines += ["", f"## {TITLES.get(name, name)}", ""]
            lines += _table(pairs) if pairs else ["No row is like a problem of it."]
        return "\n".join(lines) + "\n"

    def write(self, path: Path) -> tuple[Path, Path]:
        """Write ``PATH.md`` and ``PATH.json``, and return their paths."""
        page, data = path.with_name(f"{path.name}.md"), path.with_name(f"{path.name}.json")
        page.write_text(self.markdown(), encoding="utf-8")
        data.write_text(json.dumps(self.to_json(), ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        return page, data


def _table(pairs: Sequence[Pair]) -> list[str]:
    lines = ["| problem | row | outcome | likeness | layers | question | what the problem says |", "|---|" + "---|" * 6]
    for pair in sorted(pairs, key=lambda each: (-each.likeness.evidence.likeness, each.id)):
        cells = (
            pair.likeness.reference.id,
            f"{pair.id} ({pair.source})" if pair.source else pair.id,
            pair.outcome,
            f"{pair.likeness.evidence.likeness:.2f}",
            ", ".join(pair.likeness.layers),
            pair.question[:_SHOWN],
            pair.likeness.reference.statement[:_SHOWN],
        )
        lines.append("| " + " | ".join(_cell(cell) for cell in cells) + " |")
    return lines


def _cell(text: str) -> str:
    """Keep a text from ending its cell or being read as markup."""
    plain = " ".join(text.split())
    return plain.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")

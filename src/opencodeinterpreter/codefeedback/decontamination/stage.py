"""The stage that takes out rows that are problems of a benchmark."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal, TypeVar, get_args

from opencodeinterpreter.codefeedback.decontamination.behaviour import Behaviour
from opencodeinterpreter.codefeedback.decontamination.compared import from_json, to_json
from opencodeinterpreter.codefeedback.decontamination.detector import Detector, Likeness, Part
from opencodeinterpreter.codefeedback.decontamination.leakage import LeakageIndex
from opencodeinterpreter.codefeedback.decontamination.references import (
    BENCHMARKS,
    Reference,
    identity_of,
    load_problems,
    load_references,
)
from opencodeinterpreter.codefeedback.decontamination.report import Pair, Report
from opencodeinterpreter.codefeedback.pipeline.kept_lines import KeptLines
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Row, Table
from opencodeinterpreter.codefeedback.similarity.embedding import EmbeddingStore
from opencodeinterpreter.codefeedback.similarity.embedding_models import TFIDF, load_embedder
from opencodeinterpreter.codefeedback.similarity.row_texts import answer_of, must_have_texts, question_of
from opencodeinterpreter.errors import ConfigError

T = TypeVar("T")
Judge = Callable[[str, str, Reference], bool]
"""Says of a question, its answer and a problem whether they are the same task."""
Neighbours = Literal["drop", "list"]

_BATCH: Final = 256
"""Rows that are compared together, and so what a kill may cost."""
_RUN_BATCH: Final = 32
"""Where programs are run: a row may take seconds."""
_EXECUTION: Final = "Execution result:"
_QUESTION_KEPT: Final = 1000


@dataclass(frozen=True)
class DecontaminationSettings:
    """What is compared, and what becomes of a hit."""

    benchmarks: tuple[str, ...] = BENCHMARKS
    model: str = TFIDF
    """``tfidf`` alone, or an embedding model besides it: ``minilm`` finds more of what was told anew"""
    threshold: float | None = None
    """the least likeness of a hit; None is as measured, which is another with ``run`` than without"""
    neighbours: Neighbours = "drop"
    """what becomes of a row that only its meaning speaks against (``list``: it stays and stands in the report)"""
    run: bool = True
    """run the Python programs of rows with the problems' inputs: who solves the one has solved the other"""

    def __post_init__(self) -> None:
        unknown = [name for name in self.benchmarks if name not in BENCHMARKS]
        if unknown or not self.benchmarks:
            raise ConfigError(f"benchmarks to compare with are {' and '.join(BENCHMARKS)}, not {', '.join(unknown)}")
        if self.neighbours not in get_args(Neighbours):
            raise ConfigError(f"neighbours are to 'drop' or 'list', not {self.neighbours!r}")


class DecontaminationStage:
    """Drops rows (queries, problems, bugs, dialogs) that are problems of a benchmark, and writes a report.

    Args:
        settings: what is compared.
        report: where the report goes, without ``.md`` and ``.json``; None writes none.
        embeddings: the folder with the vectors of all runs; None keeps them with the stage.
        judge: asked about each row that only its meaning speaks against; one that it clears stays.
        judge_identity: what tells the judge from others, for the settings.

    Raises:
        EvaluationError: if a benchmark cannot be had.
    """

    name = "decontaminate"

    def __init__(
        self,
        settings: DecontaminationSettings | None = None,
        report: Path | None = None,
        embeddings: Path | None = None,
        judge: Judge | None = None,
        judge_identity: str = "",
    ) -> None:
        self._settings = settings or DecontaminationSettings()
        self._report, self._embeddings = report, embeddings
        self._judge, self._judge_identity = judge, judge_identity
        self._references = load_references(self._settings.benchmarks)

    @property
    def settings(self) -> Mapping[str, Any]:
        return {
            **asdict(self._settings),
            "benchmarks": list(self._settings.benchmarks),
            "references": identity_of(self._references),
            "judge": self._judge_identity,
        }

    def check(self, row: Row) -> None:
        """Refuse what is no query, problem, bug or dialog, by an ``InputError``."""
        must_have_texts(row)

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield the rows in their order."""
        detector, identity = self._detector(table)
        before, after = LeakageIndex(self._references), LeakageIndex(self._references)
        counts = Counter(reference.benchmark for reference in self._references)
        report = Report(counts, detector.threshold, identity)
        table.told.begin(len(table.rows), "rows compared")
        size = _RUN_BATCH if self._settings.run else _BATCH
        with KeptLines(table.folder / "compared.jsonl") as kept:
            earlier = kept.earlier()
            for rows in _batches(table.rows, size):
                parts = [parts_of(row) for row in rows]
                known = next(earlier, None)
                if known is None:
                    likenesses = detector.compare(parts)
                    kept.add([to_json(likenesses)])
                else:
                    likenesses = from_json(known, self._references)
                # Together, as they were compared: the pace would be wrong by single ones.
                table.told.advance(len(rows))
                for row, its_parts, likeness in zip(rows, parts, likenesses, strict=True):
                    texts = [text for part in its_parts for text in part]
                    before.add(*texts)
                    outcome, pair = self._judged(row, its_parts, likeness)
                    if pair is not None:
                        report.pairs.append(pair)
                    if outcome.rows:
                        after.add(*texts)
                    report.rows += 1
                    yield outcome
        report.leakage_before, report.leakage_after = before.figures(), after.figures()
        if self._report is not None:
            report.write(self._report)
        yield Outcome(notes={"leakage": {"before": dict(before.figures()), "after": dict(after.figures())}})

    def _detector(self, table: Table) -> tuple[Detector, str]:
        settings, embed, identity = self._settings, None, TFIDF
        if settings.model != TFIDF:
            embedder = load_embedder(settings.model)
            embed = EmbeddingStore(self._embeddings or table.folder / "embeddings", embedder).embed
            identity = embedder.identity
        behaviour = Behaviour(load_problems(settings.benchmarks)) if settings.run else None
        return Detector(self._references, embed, settings.threshold, behaviour=behaviour), identity

    def _judged(self, row: Row, parts: Sequence[Part], likeness: Likeness | None) -> tuple[Outcome, Pair | None]:
        if likeness is None or not likeness.hit:
            return Outcome((row,)), None
        question, answer = parts[likeness.part]
        by_meaning = not likeness.evidence.sure and likeness.layers[:1] == ("neighbours",)
        outcome = "dropped"
        if by_meaning and self._judge is not None and not self._judge(question, answer, likeness.reference):
            outcome = "cleared"
        elif by_meaning and self._settings.neighbours == "list":
            outcome = "listed"
        pair = Pair(
            str(row.get("id")), str(row.get("source") or ""), question[:_QUESTION_KEPT].strip(), likeness, outcome
        )
        benchmark = likeness.reference.benchmark
        notes = {benchmark: {outcome: 1, "layers": dict.fromkeys(likeness.layers, 1)}}
        if outcome != "dropped":
            return Outcome((row,), notes=notes), pair
        detail = f"{likeness.reference.id}, likeness {likeness.evidence.likeness:.2f}, by {', '.join(likeness.layers)}"
        return Outcome(drops=(Drop(f"like a problem of {benchmark}", detail, row),), notes=notes), pair


def parts_of(row: Row) -> list[Part]:
    """Return the questions of a row, each with what answers it; execution feedback is part of the answering.

    Raises:
        InputError: if the row is no query, problem, bug or dialog.
    """
    question, answer = question_of(row), answer_of(row)
    if "messages" not in row:
        return [(question, answer)] if question.strip() or answer.strip() else []
    parts: list[Part] = []
    for message in row["messages"]:
        content, role = message.get("content") or "", message.get("role")
        if role == "user" and not content.startswith(_EXECUTION):
            parts.append((content, ""))
        elif role == "assistant":
            asked, said = parts.pop() if parts else ("", "")
            parts.append((asked, f"{said}\n\n{content}" if said else content))
    return parts


def _batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch

"""The layers together: which problem of a benchmark a row is most like, and whether it is like enough.

Each layer gives evidence between 0 and 1. A layer that is sure alone makes a hit; else the evidence of those that read
is added up, because a copy that was changed to escape one layer leaves a little in each: a translated statement keeps
an example, a reworded one the shape of its program. The weights and thresholds were chosen on one half of a set of
planted copies and paraphrases and never on the other (docs/codefeedback/decontamination.md).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import lru_cache
from typing import Any, Final, TypeAlias

import numpy as np

from opencodeinterpreter.codefeedback.decontamination.behaviour import Agreement, Behaviour
from opencodeinterpreter.codefeedback.decontamination.entry_points import EntryPoints
from opencodeinterpreter.codefeedback.decontamination.ngrams import (
    Background,
    Share,
    row_runs,
    shared_programs,
    shared_statements,
    shipped_background,
)
from opencodeinterpreter.codefeedback.decontamination.references import Reference
from opencodeinterpreter.codefeedback.decontamination.texts import code_of, prose_of, words_of
from opencodeinterpreter.codefeedback.decontamination.translation import in_english, key_words, language_of
from opencodeinterpreter.codefeedback.similarity.embedding import Embedder, Vectors
from opencodeinterpreter.codefeedback.similarity.embedding_models import TfidfEmbedder

Part: TypeAlias = tuple[str, str]
"""A question and its answer; either may be empty."""
Embed: TypeAlias = Callable[[Sequence[str]], Vectors]

LAYERS: Final = ("n-grams", "entry points", "neighbours", "behaviour")
THRESHOLD: Final = 1.45
"""The least likeness of a hit."""
READING_THRESHOLD: Final = 1.35
"""Where no programs are run, which find most of what lies between the two."""
_NOTHING: Final = Share(0.0, 0.0)
_CANDIDATES: Final = 4
"""How many of the problems that a layer finds nearest are looked at by all layers."""
_TRIED: Final = 16
"""How many are looked at where programs are run: one jail tries them all."""
AGREEING: Final = 0.9
"""The share of inputs on which a program must do what a problem asks for. Not all: tests have odd edges."""
_MANY_OUTPUTS: Final = 4
_SOMEWHAT_LIKE: Final = 0.9
"""The likeness without which agreement tells nothing where a problem has fewer outputs than that."""
_SPEAKING: Final = 7
"""A question of fewer words is hardly more than a title, which is like all that has a word in common with it."""
_CHARACTERS: Final = 1000
"""Of a question or answer that are embedded: what MiniLM reads, about."""


@dataclass(frozen=True)
class Evidence:
    """What speaks for a row's being one problem of a benchmark; all but ``found`` from 0 to 1."""

    statement: float = 0.0
    """the weighted share of the prompt's runs of words"""
    program: float = 0.0
    """the weighted share of the reference program's runs of tokens"""
    name: float = 0.0
    """how telling the entry point is, if the row has it"""
    examples: float = 0.0
    """how telling the inputs and outputs are that the row has"""
    question: float = 0.0
    """cosine of question and statement"""
    answer: float = 0.0
    """cosine of answer and reference program"""
    found: tuple[str, ...] = ()
    """the name and the values that were found"""
    telling: float = 0.0
    """weight of the shared runs of words; a run that occurs nowhere else weighs 1"""
    plain_question: float = 0.0
    """as ``question``, by tf-idf"""
    plain_answer: float = 0.0
    behaviour: float = 0.0
    """the share of inputs on which the row's program does what the problem asks for"""
    outputs: int = 0
    """how many different outputs are right on those inputs"""

    @property
    def by_layer(self) -> dict[str, float]:
        """Return what each layer that reads adds to the likeness."""
        return {
            "n-grams": 0.4 * self.statement + 0.25 * self.program,
            "entry points": 0.35 * self.name + self.examples,
            "neighbours": self.question + 0.3 * self.answer + 0.5 * self.plain_question + 0.15 * self.plain_answer,
        }

    @property
    def likeness(self) -> float:
        return sum(self.by_layer.values())

    @property
    def sure(self) -> tuple[str, ...]:
        """Return the layers that need no other beside them."""
        copied = self.statement >= 0.6 and self.telling >= 4
        shown = self.name + self.examples >= 1.4 and len(self.found) >= 2
        telling = self.outputs >= _MANY_OUTPUTS or self.likeness >= _SOMEWHAT_LIKE
        does_it = self.behaviour >= AGREEING and telling
        layers = (("n-grams", copied), ("entry points", shown), ("behaviour", does_it))
        return tuple(layer for layer, is_sure in layers if is_sure)

    def to_json(self) -> dict[str, Any]:
        rounded = {key: round(value, 3) if isinstance(value, float) else value for key, value in asdict(self).items()}
        return {**rounded, "found": list(self.found)}


@dataclass(frozen=True)
class Likeness:
    """The problem that a row is most like."""

    reference: Reference
    number: int
    """of the reference"""
    evidence: Evidence
    part: int
    """which part of the row"""
    hit: bool
    layers: tuple[str, ...]
    """the layers that made it a hit: those that are sure alone, else all that added to it, the strongest first"""

    @property
    def rank(self) -> tuple[bool, float]:
        return self.hit, self.evidence.likeness


@dataclass(frozen=True)
class _Layers:
    statements: Any
    programs: Any
    entry_points: EntryPoints
    plain: Embed
    model: Embed | None
    vectors: dict[str, tuple[Vectors, Vectors, Vectors]] = field(default_factory=dict)
    """by tf-idf and by the model: of the statements, the programs, and the key words of the statements"""


class Detector:
    """Compares rows with the problems of benchmarks.

    Args:
        references: the problems.
        model: embeds the texts besides tf-idf; None leaves tf-idf alone.
        threshold: the least likeness of a hit; None is as measured.
        background: how common runs, names and values are; None takes the shipped one.
        behaviour: runs the rows' programs; None reads only.
    """

    def __init__(
        self,
        references: Sequence[Reference],
        model: Embed | None = None,
        threshold: float | None = None,
        background: Background | None = None,
        behaviour: Behaviour | None = None,
    ) -> None:
        self.references = references
        self.threshold = threshold or (READING_THRESHOLD if behaviour is None else THRESHOLD)
        self._behaviour = behaviour
        self._nearest = _CANDIDATES if behaviour is None else _TRIED
        known = background or shipped_background()
        statements, solutions = [each.statement for each in references], [each.solution for each in references]
        self._vocabulary = {word for statement in statements for word in words_of(statement)}
        plain = _fitted((*statements, *solutions))
        self._layers = _Layers(
            shared_statements(references, known),
            shared_programs(references, known),
            EntryPoints(references, known),
            plain.embed,
            model,
        )
        for name, embed in (("plain", plain.embed), ("model", model)):
            if embed is not None:
                telegraphic = [key_words(statement, self._vocabulary) for statement in statements]
                self._layers.vectors[name] = embed(statements), embed(solutions), embed(telegraphic)

    def compare(self, rows: Sequence[Sequence[Part]]) -> list[Likeness | None]:
        """Return for each row, given by its parts, the problem that it is most like; None if it has no text."""
        parts = [(number, place, part) for number, each in enumerate(rows) for place, part in enumerate(each)]
        results: list[Likeness | None] = [None] * len(rows)
        if not parts:
            return results
        near = self._similarities([part for _, _, part in parts])
        found = [
            self._of_part(part, place, {name: (q[index], a[index]) for name, (q, a) in near.items()})
            for index, (_, place, part) in enumerate(parts)
        ]
        if self._behaviour is not None:
            found = self._run(self._behaviour, [part for _, _, part in parts], found)
        for (number, _, _), likenesses in zip(parts, found, strict=True):
            for likeness in likenesses:
                best = results[number]
                if best is None or likeness.rank > best.rank:
                    results[number] = likeness
        return results

    def _run(
        self, behaviour: Behaviour, parts: Sequence[Part], found: Sequence[list[Likeness]]
    ) -> list[list[Likeness]]:
        """Run the programs of the parts that no layer that reads is sure of."""
        jobs = [
            (*part, () if any(each.hit for each in likenesses) else [each.reference.id for each in likenesses])
            for part, likenesses in zip(parts, found, strict=True)
        ]
        return [
            [self._ran(each, agreements.get(each.reference.id, Agreement())) for each in likenesses]
            for likenesses, agreements in zip(found, behaviour.agreements(jobs), strict=True)
        ]

    def _ran(self, likeness: Likeness, agreement: Agreement) -> Likeness:
        evidence = replace(likeness.evidence, behaviour=agreement.share, outputs=agreement.outputs)
        return self._judged(likeness.number, evidence, likeness.part)

    def _similarities(self, parts: Sequence[Part]) -> dict[str, tuple[Vectors, Vectors]]:
        prose = [prose_of(question) for question, _ in parts]
        foreign = np.array([language_of(text) != "en" for text in prose])
        questions = [
            key_words(in_english(text), self._vocabulary)[:_CHARACTERS] if is_foreign else text[:_CHARACTERS]
            for text, is_foreign in zip(prose, foreign, strict=True)
        ]
        answers = [code_of(answer)[:_CHARACTERS] for _, answer in parts]
        found = {}
        for name, embed in (("plain", self._layers.plain), ("model", self._layers.model)):
            if embed is not None:
                statements, solutions, telegraphic = self._layers.vectors[name]
                asked, said = _of_texts(embed, questions), _of_texts(embed, answers)
                asked *= np.array([[min(1.0, len(words_of(text)) / _SPEAKING)] for text in questions], np.float32)
                near = np.where(foreign[:, None], asked @ telegraphic.T, asked @ statements.T)
                found[name] = np.maximum(near, 0), np.maximum(said @ solutions.T, 0)
        return found

    def _of_part(self, part: Part, place: int, near: dict[str, tuple[Any, Any]]) -> list[Likeness]:
        words, program = row_runs(*part)
        statements, programs = self._layers.statements.of(words), self._layers.programs.of(program)
        shown = self._layers.entry_points.of(*part)
        candidates = {number for number, (name, examples, _) in shown.items() if name + examples >= 0.2}
        for shares in (statements, programs):
            candidates |= set(sorted(shares, key=lambda n: (-_sure(shares[n]), n))[: self._nearest])
        for asked, said in near.values():
            candidates |= set(np.argsort(-(asked + 0.5 * said), kind="stable")[: self._nearest].tolist())
        likenesses = []
        plain = near["plain"]
        model = near.get("model", plain)
        for number in sorted(candidates):
            share = statements.get(number, _NOTHING)
            name, examples, found = shown.get(number, (0.0, 0.0, []))
            evidence = Evidence(
                statement=share.share * min(1, share.weight / 4),
                program=_sure(programs.get(number, _NOTHING)),
                name=name,
                examples=min(1.0, examples),
                question=float(model[0][number]),
                answer=float(model[1][number]),
                found=tuple(found),
                telling=share.weight,
                plain_question=float(plain[0][number]),
                plain_answer=float(plain[1][number]),
            )
            likenesses.append(self._judged(number, evidence, place))
        return likenesses

    def _judged(self, number: int, evidence: Evidence, place: int) -> Likeness:
        added = sorted(evidence.by_layer.items(), key=lambda item: -item[1])
        layers = evidence.sure or tuple(layer for layer, part in added if part >= 0.1)
        hit = bool(evidence.sure) or evidence.likeness >= self.threshold
        return Likeness(self.references[number], number, evidence, place, hit, layers if hit else ())


@lru_cache(maxsize=2)
def _fitted(texts: tuple[str, ...]) -> Embedder:
    """Return tf-idf that has learnt from the problems; the same ones are not learnt twice in one program."""
    return TfidfEmbedder(texts)


def _sure(share: Share) -> float:
    """Return a share of a program, less where it is a small one: two lines are soon the same."""
    return share.share * min(1.0, share.weight / 6)


def _of_texts(embed: Embed, texts: Sequence[str]) -> Vectors:
    """Embed the texts; one without any word is like nothing."""
    vectors = np.array(embed(texts), dtype=np.float32)
    vectors[[not text.strip() for text in texts]] = 0
    return vectors

"""Single-turn packing: similar queries with their answers, one after the other, as a dialog of several turns.

As in the paper: each query is embedded, and from its four nearest neighbours two or three are taken at random; each
query is used once, and one whose neighbours are all used is left over. The published table has about two turns a
dialog where that would give three to four, so how many are taken is a setting. Other than in the original, neighbours
are of the same programming language and not less similar than a floor.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from opencodeinterpreter.codefeedback.methods.origin import provenance
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Row, Table
from opencodeinterpreter.codefeedback.rows import Query
from opencodeinterpreter.codefeedback.similarity.embedding import EmbeddingStore, Vectors
from opencodeinterpreter.codefeedback.similarity.embedding_models import load_embedder
from opencodeinterpreter.codefeedback.similarity.neighbours import Neighbours, nearest
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.errors import ConfigError, InputError

FLOORS: Final[Mapping[str, float]] = {"minilm": 0.5, "tfidf": 0.35}
"""The default floor of the models whose similarities were looked at; others need one by hand."""


@dataclass(frozen=True)
class PackingSettings:
    """How dialogs are packed."""

    model: str = "minilm"
    """``minilm``, ``tfidf``, or any checkpoint by name or folder"""
    neighbours: int = 4
    """how many of the nearest are looked at"""
    taken: tuple[int, ...] = (2, 3)
    """how many of them are taken; one of these numbers at random; (1, 2) comes near the published size"""
    at_least: int = 1
    """how many must still be free; fewer than were drawn are taken if it is so many"""
    floor: float | None = None
    """the least cosine of a neighbour; None takes the model's own default"""
    any_language: bool = False
    """pack queries whose language is unknown, with each other"""
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.taken or min(self.taken) < 1 or max(self.taken) > self.neighbours:
            raise ConfigError(f"of {self.neighbours} neighbours 1 to {self.neighbours} can be taken, not {self.taken}")
        if not 1 <= self.at_least <= min(self.taken):
            raise ConfigError(f"the least number of neighbours must be 1 to {min(self.taken)}, not {self.at_least}")
        if self.floor is None and self.model not in FLOORS:
            raise ConfigError(f"no floor of similarity is known for {self.model!r}; give one")

    @property
    def least(self) -> float:
        return FLOORS[self.model] if self.floor is None else self.floor


class PackingStage:
    """Packs query rows into dialogs; what stays over is dropped with its reason.

    Args:
        settings: how.
        embeddings: the folder with the vectors of all runs; None keeps them with the stage.
    """

    name = "pack"

    def __init__(self, settings: PackingSettings | None = None, embeddings: Path | None = None) -> None:
        self._settings, self._embeddings = settings or PackingSettings(), embeddings

    @property
    def settings(self) -> Mapping[str, Any]:
        return {**asdict(self._settings), "taken": list(self._settings.taken), "floor": self._settings.least}

    def check(self, row: Row) -> None:
        """Refuse what is no query.

        Raises:
            InputError: saying what it lacks.
        """
        if "statement" in row and "query" not in row:
            raise InputError("this is a problem, not a query; the stage queries makes queries of problems")
        Query.from_json(row)

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield the dialogs in the order of their first queries, then the queries that are left over."""
        settings = self._settings
        with ExitStack() as stack:
            rows = stack.enter_context(_Shelf(table.folder / "queries"))
            table.told.begin(len(table.rows), "queries read")
            languages = []
            for row in table.rows:
                query = Query.from_json(row)
                table.told.advance()
                if not query.answer.strip():
                    yield Outcome(drops=(Drop("no answer", row=row),))
                elif not query.language and not settings.any_language:
                    yield Outcome(drops=(Drop("language unknown", row=row),))
                else:
                    rows.add(row)
                    languages.append(query.language)
            vectors, identity = self._embedded(rows, table)
            table.told.begin(len(rows), "queries compared")
            found = nearest(vectors, languages, settings.neighbours, settings.least, table.told)
            packed = pack(found, settings)
            for number, group in enumerate(packed):
                yield _dialog(number, group, rows, found, settings, identity)
            yield from _left_over(packed, found, rows)

    def _embedded(self, rows: _Shelf, table: Table) -> tuple[Vectors, str]:
        fit = (row["query"] for row in rows) if self._settings.model == "tfidf" and len(rows) else ()
        if not len(rows):
            return np.empty((0, 1), np.float32), self._settings.model
        embedder = load_embedder(self._settings.model, fit)
        table.told.begin(len(rows), "queries embedded")
        store = EmbeddingStore(self._embeddings or table.folder / "embeddings", embedder)
        return store.embed((row["query"] for row in rows), table.told), embedder.identity


def pack(found: Neighbours, settings: PackingSettings) -> list[tuple[int, ...]]:
    """Return groups of queries by number: a query, then those taken of its neighbours, the nearest first.

    Queries are looked at in an order drawn from the seed, so that no source goes before another; the groups are in the
    order of their first queries.
    """
    generator = random.Random(settings.seed)  # noqa: S311 - a choice that can be repeated
    order = list(range(len(found.indices)))
    generator.shuffle(order)
    used = [False] * len(order)
    groups = []
    for number in order:
        if used[number]:
            continue
        wanted = generator.choice(settings.taken)
        free = [other for other, _ in found.of(number) if not used[other]]
        if len(free) < settings.at_least:
            continue
        places = sorted(generator.sample(range(len(free)), min(wanted, len(free))))
        group = (number, *(free[place] for place in places))
        for each in group:
            used[each] = True
        groups.append(group)
    return sorted(groups)


class _Shelf:
    """Rows on disk, each to be had by its number: all of them in memory would be too much."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._starts = [0]

    def __enter__(self) -> _Shelf:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file = self._path.open("w+b")
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)

    def __len__(self) -> int:
        return len(self._starts) - 1

    def __iter__(self) -> Iterator[Row]:
        return (self[number] for number in range(len(self)))

    def __getitem__(self, number: int) -> Row:
        self._file.seek(self._starts[number])
        row: Row = json.loads(self._file.read(self._starts[number + 1] - self._starts[number]))
        return row

    def add(self, row: Row) -> None:
        data = json.dumps(row).encode()
        self._file.seek(self._starts[-1])
        self._file.write(data)
        self._starts.append(self._starts[-1] + len(data))


def _dialog(
    number: int,
    group: Sequence[int],
    rows: _Shelf,
    found: Neighbours,
    settings: PackingSettings,
    identity: str,
) -> Outcome:
    queries = [Query.from_json(rows[each]) for each in group]
    near = dict(found.of(group[0]))
    messages: list[Message] = []
    for each, query in zip(group, queries, strict=True):
        origin: dict[str, Any] = {**provenance(query), "id": query.id}
        if each in near:
            origin["similarity"] = round(near[each], 4)
        messages.append(Message("user", query.query, {"kind": "query", **origin}))
        answered: dict[str, Any] = {
            "kind": "answer",
            "passed": None,
            "train": True,
            "executed": False,
            "language": query.language,
        }
        if query.meta.get("tests"):
            # Whoever verifies the dialog runs this answer with them.
            answered["tests"] = query.meta["tests"]
        messages.append(Message("assistant", query.answer, {**answered, **provenance(query)}))
    meta = {
        "method": "packing",
        "sources": sorted({query.source for query in queries}),
        "licence": " AND ".join(sorted({query.licence for query in queries if query.licence})),
        "language": queries[0].language,
        "seed": settings.seed,
        "models": {"embedding": identity},
    }
    notes = {"dialogs": 1, "turns": {str(len(group)): 1}, "queries used": len(group)}
    return Outcome((Dialog(tuple(messages), f"packing-{number}", meta).to_json(),), notes=notes)


def _left_over(packed: Sequence[Sequence[int]], found: Neighbours, rows: _Shelf) -> Iterator[Outcome]:
    used = {number for group in packed for number in group}
    for number in range(len(rows)):
        if number in used:
            continue
        near = found.of(number)
        if near:
            drop = Drop("all neighbours are used", f"{len(near)} above the floor", rows[number])
        else:
            drop = Drop("no neighbour above the floor in its language", row=rows[number])
        yield Outcome(drops=(drop,))

"""Exact nearest neighbours among vectors of length one, within groups, with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from opencodeinterpreter.codefeedback.pipeline.stage import Quiet, Told
from opencodeinterpreter.codefeedback.similarity.embedding import Vectors

_BLOCK: Final = 4096
"""Queries that are compared at a time."""
_STRIPE: Final = 16_384
"""Vectors that a block is compared with at a time by numpy: 256 MB of similarities."""


@dataclass(frozen=True)
class Neighbours:
    """For each vector the nearest others, the nearest first."""

    indices: NDArray[np.int64]
    """[vectors, count]; -1 where there are no more"""
    similarities: NDArray[np.float32]
    """[vectors, count]; cosines; 0 where there are no more"""

    def of(self, number: int) -> list[tuple[int, float]]:
        """Return the neighbours of one vector with their similarity."""
        pairs = zip(self.indices[number].tolist(), self.similarities[number].tolist(), strict=True)
        return [(index, similarity) for index, similarity in pairs if index >= 0]


def nearest(
    vectors: Vectors, groups: Sequence[str], count: int, floor: float = -1.0, told: Told | None = None
) -> Neighbours:
    """Return the ``count`` nearest neighbours of every vector among those of its own group, found by full comparison.

    ``faiss`` does the comparing where it is installed, else numpy. Of equally near ones that with the lower number is
    first.

    Args:
        vectors: of length one.
        groups: the group of each vector: the language.
        count: how many at most.
        floor: the least cosine.
        told: is told of each vector.
    """
    told = told or Quiet()
    indices: NDArray[np.int64] = np.full((len(vectors), count), -1, np.int64)
    similarities: NDArray[np.float32] = np.zeros((len(vectors), count), np.float32)
    members: dict[str, list[int]] = {}
    for number, group in enumerate(groups):
        members.setdefault(group, []).append(number)
    for group in sorted(members):
        mine = np.array(members[group], np.int64)
        for start, found, near in _searched(vectors[mine], vectors[mine], min(count + 1, len(mine))):
            numbers = mine[start : start + len(found)]
            _enter(indices, similarities, numbers, mine[found], near, floor)
            told.advance(len(found))
    return Neighbours(indices, similarities)


def nearest_of(queries: Vectors, among: Vectors, count: int) -> Neighbours:
    """Return for each query the ``count`` nearest of other vectors."""
    count = min(count, len(among))
    blocks = list(_searched(queries, among, count)) if count else []
    if not blocks:
        return Neighbours(np.empty((len(queries), 0), np.int64), np.empty((len(queries), 0), np.float32))
    return Neighbours(np.concatenate([each[1] for each in blocks]), np.concatenate([each[2] for each in blocks]))


def _enter(
    indices: NDArray[np.int64],
    similarities: NDArray[np.float32],
    numbers: NDArray[np.int64],
    found: NDArray[np.int64],
    near: NDArray[np.float32],
    floor: float,
) -> None:
    """Write down what was found for ``numbers``, without each vector itself and what is below the floor."""
    count = indices.shape[1]
    good = (found != numbers[:, None]) & (near >= floor)
    # What counts moves to the front, in its order; the rest is cut off.
    order = np.argsort(~good, axis=1, kind="stable")[:, :count]
    kept = np.take_along_axis(good, order, 1)
    width = order.shape[1]
    indices[numbers, :width] = np.where(kept, np.take_along_axis(found, order, 1), -1)
    similarities[numbers, :width] = np.where(kept, np.take_along_axis(near, order, 1), 0)


def _searched(
    queries: Vectors, among: Vectors, count: int
) -> Iterator[tuple[int, NDArray[np.int64], NDArray[np.float32]]]:
    """Yield, block by block of the queries, where it starts, the nearest ones, and how near they are."""
    index = _faiss_index(among)
    for start in range(0, len(queries), _BLOCK):
        block = np.ascontiguousarray(queries[start : start + _BLOCK])
        if index is not None:
            near, found = index.search(block, count)
        else:
            near, found = _by_numpy(block, among, count)
        order = np.lexsort((found, -near), axis=1)
        yield start, np.take_along_axis(found, order, 1), np.take_along_axis(near, order, 1)


def _faiss_index(among: Vectors) -> Any:
    try:
        import faiss
    except ImportError:
        return None
    index = faiss.IndexFlatIP(among.shape[1])
    index.add(np.ascontiguousarray(among))
    return index


def _by_numpy(block: Vectors, among: Vectors, count: int) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    near: NDArray[np.float32] = np.empty((len(block), 0), np.float32)
    found: NDArray[np.int64] = np.empty((len(block), 0), np.int64)
    for start in range(0, len(among), _STRIPE):
        stripe = block @ among[start : start + _STRIPE].T
        numbers = np.broadcast_to(np.arange(start, start + stripe.shape[1]), stripe.shape)
        near, found = np.concatenate([near, stripe], 1), np.concatenate([found, numbers], 1)
        if near.shape[1] > count:
            best = np.argpartition(-near, count - 1, axis=1)[:, :count]
            near, found = np.take_along_axis(near, best, 1), np.take_along_axis(found, best, 1)
    return near, found

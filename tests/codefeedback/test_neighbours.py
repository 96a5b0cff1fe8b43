"""Nearest neighbours within groups: the same as by comparing each with each."""

from __future__ import annotations

import sys

import numpy as np
import pytest

from opencodeinterpreter.codefeedback.similarity import neighbours
from opencodeinterpreter.codefeedback.similarity.embedding import Vectors, unit
from opencodeinterpreter.codefeedback.similarity.neighbours import nearest, nearest_of


def vectors(count: int, seed: int = 0) -> Vectors:
    return unit(np.random.default_rng(seed).normal(size=(count, 16)))


def by_hand(given: Vectors, groups: list[str], count: int, floor: float) -> list[list[int]]:
    near = given @ given.T
    found = []
    for one in range(len(given)):
        others = [n for n in range(len(given)) if n != one and groups[n] == groups[one] and near[one, n] >= floor]
        found.append(sorted(others, key=lambda n, one=one: (-near[one, n], n))[:count])
    return found


@pytest.fixture(params=["faiss", "numpy"])
def _searcher(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if request.param == "numpy":
        monkeypatch.setitem(sys.modules, "faiss", None)
    else:
        pytest.importorskip("faiss", reason="faiss is not installed")


@pytest.mark.usefixtures("_searcher")
@pytest.mark.parametrize("blocks", [(4096, 16384), (7, 5)])
def test_the_neighbours_are_those_of_a_full_comparison(
    monkeypatch: pytest.MonkeyPatch, blocks: tuple[int, int]
) -> None:
    monkeypatch.setattr(neighbours, "_BLOCK", blocks[0])
    monkeypatch.setattr(neighbours, "_STRIPE", blocks[1])
    given = vectors(90)
    groups = [["python", "java", "rust"][number % 7 % 3] for number in range(90)]
    found = nearest(given, groups, 4, floor=0.1)
    assert [[other for other, _ in found.of(n)] for n in range(90)] == by_hand(given, groups, 4, 0.1)
    for number in range(90):
        for other, similarity in found.of(number):
            assert similarity == pytest.approx(float(given[number] @ given[other]), abs=1e-5)


@pytest.mark.usefixtures("_searcher")
def test_equal_vectors_are_neighbours_but_none_is_its_own() -> None:
    given = np.repeat(vectors(1), 7, axis=0)
    found = nearest(given, ["python"] * 7, 3)
    assert all(number not in found.indices[number] for number in range(7))
    assert (found.indices >= 0).sum() >= 7 * 2


@pytest.mark.usefixtures("_searcher")
def test_a_group_of_one_has_no_neighbours() -> None:
    found = nearest(vectors(3), ["python", "java", "python"], 4)
    assert [[other for other, _ in found.of(n)] for n in range(3)] == [[2], [], [0]]
    assert nearest(vectors(0), [], 4).indices.shape == (0, 4)


@pytest.mark.usefixtures("_searcher")
def test_neighbours_among_others() -> None:
    queries, among = vectors(5, 1), vectors(30, 2)
    found = nearest_of(queries, among, 3)
    expected = np.argsort(-(queries @ among.T), axis=1)[:, :3]
    assert (found.indices == expected).all()
    assert nearest_of(queries, among[:2], 3).indices.shape == (5, 2)
    assert nearest_of(queries[:0], among, 3).indices.shape[0] == 0

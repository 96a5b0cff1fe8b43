"""Samples as the rows that a model is given: padded side by side, or packed into one in which each sees only itself.

A packed row has no attention mask; its positions begin anew with each sample. From that the library's attention (plain,
SDPA and flash) keeps the samples apart; ``separation`` proves it for a kind of model before it is relied on.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Any

import torch

from opencodeinterpreter.training.masking import IGNORED, Sample


def packs(samples: Sequence[Sample], limit: int) -> list[list[Sample]]:
    """Return the samples in rows of at most ``limit`` tokens, each where least room is left, the longest first.

    The time grows with the number of samples, and with ``limit``, but not with their product.
    """
    rows: list[list[Sample]] = []
    with_room: dict[int, list[list[Sample]]] = {}
    rooms: list[int] = []  # the keys, in order
    for sample in sorted(samples, key=lambda each: -len(each.ids)):
        size = len(sample.ids)
        place = bisect_left(rooms, size)
        row: list[Sample] = []
        if place == len(rooms):
            room = limit
            rows.append(row)
        else:
            room = rooms[place]
            row = with_room[room].pop()
            if not with_room[room]:
                del with_room[room], rooms[place]
        row.append(sample)
        left = room - size
        if left not in with_room:
            with_room[left] = []
            insort(rooms, left)
        with_room[left].append(row)
    return rows


class Rows(torch.utils.data.Dataset[list[Sample]]):  # type: ignore[misc, unused-ignore]
    """What the trainer draws from: a list of samples an item, of which there is one where nothing is packed."""

    def __init__(self, items: Sequence[Sequence[Sample]]) -> None:
        self._items = [list(item) for item in items]

    def __len__(self) -> int:
        return len(self._items)

    def __getitem__(self, index: int) -> dict[str, Any]:
        item = self._items[index]
        # The tokens are there for the library, which groups items of like length by them.
        return {"samples": item, "input_ids": [token for sample in item for token in sample.ids]}


class Collator:
    """Turns drawn items into tensors.

    Args:
        fill: the token that fills rows up; it counts for nothing.
        packed: whether all samples of a batch share one row.
    """

    def __init__(self, fill: int, *, packed: bool) -> None:
        self._fill, self._packed = fill, packed

    def __call__(self, items: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        samples = [sample for item in items for sample in item["samples"]]
        return packed_row(samples) if self._packed else padded_rows(samples, self._fill)


def padded_rows(samples: Sequence[Sample], fill: int) -> dict[str, torch.Tensor]:
    """Return a row a sample, filled up at the end to the longest."""
    longest = max(len(sample.ids) for sample in samples)

    def rows(values: Sequence[Sequence[int]], filler: int) -> torch.Tensor:
        return torch.tensor([[*each, *[filler] * (longest - len(each))] for each in values])

    return {
        "input_ids": rows([sample.ids for sample in samples], fill),
        "attention_mask": rows([[1] * len(sample.ids) for sample in samples], 0),
        "labels": rows([sample.labels for sample in samples], IGNORED),
    }


def packed_row(samples: Sequence[Sample]) -> dict[str, torch.Tensor]:
    """Return all samples in one row, with positions that begin anew at each."""
    return {
        "input_ids": torch.tensor([[token for sample in samples for token in sample.ids]]),
        "position_ids": torch.tensor([[place for sample in samples for place in range(len(sample.ids))]]),
        # The first token of a sample is nothing that the one before should foretell.
        "labels": torch.tensor([[label for sample in samples for label in (IGNORED, *sample.labels[1:])]]),
    }

"""Samples as the rows that a model is given: padded side by side, or packed into one in which each sees only itself.

A packed row has no attention mask; its positions begin anew with each sample. From that the library's attention (plain,
SDPA and flash) keeps the samples apart; ``separates`` proves it for a model before it is relied on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from opencodeinterpreter.training.masking import IGNORED, Sample


def packs(samples: Sequence[Sample], limit: int) -> list[list[Sample]]:
    """Return the samples in as few rows of at most ``limit`` tokens as a first fit gives, the longest first."""
    rows: list[list[Sample]] = []
    free: list[int] = []
    for sample in sorted(samples, key=lambda each: -len(each.ids)):
        place = next((index for index, left in enumerate(free) if left >= len(sample.ids)), None)
        if place is None:
            rows.append([sample])
            free.append(limit - len(sample.ids))
        else:
            rows[place].append(sample)
            free[place] -= len(sample.ids)
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


def separates(model: Any, vocabulary: int, tolerance: float = 0.05) -> bool:
    """Return whether the model computes the same for samples in one row as for each alone.

    Args:
        model: any that the library loads.
        vocabulary: how many tokens it knows.
        tolerance: the largest difference of logits, relative to their spread; rounding in 16 bits stays below.
    """
    # Tokens spread over the vocabulary, two samples that share none.
    drawn = [[(7 + 31 * place * (1 + which)) % vocabulary for place in range(11 + which)] for which in (0, 1)]
    training, device = model.training, next(model.parameters()).device
    model.eval()
    try:
        with torch.no_grad():
            together = {
                "input_ids": torch.tensor([[*drawn[0], *drawn[1]]], device=device),
                "position_ids": torch.tensor([[*range(len(drawn[0])), *range(len(drawn[1]))]], device=device),
            }
            packed = model(**together, use_cache=False).logits.float()[0]
            alone = torch.cat(
                [
                    model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits.float()[0]
                    for ids in drawn
                ]
            )
    finally:
        model.train(training)
    return bool((packed - alone).abs().max() <= tolerance * alone.std())

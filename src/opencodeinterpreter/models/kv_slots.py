"""Keys and values of several texts side by side, each in a slot, for one model's forward passes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_STEP_TOKENS = 256
"""Slots grow by whole steps of this, so that growing is rare."""


@dataclass(frozen=True)
class Kept:
    """The keys and values of one text, of every layer, outside of any slot; each [heads, tokens, features]."""

    layers: tuple[tuple[Any, Any], ...]

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(tensor.numel() * tensor.element_size() for pair in self.layers for tensor in pair)


class KeyValueSlots:
    """What the transformers library calls a cache, for texts that come and go one by one.

    A text keeps its place in its slot: nothing is padded, concatenated or copied when another one begins or ends. The
    texts that are being continued stand in the first slots, so that every pass reads a plain view.

    ``plan_prefill`` or ``plan_decode`` says what the next forward pass is about; the model then calls ``update`` once a
    layer.

    Args:
        slots: how many texts there may be.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._layers: list[tuple[Any, Any]] = []
        self._slot = self._start = self._longest = 0
        self._positions: Any = None

    def plan_prefill(self, slot: int, start: int) -> None:
        """The next pass reads tokens into one slot, from the position ``start``."""
        self._positions = None
        self._slot, self._start = slot, start

    def plan_decode(self, positions: Any, longest: int) -> None:
        """The next pass reads one token of each of the first texts.

        Args:
            positions: of these tokens, [texts].
            longest: tokens of the longest text, the new one included.
        """
        self._positions, self._longest = positions, longest

    def update(self, keys: Any, values: Any, layer_idx: int, *_: Any, **__: Any) -> tuple[Any, Any]:
        """Keep the keys and values of a pass, [texts, heads, new tokens, features]; return all that it may look at."""
        if self._positions is None:
            end = self._start + keys.shape[2]
            kept = self._room(layer_idx, keys, values, end)
            for buffer, new in zip(kept, (keys, values), strict=True):
                buffer[self._slot, :, self._start : end] = new[0]
            return kept[0][self._slot : self._slot + 1, :, :end], kept[1][self._slot : self._slot + 1, :, :end]
        import torch

        kept = self._room(layer_idx, keys, values, self._longest)
        texts = torch.arange(keys.shape[0], device=keys.device)
        positions = self._positions.to(keys.device)  # of a model over several devices each layer has its own
        for buffer, new in zip(kept, (keys, values), strict=True):
            buffer[texts, :, positions] = new[:, :, 0]
        return kept[0][: keys.shape[0], :, : self._longest], kept[1][: keys.shape[0], :, : self._longest]

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Return how many tokens came before those of the next pass, for models that ask."""
        del layer_idx
        return self._start if self._positions is None else self._longest - 1

    def copy(self, source: int, target: int, tokens: int) -> None:
        """Copy the first tokens of one slot to another one."""
        for pair in self._layers:
            for buffer in pair:
                buffer[target, :, :tokens] = buffer[source, :, :tokens]

    def take(self, slot: int, tokens: int) -> Kept:
        """Return a copy of the first tokens of a slot."""
        return Kept(
            tuple((keys[slot, :, :tokens].clone(), values[slot, :, :tokens].clone()) for keys, values in self._layers)
        )

    def put(self, slot: int, kept: Kept, tokens: int) -> None:
        """Put the first tokens of a copy into a slot."""
        for layer, pair in enumerate(kept.layers):
            buffers = self._room(layer, pair[0][None], pair[1][None], tokens)
            for buffer, old in zip(buffers, pair, strict=True):
                buffer[slot, :, :tokens] = old[:, :tokens]

    def _room(self, layer: int, keys: Any, values: Any, tokens: int) -> tuple[Any, Any]:
        """Return the buffers of a layer, made or grown for so many tokens."""
        if layer == len(self._layers):
            self._layers.append((self._buffer(keys, tokens), self._buffer(values, tokens)))
        elif self._layers[layer][0].shape[2] < tokens:
            grown = []
            for old in self._layers[layer]:
                new = self._buffer(old, tokens)
                new[:, :, : old.shape[2]] = old
                grown.append(new)
            self._layers[layer] = (grown[0], grown[1])
        return self._layers[layer]

    def _buffer(self, like: Any, tokens: int) -> Any:
        room = -(-tokens // _STEP_TOKENS) * _STEP_TOKENS
        # Zeros, not whatever was in memory: what is masked is multiplied by nothing, and nothing times NaN is NaN.
        return like.new_zeros(self._slots, like.shape[1], room, like.shape[3])

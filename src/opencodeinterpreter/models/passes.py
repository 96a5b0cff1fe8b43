"""Forward passes of a causal model: a prompt into a slot, then one token after the other, of many texts at once."""

from __future__ import annotations

import inspect
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from opencodeinterpreter.models.kv_slots import Kept, KeyValueSlots

_REMEMBERED_BYTES = 2**30
_PIECE_TOKENS = 2048
"""A longer prompt is read in pieces: what each token may look at takes memory by the square of a pass."""
_WORTH_TOKENS = 16
"""A shorter common beginning is read again rather than looked up."""


class Passes(Protocol):
    """Texts that a model reads; those that are being continued have the numbers 0, 1, 2 and so on."""

    slots: int
    """how many there may be"""

    def prefill(self, slot: int, tokens: Sequence[int]) -> tuple[Any, int]:
        """Read a prompt; return the logits after it, [vocabulary], and how many of its tokens were known already."""
        ...

    def decode(self, tokens: Sequence[int]) -> Any:
        """Read one more token of each of the first texts; return the logits after it, [texts, vocabulary]."""
        ...

    def end(self, slot: int, last: int) -> None:
        """End a text; the one of the slot ``last``, which is the last, takes its place."""
        ...


def passes_of(model: Any, slots: int) -> Passes:
    """Return passes for as many texts as the model can read at a time: one, where its attention is not plain."""
    return SlottedPasses(model, slots) if _is_plain(model) else LibraryPasses(model)


def _is_plain(model: Any) -> bool:
    """Whether every layer looks back at everything, by rotated positions: what slots can keep."""
    config = model.config.get_text_config()
    kinds = set(getattr(config, "layer_types", None) or ())
    rotary = getattr(config, "rope_parameters", None) or getattr(config, "rope_theta", None)
    window = getattr(config, "sliding_window", None)
    return bool(rotary) and (kinds <= {"full_attention"} if kinds else window is None) and _keeps_logits(model)


def _keeps_logits(model: Any) -> bool:
    """Whether the model can be asked for the logits of the last token alone."""
    return "logits_to_keep" in inspect.signature(model.forward).parameters


class SlottedPasses:
    """Many texts at a time.

    A pass over many texts reads the weights once for all of them, and so takes hardly longer than one over a single
    text; that is what generation is slow by. What was read is not read again while it is known: the refinement of a
    dialog costs its new tokens only, and a further answer to the same prompt nothing for it.

    Args:
        model: of the transformers library.
        slots: how many texts there may be.
    """

    def __init__(self, model: Any, slots: int) -> None:
        self.slots = slots
        self._model = model
        self._kept = KeyValueSlots(slots)
        self._texts: list[list[int]] = [[] for _ in range(slots)]
        self._remembered: OrderedDict[tuple[int, ...], Kept] = OrderedDict()

    def prefill(self, slot: int, tokens: Sequence[int]) -> tuple[Any, int]:
        import torch

        known = self._recall(slot, tokens)
        logits = None
        for start in range(known, len(tokens), _PIECE_TOKENS):
            end = min(start + _PIECE_TOKENS, len(tokens))
            new = torch.tensor([tokens[start:end]], device=self._model.device)
            places = torch.arange(start, end, device=new.device)
            hidden = torch.arange(end, device=new.device)[None, :] > places[:, None]
            self._kept.plan_prefill(slot, start)
            logits = self._forward(new, places[None], hidden[None, None])[0]
        self._texts[slot] = list(tokens)
        return logits, known

    def decode(self, tokens: Sequence[int]) -> Any:
        import torch

        count = len(tokens)
        lengths = [len(text) for text in self._texts[:count]]
        longest = max(lengths) + 1
        new = torch.tensor(tokens, device=self._model.device)[:, None]
        places = torch.tensor(lengths, device=new.device)
        hidden = torch.arange(longest, device=new.device)[None, :] > places[:, None]
        self._kept.plan_decode(places, longest)
        logits = self._forward(new, places[:, None], hidden[:, None, None])
        for text, token in zip(self._texts, tokens, strict=False):
            text.append(token)
        return logits

    def end(self, slot: int, last: int) -> None:
        text = self._texts[slot]
        if text:
            self._remember(tuple(text), self._kept.take(slot, len(text)))
        if slot != last:
            self._kept.copy(last, slot, len(self._texts[last]))
            self._texts[slot] = self._texts[last]
        self._texts[last] = []

    def _forward(self, tokens: Any, places: Any, hidden: Any) -> Any:
        """Run the model; return the logits after the last token of each text.

        Args:
            tokens: [texts, new tokens].
            places: their positions, of the same shape.
            hidden: what they must not look at, [texts, 1, new tokens, all tokens].
        """
        import torch

        kind = self._model.dtype
        mask = torch.zeros(hidden.shape, dtype=kind, device=tokens.device).masked_fill_(hidden, torch.finfo(kind).min)
        output = self._model(
            input_ids=tokens,
            position_ids=places,
            attention_mask=mask,
            past_key_values=self._kept,
            use_cache=True,
            logits_to_keep=1,
        )
        return output.logits[:, -1].float()

    def _recall(self, slot: int, tokens: Sequence[int]) -> int:
        """Put what is known of the beginning of a prompt into a slot; return how many tokens that are."""
        remembered, most = _closest(self._remembered, tokens)
        # Several answers to one prompt are asked for at a time: it is read for the first of them only.
        going_on, more = _closest(self._texts, tokens)
        # The last token is always read: what comes after it is what is asked for.
        known = min(max(most, more), len(tokens) - 1)
        if known < _WORTH_TOKENS:
            return 0
        if remembered is not None and most >= more:
            key = tuple(remembered)
            self._remembered.move_to_end(key)
            self._kept.put(slot, self._remembered[key], known)
        elif going_on is not None:
            self._kept.copy(self._texts.index(list(going_on)), slot, known)
        return known

    def _remember(self, text: tuple[int, ...], kept: Kept) -> None:
        self._remembered[text] = kept
        self._remembered.move_to_end(text)
        size = sum(each.size for each in self._remembered.values())
        while size > _REMEMBERED_BYTES:
            _, oldest = self._remembered.popitem(last=False)
            size -= oldest.size


class LibraryPasses:
    """One text at a time, kept as the library keeps it for this model."""

    slots = 1

    def __init__(self, model: Any) -> None:
        self._model = model
        self._cache: Any = None
        # Logits for every token of a long prompt take more memory than a small model.
        self._last_only = {"logits_to_keep": 1} if _keeps_logits(model) else {}

    def prefill(self, slot: int, tokens: Sequence[int]) -> tuple[Any, int]:
        import transformers

        del slot
        self._cache = transformers.DynamicCache(config=self._model.config)
        logits = None
        for start in range(0, len(tokens), _PIECE_TOKENS):
            logits = self.decode(tokens[start : start + _PIECE_TOKENS])[0]
        return logits, 0

    def decode(self, tokens: Sequence[int]) -> Any:
        import torch

        new = torch.tensor([list(tokens)], device=self._model.device)
        output = self._model(input_ids=new, past_key_values=self._cache, use_cache=True, **self._last_only)
        return output.logits[:, -1].float()

    def end(self, slot: int, last: int) -> None:
        del slot, last
        self._cache = None


def _closest(texts: Iterable[Sequence[int]], tokens: Sequence[int]) -> tuple[Sequence[int] | None, int]:
    """Return the text that has the longest beginning in common with ``tokens``, and how long that is."""
    best: Sequence[int] | None = None
    most = 0
    for text in texts:
        same = _common(text, tokens)
        if same > most:
            best, most = text, same
    return best, most


def _common(first: Sequence[int], second: Sequence[int]) -> int:
    """Return how many tokens two texts have in common at their beginning."""
    for index, (one, other) in enumerate(zip(first, second, strict=False)):
        if one != other:
            return index
    return min(len(first), len(second))

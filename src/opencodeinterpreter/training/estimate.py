"""How much memory and time a run will take, from the model's configuration alone."""

from __future__ import annotations

import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.devices import Device, launched, sharded, this_device, weight_type
from opencodeinterpreter.training.masking import Sample
from opencodeinterpreter.training.recipe import Recipe

_BYTES: Final = {"bfloat16": 2, "float32": 4}
_OPTIMISER: Final = 8
"""AdamW keeps two numbers of 32 bits a weight."""
_QUANTISED: Final = 0.56
"""Bytes a weight in NF4 with its scales."""


@dataclass(frozen=True)
class Estimate:
    """What a run takes. Sizes are bytes on one device."""

    parameters: int
    trained: int
    weights: int
    gradients: int
    optimiser: int
    activations: int
    free: int
    """memory that is free now"""
    steps: int
    tokens: int
    """over all epochs"""
    seconds: float

    @property
    def total(self) -> int:
        return self.weights + self.gradients + self.optimiser + self.activations


@dataclass(frozen=True)
class _Shape:
    """What of a configuration decides the activations."""

    hidden: int
    inner: int
    keys: int
    layers: int
    vocabulary: int
    matrices: int
    """weights that take part in products, the head left out"""


def estimate(recipe: Recipe, config: Any, samples: Sequence[Sample], rows: int) -> Estimate:
    """Estimate a run.

    Args:
        recipe: what is to be done.
        config: the model's configuration.
        samples: what is trained on.
        rows: how many rows an epoch has; fewer than samples where they are packed.
    """
    device = this_device()
    parameters, trained = count_parameters(recipe, config)
    kind = weight_type(recipe.method, recipe.dtype, device)
    size = _QUANTISED if recipe.method == "qlora" else _BYTES[kind]
    frozen = parameters - trained
    # What is trained beside frozen weights is kept in 32 bits.
    kept = _BYTES[kind] if recipe.method == "full" else 4
    longest = recipe.max_tokens if recipe.packing else max((len(each.ids) for each in samples), default=0)
    share = sum(each.targets for each in samples) / max(1, sum(len(each.ids) for each in samples))
    steps = steps_of(recipe, rows)
    epochs = steps * recipe.batch_size / max(1, rows)
    tokens = round(sum(len(each.ids) for each in samples) * epochs)
    computing, parts = 2 if device.bfloat16 else 4, sharded()
    return Estimate(
        parameters=parameters,
        trained=trained,
        weights=round(frozen * size + trained * kept) // parts,
        gradients=trained * kept // parts,
        optimiser=(trained * _OPTIMISER if kept == 4 else trained * 2 * kept) // parts,
        activations=activations(recipe, shape_of(config, parameters), longest, share, computing),
        free=device.free_bytes,
        steps=steps,
        tokens=tokens,
        seconds=_seconds(recipe, shape_of(config, parameters), tokens, share, device) / launched(),
    )


def steps_of(recipe: Recipe, rows: int) -> int:
    """Return the optimiser steps of a run."""
    a_pass = max(1, -(-rows // recipe.batch_size))
    steps = max(1, round(recipe.epochs * a_pass))
    return steps if recipe.max_steps is None else min(steps, recipe.max_steps)


def count_parameters(recipe: Recipe, config: Any) -> tuple[int, int]:
    """Return all weights and those that are trained, counted on a model without memory."""
    import torch
    import transformers

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks of the library about itself
        model = transformers.AutoModelForCausalLM.from_config(config)
        parameters = sum(each.numel() for each in model.parameters())
        if recipe.method == "full":
            return parameters, parameters
        from opencodeinterpreter.training.adapters import with_adapter

        model = with_adapter(model, recipe)
        trained = sum(each.numel() for each in model.parameters() if each.requires_grad)
    return parameters + trained, trained


def shape_of(config: Any, parameters: int) -> _Shape:
    text = config.get_text_config()
    hidden, heads = text.hidden_size, text.num_attention_heads
    keys = hidden * (getattr(text, "num_key_value_heads", None) or heads) // heads
    tied = getattr(text, "tie_word_embeddings", False)
    embeddings = text.vocab_size * hidden * (1 if tied else 2)
    return _Shape(
        hidden, text.intermediate_size, keys, text.num_hidden_layers, text.vocab_size, max(0, parameters - embeddings)
    )


def activations(recipe: Recipe, shape: _Shape, longest: int, share: float, size: int) -> int:
    """Return the bytes that are kept from the forward to the backward pass.

    For each token a layer keeps the input of every product (three for attention, two for the inner part, whose gate and
    product are kept too), and its norms keep 32 bits. The head keeps its scores in 32 bits twice, for the tokens that
    count.
    """
    tokens = longest * recipe.micro_batch_size
    inside = size * (6 * shape.hidden + 2 * shape.keys + 4 * shape.inner) + 4 * 4 * shape.hidden
    if recipe.method != "full":
        # Adapters take their inputs in 32 bits.
        inside += 4 * (3 * shape.hidden + shape.inner)
    layers = inside * shape.layers
    if checkpointing(recipe):
        layers = size * shape.hidden * shape.layers + inside
    head = share * shape.vocabulary * (size + 2 * 4)
    return round(tokens * (layers + head))


def checkpointing(recipe: Recipe) -> bool:
    """Return whether activations are computed twice."""
    if recipe.gradient_checkpointing is not None:
        return recipe.gradient_checkpointing
    return this_device().kind == "cuda" and recipe.method == "full"


def _seconds(recipe: Recipe, shape: _Shape, tokens: int, share: float, device: Device) -> float:
    # A product takes two operations a weight forward and two for the gradient of its input; that of the weight itself
    # takes two more, where it is trained.
    passes = 6 if recipe.method == "full" else 4
    passes += 2 if checkpointing(recipe) else 0
    work = passes * (shape.matrices + share * shape.vocabulary * shape.hidden)
    return tokens * work / speed(device)


def speed(device: Device) -> float:
    """Return the operations a second that products of this size reach here now, measured for a moment."""
    import torch

    kind = torch.bfloat16 if device.bfloat16 else torch.float32
    count, width = (512, 1024) if device.kind == "cpu" else (8192, 4096)
    left = torch.randn(count, width, device=device.kind, dtype=kind)
    right = torch.randn(width, width, device=device.kind, dtype=kind)
    done, began = 0, 0.0
    for turn in range(1000):
        if turn == 2:  # the first ones are slower
            began = time.monotonic()
        left @ right
        if device.kind == "cuda":
            torch.cuda.synchronize()
        if turn >= 2:
            done += 1
            if time.monotonic() - began > 0.2:
                break
    # Norms, attention and the optimiser take as long again, measured on models of 0.1 to 0.5 billion weights.
    return 0.5 * done * 2 * count * width * width / max(1e-9, time.monotonic() - began)


def check_memory(recipe: Recipe, config: Any, samples: Sequence[Sample], found: Estimate) -> None:
    """Refuse a run that does not fit into memory.

    Raises:
        InputError: naming what is needed, what is there, and what would fit.
    """
    if found.total <= found.free:
        return
    fits = _what_fits(recipe, config, samples)
    raise InputError(
        f"training needs about {found.total / 1e9:.1f} GB of memory and {found.free / 1e9:.1f} GB are free: "
        + (f"with {fits} it would fit" if fits else "take a smaller model, or a larger machine")
    )


def _what_fits(recipe: Recipe, config: Any, samples: Sequence[Sample]) -> str:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("gradient_checkpointing: true", {"gradient_checkpointing": True}),
        ("micro_batch_size: 1", {"micro_batch_size": 1}),
        (f"max_tokens: {recipe.max_tokens // 2}", {"max_tokens": recipe.max_tokens // 2}),
    ]
    if recipe.method == "full":
        changes.append(("method: lora", {"method": "lora"}))
    tried, said = recipe, list[str]()
    for name, change in changes:
        if all(getattr(tried, key) == value for key, value in change.items()):
            continue
        tried, said = replace(tried, **change), [*said, name]
        short = [replace(each, ids=each.ids[: tried.max_tokens]) for each in samples]
        found = estimate(tried, config, short, len(short))
        if found.total <= found.free:
            return ", ".join(said)
    return ""

"""What a run will take, and the refusal of what cannot succeed, before a weight is loaded."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from typing import Final

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.devices import Device, launched, this_device
from opencodeinterpreter.training.estimate import Estimate, check_memory, estimate
from opencodeinterpreter.training.preparing import Prepared
from opencodeinterpreter.training.recipe import Recipe

_FREE_DISK: Final = 200_000_000
"""Bytes that a run leaves free."""


def estimated(prepared: Prepared) -> Estimate:
    """Return what the run will take."""
    return estimate(prepared.recipe, prepared.config, prepared.train.samples, len(prepared.rows))


def check(prepared: Prepared, found: Estimate) -> None:
    """Refuse what cannot succeed, before a weight is loaded.

    Raises:
        InputError: too little memory or disk space, a method that this machine cannot do or this base cannot have, or
            a step that the devices cannot share.
    """
    recipe, device = prepared.recipe, this_device()
    if recipe.method == "qlora":
        _check_four_bits(prepared, device)
    if recipe.attention.startswith("flash") and device.kind != "cuda":
        raise InputError(f"attention: {recipe.attention} needs a GPU; here, take attention: auto")
    if device.count > 1 and launched() == 1:
        raise InputError(
            "there are several GPUs: start the run by accelerate launch (docs/training.md), or show it one of them "
            "with CUDA_VISIBLE_DEVICES=0"
        )
    _check_shares(recipe)
    check_memory(recipe, prepared.config, prepared.train.samples, found)
    _check_disk(recipe, found)


def _check_four_bits(prepared: Prepared, device: Device) -> None:
    if prepared.base.gguf is not None:
        raise InputError(
            f"method: qlora cannot begin from a GGUF file, and {prepared.base.name} is one: take method: lora, or name "
            f"as model the checkpoint that the file was made from, a folder or a repository of the hub"
        )
    if device.kind != "cuda":
        raise InputError("method: qlora needs a GPU that bitsandbytes knows; here, take method: lora")
    if importlib.util.find_spec("bitsandbytes") is None:
        raise InputError("method: qlora needs bitsandbytes: pip install bitsandbytes")


def _check_shares(recipe: Recipe) -> None:
    """A step of other than the dialogs that the recipe names would be another run, and nothing would tell."""
    devices = launched()
    at_once = recipe.micro_batch_size * devices
    below = recipe.batch_size // at_once * at_once
    if below != recipe.batch_size:
        either = f"{below} or {below + at_once}" if below else str(at_once)
        raise InputError(
            f"batch_size: {recipe.batch_size} cannot be shared evenly by {devices} devices that take "
            f"{recipe.micro_batch_size} at a time (micro_batch_size): take {either}"
        )


def _check_disk(recipe: Recipe, found: Estimate) -> None:
    # A checkpoint holds the trained weights and two numbers of the optimiser for each; the model itself comes last.
    needed = found.trained * 12 * (recipe.keep_checkpoints + 1) + found.trained * 4 + _FREE_DISK
    parent = Path(recipe.output).expanduser().absolute()
    while not parent.exists():
        parent = parent.parent
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise InputError(
            f"{recipe.output} needs about {needed / 1e9:.1f} GB of disk space and {free / 1e9:.1f} GB are free: take "
            f"another folder, keep_checkpoints: 1, or method: lora"
        )

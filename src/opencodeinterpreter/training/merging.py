"""From the folder of a run to a whole model: adapters merged into the weights that they were trained beside."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import InputError, ModelFileError
from opencodeinterpreter.training.base_model import Base, config_of, find_base, libraries, tokenizer_of, weights_of

_ADAPTER: Final = "adapter_config.json"
_ORIGIN: Final = "ocint.json"


@dataclass(frozen=True)
class Tuned:
    """A tuned model on the disk."""

    folder: Path
    adapter: bool
    """whether the folder holds only an adapter"""
    base: Base
    """what an adapter belongs to; else the model itself"""
    source: Base
    """where tokenizer and vocabulary are taken from: the model that training began from, where it is known"""


def find_tuned(name: str, base: str | None = None) -> Tuned:
    """Find the folder of a run, of an adapter, or of a model.

    Args:
        name: the folder; of a run, its output or the ``model`` in it.
        base: what an adapter belongs to; None for what it says itself.

    Raises:
        InputError: if there is nothing to export, or the adapter belongs to another base.
        ModelError: if the base cannot be had.
    """
    folder = Path(name).expanduser()
    if (folder / "model").is_dir():
        folder = folder / "model"
    elif (folder / "run.json").exists():
        raise InputError(f"the run in {folder} is not finished: ocint train run goes on with it")
    if (folder / _ADAPTER).is_file():
        found = _base_of(folder, base)
        check_adapter(folder, found)
        return Tuned(folder, True, found, found)
    model = find_base(name if not folder.exists() else str(folder))
    return Tuned(folder, False, model, _source_of(folder, model))


def _base_of(folder: Path, given: str | None) -> Base:
    if given is not None:
        return find_base(given)
    origin = _origin(folder)
    if origin:
        found = find_base(str(origin["base"]))
        if origin.get("sha256") not in (None, found.sha256):
            raise InputError(f"{found.name} is no longer the file that the adapter in {folder} was trained beside")
        return found
    row = json.loads((folder / _ADAPTER).read_text(encoding="utf-8"))
    named = row.get("base_model_name_or_path")
    if not named:
        raise InputError(f"the adapter in {folder} does not say which model it belongs to: name it with --base")
    return find_base(str(named))


def _source_of(folder: Path, model: Base) -> Base:
    """Return the GGUF file that training began from, whose vocabulary can be carried over as it is."""
    origin = _origin(folder)
    if not origin or not origin.get("sha256"):
        return model
    try:
        found = find_base(str(origin["base"]))
    except ModelFileError:
        return model
    return found if found.sha256 == origin["sha256"] else model


def _origin(folder: Path) -> dict[str, Any]:
    path = folder / _ORIGIN
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def check_adapter(folder: Path, base: Base) -> None:
    """Compare the shapes of an adapter with those of its base, without loading either.

    Raises:
        InputError: if the adapter is for another model.
    """
    libraries()
    import peft
    import torch
    import transformers

    with torch.device("meta"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks of the library about itself
        model = transformers.AutoModelForCausalLM.from_config(config_of(base))
    layers = dict(model.named_modules())
    path = folder / "adapter_model.safetensors"
    if not path.is_file():
        raise InputError(f"the adapter in {folder} is not whole: it has no {path.name}")
    for key, tensor in peft.load_peft_weights(str(folder), device="cpu").items():
        name, _, side = key.removeprefix("base_model.model.").partition(".lora_")
        layer = layers.get(name)
        if layer is None or not hasattr(layer, "in_features"):
            raise InputError(f"the adapter in {folder} is for another model than {base.name}, which has no {name}")
        inner, outer = (tensor.shape[1], layer.in_features), (tensor.shape[0], layer.out_features)
        first, second = inner if side.startswith("A") else outer
        if first != second:
            raise InputError(
                f"the adapter in {folder} is for another model than {base.name}: {name} is of size {second} there, "
                f"{first} in the adapter"
            )


def merged(tuned: Tuned) -> tuple[Any, Any]:
    """Return the whole model in 32 bits, and its tokenizer.

    Raises:
        ModelError: if it cannot be loaded.
    """
    libraries()
    import torch

    model = weights_of(tuned.base, dtype=torch.float32)
    tokenizer = tokenizer_of(Base(tuned.base.name, str(tuned.folder)) if _has_tokenizer(tuned) else tuned.base)
    if tuned.adapter:
        import peft

        model = peft.PeftModel.from_pretrained(model, tuned.folder).merge_and_unload()
    end = tokenizer.eos_token_id
    if end is not None:
        model.generation_config.eos_token_id = end
        model.config.eos_token_id = end
    return model.eval(), tokenizer


def _has_tokenizer(tuned: Tuned) -> bool:
    return (tuned.folder / "tokenizer_config.json").is_file()


def save_merged(tuned: Tuned, model: Any, tokenizer: Any, out: Path) -> None:
    """Write a folder that the ``transformers`` library and every engine that reads its form can load, in 16 bits.

    Raises:
        InputError: if the folder holds something already.
    """
    import torch

    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty: name another folder")
    new = out.with_name(out.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    model.to(torch.bfloat16).save_pretrained(new)
    model.to(torch.float32)
    tokenizer.save_pretrained(new)
    for name in ("README.md", _ORIGIN):
        if (tuned.folder / name).is_file() and tuned.folder.resolve() != out.resolve():
            shutil.copy(tuned.folder / name, new / name)
    if out.exists():
        out.rmdir()
    new.rename(out)

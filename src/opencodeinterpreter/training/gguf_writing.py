"""GGUF files for the embedded engine, of models and of their adapters.

Own code on the ``gguf`` package; why, is in docs/decisions. Other models: llama.cpp's own converter reads the folder
that ``ocint export --form folder`` writes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.gguf_quantising import file_type, kind_for, quantised
from opencodeinterpreter.training.gguf_shapes import (
    check_kind,
    engine_only_weights,
    engine_weight,
    tensor_names,
    write_shape,
)
from opencodeinterpreter.training.gguf_vocabulary import write_vocabulary


def write_model(path: Path, model: Any, tokenizer: Any, kind: str, name: str, source: Path | None = None) -> None:
    """Write a whole model.

    Args:
        path: the file, which is there only when all of it is.
        model: in memory, in 32 bits.
        tokenizer: with the chat template by which the model was trained.
        kind: of most weights: ``q8_0``, ``f16`` …
        name: what the model calls itself.
        source: a GGUF file with the same vocabulary.

    Raises:
        InputError: if the model is of a kind that cannot be written.
    """
    import gguf

    config = model.config
    architecture = check_kind(config)
    new = path.with_name(path.name + ".new")
    writer = gguf.GGUFWriter(new, architecture)
    writer.add_type("model")
    writer.add_name(name)
    writer.add_file_type(file_type(kind))
    write_shape(writer, config)
    write_vocabulary(writer, tokenizer, source, config.vocab_size)
    names = tensor_names(config)
    for written, array in engine_only_weights(config):
        writer.add_tensor(written, array)
    for key, tensor in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        written = _name(names, key)
        array = engine_weight(key, tensor.float().numpy(), config)
        if array.ndim < 2:
            writer.add_tensor(written, array)
            continue
        layer = int(match.group(1)) if (match := re.match(r"blk\.(\d+)\.", written)) else -1
        chosen = kind_for(kind, written, array.shape[1], layer, config.num_hidden_layers)
        writer.add_tensor(written, quantised(array, chosen), raw_dtype=chosen)
    _close(writer, new, path)


def write_adapter(path: Path, folder: Path, config: Any, name: str) -> None:
    """Write a low-rank adapter, which the embedded engine applies to a GGUF file of its base.

    Raises:
        InputError: if the base is of a kind that is not known, or the adapter has more than such matrices.
    """
    import gguf
    import peft

    architecture = check_kind(config)
    shape = json.loads((folder / "adapter_config.json").read_text(encoding="utf-8"))
    if shape.get("use_dora") or shape.get("modules_to_save") or shape.get("use_rslora"):
        raise InputError(f"the adapter in {folder} is not a plain one: merge it (--form gguf)")
    new = path.with_name(path.name + ".new")
    writer = gguf.GGUFWriter(new, architecture)
    writer.add_type("adapter")
    writer.add_name(name)
    writer.add_string("adapter.type", "lora")
    writer.add_float32("adapter.lora.alpha", float(shape["lora_alpha"]))
    names = tensor_names(config)
    for key, tensor in peft.load_peft_weights(str(folder), device="cpu").items():
        array = tensor.float().numpy()
        layer, _, side = key.removeprefix("base_model.model.").partition(".lora_")
        written = _name(names, f"{layer}.weight")
        if side[:1] == "B":
            array = engine_weight(f"{layer}.weight", array, config)
        writer.add_tensor(f"{written}.lora_{side[:1].lower()}", array)
    _close(writer, new, path)


def _close(writer: Any, new: Path, path: Path) -> None:
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    new.replace(path)


def _name(names: Any, key: str) -> str:
    found = names.get_name(key, try_suffixes=(".weight", ".bias"))
    if found is None:
        raise InputError(f"the model has weights that GGUF has no name for: {key}")
    return str(found)

"""GGUF files for the embedded engine, of models built like Llama and Qwen2 and of their adapters.

Own code on the ``gguf`` package; why, is in docs/decisions. Other models: llama.cpp's own converter reads the folder
that ``ocint export --form folder`` writes.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.gguf_quantising import file_type, kind_for, quantised
from opencodeinterpreter.training.gguf_vocabulary import write_vocabulary

_ARCHITECTURES: Final = {"llama": "LLAMA", "qwen2": "QWEN2"}


def check_kind(config: Any) -> str:
    """Return what the engine calls this kind of model.

    Raises:
        InputError: if it cannot be written here.
    """
    kind = str(config.model_type)
    if kind not in _ARCHITECTURES:
        raise InputError(
            f"models of the kind {kind} cannot be written as GGUF here (known are {', '.join(_ARCHITECTURES)}): "
            f"export a folder (--form folder) and convert that with llama.cpp's convert_hf_to_gguf.py"
        )
    rope = _rope(config)
    if rope.get("rope_type", "default") not in ("default", "linear"):
        raise InputError(
            f"positions scaled by {rope['rope_type']} cannot be written as GGUF here: export a folder (--form folder) "
            f"and convert that with llama.cpp's convert_hf_to_gguf.py"
        )
    return kind


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
    _write_shape(writer, config)
    write_vocabulary(writer, tokenizer, source, config.vocab_size)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[_ARCHITECTURES[architecture]], config.num_hidden_layers)
    for key, tensor in model.state_dict().items():
        if key == "lm_head.weight" and config.tie_word_embeddings:
            continue
        written = _name(names, key)
        array = _turned(key, tensor.float().numpy(), config)
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
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH[_ARCHITECTURES[architecture]], config.num_hidden_layers)
    for key, tensor in peft.load_peft_weights(str(folder), device="cpu").items():
        array = tensor.float().numpy()
        layer, _, side = key.removeprefix("base_model.model.").partition(".lora_")
        written = _name(names, f"{layer}.weight")
        if side[:1] == "B":
            array = _turned(f"{layer}.weight", array, config)
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


def _turned(key: str, array: Any, config: Any) -> Any:
    """Return queries and keys of Llama models in the order in which the engine turns them by position."""
    match = re.search(r"self_attn\.([qk])_proj\.(?:weight|bias)$", key)
    if config.model_type != "llama" or match is None:
        return array
    heads = config.num_attention_heads if match.group(1) == "q" else config.num_key_value_heads
    split = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return split.swapaxes(1, 2).reshape(array.shape)


def _rope(config: Any) -> dict[str, Any]:
    found = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    return dict(found)


def _write_shape(writer: Any, config: Any) -> None:
    import gguf

    heads = config.num_attention_heads
    size = getattr(config, "head_dim", None) or config.hidden_size // heads
    rope = _rope(config)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(float(rope.get("rope_theta") or getattr(config, "rope_theta", None) or 10000.0))
    writer.add_vocab_size(config.vocab_size)
    if rope.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(rope["factor"]))

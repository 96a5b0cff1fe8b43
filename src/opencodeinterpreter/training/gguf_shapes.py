"""What the embedded engine must be told of each kind of model: its sizes, its positions, how its weights are kept.

Source: ``llama_model::load_hparams`` and the graphs of each architecture in llama.cpp.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from opencodeinterpreter.errors import InputError

_ARCHITECTURES: Final = {"llama": "LLAMA", "qwen2": "QWEN2", "starcoder2": "STARCODER2", "gemma": "GEMMA"}
_FREQUENCIES: Final = "rope_freqs.weight"


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
    scaled = _rope(config).get("rope_type", "default")
    if scaled not in ("default", "linear", "llama3"):
        raise InputError(
            f"positions scaled by {scaled} cannot be written as GGUF here: export a folder (--form folder) "
            f"and convert that with llama.cpp's convert_hf_to_gguf.py"
        )
    if kind == "gemma" and not config.tie_word_embeddings:
        raise InputError("a Gemma model with a matrix of its own for its output cannot be written as GGUF")
    return kind


def tensor_names(config: Any) -> Any:
    """Return the map from names of weights to those that GGUF has for them."""
    import gguf

    return gguf.get_tensor_name_map(gguf.MODEL_ARCH[_ARCHITECTURES[config.model_type]], config.num_hidden_layers)


def write_shape(writer: Any, config: Any) -> None:
    """Add the sizes of a model to a file's head."""
    import gguf

    heads = config.num_attention_heads
    rope = _rope(config)
    size = _head_size(config)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(size)
    writer.add_value_length(size)
    if config.model_type == "starcoder2":
        writer.add_layer_norm_eps(config.norm_epsilon)
    else:
        writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_dimension_count(size)
    writer.add_rope_freq_base(_base(config))
    writer.add_vocab_size(config.vocab_size)
    if rope.get("rope_type") == "linear":
        writer.add_rope_scaling_type(gguf.RopeScalingType.LINEAR)
        writer.add_rope_scaling_factor(float(rope["factor"]))


def engine_weight(key: str, array: Any, config: Any) -> Any:
    """Return a weight as the engine keeps it."""
    if config.model_type == "gemma" and key.endswith("norm.weight"):
        return array + 1.0  # which the library adds when it multiplies by it
    match = re.search(r"self_attn\.([qk])_proj\.(?:weight|bias)$", key)
    if config.model_type != "llama" or match is None:
        return array
    # In the order in which the engine turns queries and keys by position.
    heads = config.num_attention_heads if match.group(1) == "q" else config.num_key_value_heads
    split = array.reshape(heads, 2, array.shape[0] // heads // 2, *array.shape[1:])
    return split.swapaxes(1, 2).reshape(array.shape)


def engine_only_weights(config: Any) -> Iterator[tuple[str, Any]]:
    """Yield what the engine reads as weights and the library reckons: how Llama 3.1 and later scale positions.

    Source: ``_compute_llama3_parameters`` in ``transformers/modeling_rope_utils.py``.
    """
    rope = _rope(config)
    if rope.get("rope_type") != "llama3":
        return
    size, factor = _head_size(config), float(rope["factor"])
    low, high = float(rope["low_freq_factor"]), float(rope["high_freq_factor"])
    before = float(rope["original_max_position_embeddings"])
    waves = 2 * math.pi * _base(config) ** (np.arange(0, size, 2, dtype=np.float64) / size)
    # 1 where waves are short, the whole factor where they are long, and in between a part of it.
    share = np.clip((before / waves - low) / (high - low), 0.0, 1.0)
    yield _FREQUENCIES, (1 / ((1 - share) / factor + share)).astype(np.float32)


def _head_size(config: Any) -> int:
    return int(getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads)


def _base(config: Any) -> float:
    return float(_rope(config).get("rope_theta") or getattr(config, "rope_theta", None) or 10000.0)


def _rope(config: Any) -> dict[str, Any]:
    found = getattr(config, "rope_parameters", None) or getattr(config, "rope_scaling", None) or {}
    return dict(found)

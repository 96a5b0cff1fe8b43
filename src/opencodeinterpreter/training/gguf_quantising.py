"""Weights in fewer bits, by the ``gguf`` package, and for the K kinds by the engine itself."""

from __future__ import annotations

import ctypes
from functools import cache
from typing import Any, Final

from opencodeinterpreter.errors import InputError

TYPES: Final = ("q8_0", "f16", "bf16", "q6_k", "q5_k_m", "q4_k_m", "f32")
_FILE_TYPES: Final = {
    "f32": "ALL_F32", "f16": "MOSTLY_F16", "bf16": "MOSTLY_BF16", "q8_0": "MOSTLY_Q8_0", "q6_k": "MOSTLY_Q6_K",
    "q5_k_m": "MOSTLY_Q5_K_M", "q4_k_m": "MOSTLY_Q4_K_M",
}  # fmt: skip
_INSTEAD: Final = {"Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""Where a row is no multiple of the 256 weights of a K block; llama.cpp chooses the same."""


def file_type(name: str) -> int:
    """Return the number by which a GGUF file says what most of it is."""
    import gguf

    return int(gguf.LlamaFileType[_FILE_TYPES[name]])


def kind_for(name: str, tensor: str, width: int, layer: int, layers: int) -> Any:
    """Return the kind in which a matrix is kept.

    Args:
        name: what the file is to be.
        tensor: the matrix, as the file names it.
        width: weights of a row.
        layer: its number; -1 for what belongs to none.
        layers: how many there are.
    """
    import gguf

    chosen = {"q6_k": "Q6_K", "q5_k_m": "Q5_K", "q4_k_m": "Q4_K"}.get(name, name.upper())
    if name in ("q4_k_m", "q5_k_m"):
        # What suffers most from few bits: the head, and in half of the layers what adds to the stream.
        finer = layer < layers // 8 or layer >= 7 * layers // 8 or (layer - layers // 8) % 3 == 2
        if layer < 0 or (finer and tensor.endswith(("attn_v.weight", "ffn_down.weight"))):
            chosen = "Q6_K"
    block = gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[chosen]][0]
    if width % block:
        chosen = _INSTEAD.get(chosen, "F16")
        if width % gguf.GGML_QUANT_SIZES[gguf.GGMLQuantizationType[chosen]][0]:
            chosen = "F16"
    return gguf.GGMLQuantizationType[chosen]


def quantised(weights: Any, kind: Any) -> Any:
    """Return a matrix of 32-bit numbers in the bytes of another kind.

    Raises:
        InputError: for a K kind, if the embedded engine is not there to make it.
    """
    import gguf
    import numpy

    weights = numpy.ascontiguousarray(weights, dtype=numpy.float32)
    if not kind.name.endswith("_K"):
        return gguf.quants.quantize(weights, kind)
    rows, width = weights.shape
    block, size = gguf.GGML_QUANT_SIZES[kind]
    out = numpy.zeros((rows, width // block * size), dtype=numpy.uint8)
    written = _engine().ggml_quantize_chunk(int(kind), weights.ctypes.data, out.ctypes.data, 0, rows, width, None)
    if written != out.nbytes:
        raise InputError(f"the embedded engine cannot make {kind.name}: take another --type")
    return out


@cache
def _engine() -> Any:
    try:
        from xllamacpp import xllamacpp

        library = ctypes.CDLL(xllamacpp.__file__)
        function = library.ggml_quantize_chunk
    except (ImportError, OSError, AttributeError) as error:
        raise InputError("K kinds need the embedded engine, which is not here: take --type q8_0") from error
    function.restype = ctypes.c_size_t
    function.argtypes = [
        ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p,
    ]  # fmt: skip
    return library

"""Linear layers whose weights are kept in 16 bits, for processors that compute in 32 bits only.

Generation reads all weights for each token, so half the bytes are half the time; and for the few rows of a decoding
step FBGEMM's kernel, which unpacks them on the way, is several times as fast as the general product of matrices.
"""

from __future__ import annotations

import warnings
from typing import Any

_ENGINES = ("fbgemm", "x86")
"""of torch, which have the kernel: those for x86 processors"""
_LARGEST = 65_504.0
"""The largest number of 16 bits. A weight beyond it, which no checkpoint known has, would be cut."""


def pack_linears(model: Any) -> int:
    """Keep the weights of all linear layers of a model in 16 bits; sums are of 32 bits as before.

    The model can only be run afterwards: it has no gradients, and cannot be saved. A layer that cannot be packed, and
    every layer where torch lacks the kernel, stays as it is.

    Args:
        model: of the transformers library, with weights of 32 bits on the processor.

    Returns:
        How many layers were packed.
    """
    import torch

    if torch.backends.quantized.engine not in _ENGINES:
        return 0
    packed = 0
    for parent in list(model.modules()):
        for name, layer in list(parent.named_children()):
            if type(layer) is torch.nn.Linear and _fits(layer):
                setattr(parent, name, _packed(layer))
                packed += 1
    return packed


def _fits(layer: Any) -> bool:
    import torch

    if layer.weight.dtype != torch.float32:
        return False
    least, most = torch.aminmax(layer.weight)
    return bool(least >= -_LARGEST and most <= _LARGEST)


def _packed(layer: Any) -> Any:
    """Return a layer that gives what ``layer`` gives, but for the rounding of its weights."""
    import torch

    class HalfWeights(torch.nn.Module):  # type: ignore[misc]
        def __init__(self, linear: Any) -> None:
            # Nothing here may hold on to the layer: its weights of 32 bits are to go.
            super().__init__()
            self.in_features, self.out_features = linear.in_features, linear.out_features
            bias = None if linear.bias is None else linear.bias.detach()
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._weights = torch.ops.quantized.linear_prepack_fp16(linear.weight.detach(), bias)

        def forward(self, rows: Any) -> Any:
            return torch.ops.quantized.linear_dynamic_fp16(rows, self._weights)

    return HalfWeights(layer)

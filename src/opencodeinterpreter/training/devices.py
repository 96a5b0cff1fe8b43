"""What this machine computes with."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any, Final

_BFLOAT16: Final = ("avx512_bf16", "amx_bf16", "bf16")
"""What processors that compute in bfloat16 are said to have."""


@dataclass(frozen=True)
class Device:
    """A processor or an accelerator."""

    kind: str
    """``cuda``, ``mps`` or ``cpu``"""
    name: str
    free_bytes: int
    bfloat16: bool
    """whether it computes in it faster than in 32 bits"""
    count: int = 1
    """how many of them this process can see"""


def this_device() -> Device:
    """Return what training will run on."""
    import psutil
    import torch

    if torch.cuda.is_available():
        free, _ = torch.cuda.mem_get_info()
        return Device(
            "cuda", torch.cuda.get_device_name(), free, torch.cuda.is_bf16_supported(), torch.cuda.device_count()
        )
    free = psutil.virtual_memory().available
    if torch.backends.mps.is_available():
        return Device("mps", "Apple GPU", free, True)
    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return Device("cpu", "the processor", free, any(able.get(name) for name in _BFLOAT16))


def weight_type(method: str, asked: str, device: Device) -> str:
    """Return the kind of numbers in which weights are kept: ``bfloat16`` or ``float32``.

    Weights that are trained stay in 32 bits unless something else is asked for: at a rate of 2e-5 most steps are
    smaller than what 16 bits can tell apart.
    """
    if asked != "auto":
        return asked
    return "bfloat16" if device.bfloat16 and method != "full" else "float32"


def launched() -> int:
    """Return how many processes train together, as the launcher says it."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def sharded() -> int:
    """Return over how many processes the launcher spreads weights and what belongs to them."""
    spread = any(os.environ.get(f"ACCELERATE_USE_{name}", "false") == "true" for name in ("FSDP", "DEEPSPEED"))
    return launched() if spread else 1

"""Whether a kind of model keeps packed samples apart: proved on a small one, before it is relied on."""

from __future__ import annotations

import warnings
from typing import Any, Final

import torch

from opencodeinterpreter.errors import InputError

_VOCABULARY: Final = 128
_INNER: Final = 256


def check_separation(config: Any, attention: str, device: Any, name: str) -> None:
    """Refuse to pack samples for a model whose attention would mix them.

    A small model stands for it, with the same code, attention and device. The model itself would not do: where several
    processes share its weights only one of them has them before training begins, and then on the processor, where
    flash attention does not run.

    Args:
        config: the model's configuration.
        attention: as the recipe says it.
        device: on which it will be trained.
        name: of the model.

    Raises:
        InputError: if its samples would see each other, or there is no such attention here.
    """
    try:
        model = _small(config, attention, device)
    except (ImportError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"attention: {attention} cannot be had with {name}: {reason}") from error
    if not separates(model, _VOCABULARY):
        raise InputError(f"packing: true cannot be had with {name}: its attention mixes packed dialogs")


def _small(config: Any, attention: str, device: Any) -> Any:
    """Return a model of the same kind with a layer of each of its types; its attention is as wide as the model's."""
    import transformers

    text = config.get_text_config()
    layers = text.num_hidden_layers
    types = list(getattr(text, "layer_types", None) or [""])
    kept = 1 + max(types.index(each) for each in types)
    row = {
        # Some say of each layer what it is, under several names.
        key: value[:kept] if isinstance(value, list) and len(value) == layers else value
        for key, value in text.to_dict().items()
    }
    row |= {"num_hidden_layers": kept, "vocab_size": _VOCABULARY, "intermediate_size": _INNER}
    row |= {"pad_token_id": None, "bos_token_id": None, "eos_token_id": None}
    # Wide enough for attention to weigh as much as what passes it by.
    row |= {"initializer_range": text.hidden_size**-0.5}
    row.pop("quantization_config", None)
    options: dict[str, Any] = {} if attention == "auto" else {"attn_implementation": attention}
    # Flash attention takes 16 bits, of which these round less than the others.
    options["dtype"] = torch.float16 if attention.startswith("flash") else torch.float32
    with torch.device(device), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # remarks of the library about itself
        model = transformers.AutoModelForCausalLM.from_config(type(text).from_dict(row), **options)
    return model.to(device)


def separates(model: Any, vocabulary: int, tolerance: float = 0.05) -> bool:
    """Return whether the model computes the same for samples in one row as for each alone.

    Args:
        model: any that the library loads.
        vocabulary: how many tokens it knows.
        tolerance: the largest difference of logits, relative to their spread; rounding in 16 bits stays below.
    """
    # Tokens spread over the vocabulary, two samples that share none.
    drawn = [[(7 + 31 * place * (1 + which)) % vocabulary for place in range(11 + which)] for which in (0, 1)]
    training, device = model.training, next(model.parameters()).device
    model.eval()
    try:
        with torch.no_grad():
            together = {
                "input_ids": torch.tensor([[*drawn[0], *drawn[1]]], device=device),
                "position_ids": torch.tensor([[*range(len(drawn[0])), *range(len(drawn[1]))]], device=device),
            }
            packed = model(**together, use_cache=False).logits.float()[0]
            alone = torch.cat(
                [
                    model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits.float()[0]
                    for ids in drawn
                ]
            )
    finally:
        model.train(training)
    return bool((packed - alone).abs().max() <= tolerance * alone.std())

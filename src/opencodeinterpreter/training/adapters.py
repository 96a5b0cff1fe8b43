"""Low-rank adapters: small matrices beside frozen weights."""

from __future__ import annotations

from typing import Any

from opencodeinterpreter.training.recipe import Recipe


def with_adapter(model: Any, recipe: Recipe) -> Any:
    """Return the model with a fresh adapter, which alone is trained; it changes nothing before its first step.

    Raises:
        InputError: if the model has no layer of the names that the recipe gives.
    """
    import peft

    from opencodeinterpreter.errors import InputError

    targets = recipe.lora.targets
    shape = peft.LoraConfig(
        r=recipe.lora.rank,
        lora_alpha=recipe.lora.alpha,
        lora_dropout=recipe.lora.dropout,
        target_modules=targets if isinstance(targets, str) else list(targets),
        task_type="CAUSAL_LM",
    )
    try:
        return peft.get_peft_model(model, shape)
    except ValueError as error:
        if "target modules" not in str(error).lower():
            raise
        raise InputError(f"lora.targets in the recipe fits no layer of the model: {targets}") from error

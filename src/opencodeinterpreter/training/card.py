"""The card of a tuned model: from what, on what and how it was trained, and what came of it."""

from __future__ import annotations

import importlib.metadata
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from opencodeinterpreter import __version__

if TYPE_CHECKING:
    from opencodeinterpreter.training.preparing import Prepared
    from opencodeinterpreter.training.running import Finished


def write_card(path: Path, prepared: Prepared, finished: Finished) -> None:
    """Write the card of a run as Markdown."""
    adapter = prepared.recipe.method != "full"
    parts = [
        _head(prepared, adapter),
        f"# {Path(prepared.recipe.output).name}",
        f"{'A low-rank adapter for' if adapter else 'Tuned from'} `{prepared.base.name}`, by OpenCodeInterpreter "
        f"{__version__}.",
        _origin(prepared),
        "## Data",
        _data(prepared),
        "## Settings",
        _settings(prepared),
        "## Results",
        _results(finished),
        "![Loss over steps](../loss.svg)",
        "Loss is not skill: what the model can do is measured by `ocint eval run`.",
    ]
    path.write_text("\n\n".join(part for part in parts if part) + "\n", encoding="utf-8")


def _head(prepared: Prepared, adapter: bool) -> str:
    lines = [f"base_model: {_quoted(prepared.base.name)}", f"library_name: {'peft' if adapter else 'transformers'}"]
    return "\n".join(["---", *lines, "pipeline_tag: text-generation", "tags: [code, code-feedback]", "---"])


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _origin(prepared: Prepared) -> str:
    base = prepared.base
    if base.gguf is None:
        return ""
    return (
        f"Training began from the weights of the GGUF file `{base.gguf.name}` (SHA-256 `{base.sha256}`), dequantised: "
        f"what its quantisation had lost was lost from the start."
    )


def _data(prepared: Prepared) -> str:
    rows = [[source.name, f"{source.dialogs:,}", f"`{source.sha256}`"] for source in prepared.corpus.sources]
    train, held_out = prepared.train, prepared.held_out
    said = [
        _table(["source", "dialogs", "SHA-256"], rows),
        f"Of these, {prepared.corpus.mixed} were taken: {len(prepared.corpus.train):,} to train on and "
        f"{len(prepared.corpus.held_out):,} held out.",
        f"Trained on {len(train.samples):,} dialogs, {train.tokens:,} tokens, of which {train.targets:,} count; "
        f"{train.shortened:,} dialogs lost messages at their end to fit.",
    ]
    dropped: Counter[str] = train.dropped + held_out.dropped
    if dropped:
        said.append(
            "Left out: " + ", ".join(f"{count:,} with {reason}" for reason, count in dropped.most_common()) + "."
        )
    return "\n\n".join(said)


def _settings(prepared: Prepared) -> str:
    recipe = prepared.recipe
    row: dict[str, Any] = {
        "method": recipe.method,
        "chat template": f"{prepared.chat.name}, a turn ends with `{prepared.chat.end}`",
        "turns that count": recipe.train_on + (", and execution results" if recipe.observations else ""),
        "epochs": recipe.epochs,
        "most steps": recipe.max_steps or "no limit",
        "learning rate": f"{recipe.rate:g}, {recipe.schedule}, warm-up {recipe.warmup:g}",
        "batch": f"{recipe.batch_size} {'packs' if recipe.packing else 'dialogs'} a step",
        "longest dialog": f"{recipe.max_tokens} tokens",
        "mix": recipe.data.ratio or "all",
        "weight decay": recipe.weight_decay,
        "gradient norm": recipe.max_grad_norm,
        "seed": recipe.seed,
    }
    if recipe.method != "full":
        row["adapter"] = f"rank {recipe.lora.rank}, alpha {recipe.lora.alpha}, {recipe.lora.targets}"
    row["versions"] = ", ".join(
        f"{name} {importlib.metadata.version(name)}" for name in ("torch", "transformers", "peft", "accelerate")
    )
    return _table(["setting", "value"], [[name, str(value)] for name, value in row.items()])


def _results(finished: Finished) -> str:
    said = [
        f"{finished.steps:,} steps in {finished.seconds / 60:.1f} minutes (of the last run, if it was interrupted)."
    ]
    if finished.losses:
        said.append(f"Training loss: {finished.losses[0][1]:.4f} at first, {finished.losses[-1][1]:.4f} at last.")
    if finished.held_out:
        first, last = finished.held_out[0], finished.held_out[-1]
        said.append(f"Held-out loss: {first[1]:.4f} at step {first[0]}, {last[1]:.4f} at step {last[0]}.")
    return "\n".join(said)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    return "\n".join([*lines, *(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)])

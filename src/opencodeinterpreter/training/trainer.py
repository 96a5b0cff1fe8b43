"""The library's trainer, with the loss over the tokens that count, and checkpoints that are whole or not there."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, Final

import torch
import transformers

from opencodeinterpreter.training.masking import IGNORED

_WHOLE: Final = "complete"
"""A file in a checkpoint's folder, written last."""


class TargetTrainer(transformers.Trainer):  # type: ignore[misc, unused-ignore]
    """``transformers.Trainer`` whose loss is the mean over all tokens of the optimiser step that count.

    The head of the model, which for small models is a third of the work, is computed for those tokens only.
    """

    def __init__(self, *args: Any, keep_checkpoints: int = 2, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The loss is divided by the tokens of the whole step here, so it must not be divided by micro-batches again.
        self.model_accepts_loss_kwargs = True
        self.tokens_seen = 0
        """tokens, padding left out, that went through the model on this device in training"""
        self._keep = keep_checkpoints
        self._judged = [0.0, 0.0]

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        inputs = dict(inputs)
        labels = inputs.pop("labels")
        targets = labels[:, 1:]
        counts = targets != IGNORED
        wanted = torch.zeros_like(labels, dtype=torch.bool)
        wanted[:, :-1] = counts
        outputs = model(**inputs, logits_to_keep=wanted, use_cache=False)
        total = torch.nn.functional.cross_entropy(outputs.logits.float(), targets[counts], reduction="sum")
        if model.training:
            mask = inputs.get("attention_mask")
            self.tokens_seen += int(labels.numel() if mask is None else mask.sum())
            count = counts.sum() if num_items_in_batch is None else num_items_in_batch
            loss = total / count
            if num_items_in_batch is not None and self.args.average_tokens_across_devices:
                # Gradients are averaged over devices afterwards; the count is that of all devices.
                loss = loss * self.accelerator.num_processes
        else:
            self._judged[0] += float(total)
            self._judged[1] += float(counts.sum())
            loss = total / counts.sum()
        return (loss, outputs) if return_outputs else loss

    def evaluate(self, *args: Any, **kwargs: Any) -> dict[str, float]:
        """Return the loss over all tokens that count, not over batches, some of which hold more of them."""
        self._judged = [0.0, 0.0]
        with torch.random.fork_rng():
            return dict(super().evaluate(*args, **kwargs))

    def log(self, logs: dict[str, float], *args: Any, **kwargs: Any) -> None:
        if "eval_loss" in logs:
            both = self.accelerator.reduce(torch.tensor(self._judged, device=self.args.device), "sum")
            logs["eval_loss"] = float(both[0] / both[1])
        super().log(logs, *args, **kwargs)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        super()._save_checkpoint(model, trial)
        self.accelerator.wait_for_everyone()
        if self.args.should_save:
            folder = Path(self.args.output_dir)
            mark_whole(folder / f"checkpoint-{self.state.global_step}")
            for old in checkpoints(folder)[: -self._keep]:
                shutil.rmtree(old)


def mark_whole(folder: Path) -> None:
    """Note that everything of a checkpoint is on the disk."""
    for path in [*(each for each in folder.rglob("*") if each.is_file()), folder]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    (folder / f"{_WHOLE}.new").touch()
    (folder / f"{_WHOLE}.new").rename(folder / _WHOLE)


def checkpoints(folder: Path) -> list[Path]:
    """Return the whole checkpoints of a folder, the oldest first."""
    found = [path for path in folder.glob("checkpoint-*") if (path / _WHOLE).exists()]
    return sorted(found, key=lambda path: int(path.name.rpartition("-")[2]))


def remove_torn(folder: Path) -> None:
    """Remove checkpoints whose writing was interrupted."""
    for path in folder.glob("checkpoint-*"):
        if not (path / _WHOLE).exists():
            shutil.rmtree(path)

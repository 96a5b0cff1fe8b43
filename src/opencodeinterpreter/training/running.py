"""One training run, from what was prepared to a folder with the tuned model."""

from __future__ import annotations

import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencodeinterpreter import __version__
from opencodeinterpreter.errors import MissingExtraError
from opencodeinterpreter.training.base_model import weights_of
from opencodeinterpreter.training.card import write_card
from opencodeinterpreter.training.claiming import claim
from opencodeinterpreter.training.devices import Device, launched, this_device, weight_type
from opencodeinterpreter.training.estimate import checkpointing
from opencodeinterpreter.training.plots import loss_plot
from opencodeinterpreter.training.preparing import Prepared
from opencodeinterpreter.training.recipe import Recipe


@dataclass(frozen=True)
class Finished:
    """What a run has made."""

    model: Path
    """the folder of the tuned model, or of its adapter"""
    steps: int
    losses: tuple[tuple[int, float], ...]
    """step and training loss"""
    held_out: tuple[tuple[int, float], ...]
    """step and evaluation loss"""
    seconds: float


def train(prepared: Prepared, progress: Any, *, restart: bool = False) -> Finished:
    """Train, or go on with what was interrupted; the result is the same.

    Args:
        prepared: what is trained on what.
        progress: a ``watching.Progress``.
        restart: begin anew even if there is something to go on with.

    Raises:
        InputError: if the folder holds another run or a finished one, or the model mixes packed samples.
        ModelError: if the model cannot be loaded, or the loss is no number any more.
    """
    recipe = prepared.recipe
    output = Path(recipe.output).expanduser()
    import accelerate
    import transformers

    from opencodeinterpreter.training.trainer import TargetTrainer, checkpoints, remove_torn
    from opencodeinterpreter.training.watching import Watch

    device = this_device()
    # Without a GPU it has to be told, else each process takes itself for the only one.
    together = accelerate.PartialState(cpu=device.kind == "cpu")
    if recipe.packing:
        from opencodeinterpreter.training.separation import check_separation

        check_separation(prepared.config, recipe.attention, together.device, prepared.base.name)
    if together.is_main_process:
        claim(output, prepared, restart)
        remove_torn(output)
    together.wait_for_everyone()
    transformers.set_seed(recipe.seed)
    with warnings.catch_warnings():
        # Remarks of the libraries about themselves and each other.
        warnings.simplefilter("ignore")
        trainer = _trainer(TargetTrainer, prepared, _model(prepared, device), device, output)
        trainer.add_callback(Watch(progress, lambda: trainer.tokens_seen))
        _add_tensorboard(trainer, output)
        whole = checkpoints(output)
        result = trainer.train(resume_from_checkpoint=str(whole[-1]) if whole else None)
        if prepared.held_out.samples and not _judged_at(trainer.state):
            trainer.evaluate()
        finished = _keep(trainer, prepared, output, result.metrics.get("train_runtime", 0.0))
    # A process that ends while the threads of its group still run is aborted.
    together.wait_for_everyone()
    together.destroy_process_group()
    return finished


def _model(prepared: Prepared, device: Device) -> Any:
    import torch

    recipe = prepared.recipe
    options: dict[str, Any] = {"dtype": getattr(torch, weight_type(recipe.method, recipe.dtype, device))}
    if recipe.attention != "auto":
        options["attn_implementation"] = recipe.attention
    if recipe.method == "qlora":
        import transformers

        options["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16 if device.bfloat16 else torch.float16,
        )
    model = weights_of(prepared.base, **options)
    # The library asks for a token to stop at and one to fill with; those of the dialogs are what is trained.
    model.generation_config.eos_token_id = prepared.tokenizer.convert_tokens_to_ids(prepared.chat.end)
    if recipe.method == "full":
        return model
    if recipe.method == "qlora":
        import peft

        model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=checkpointing(recipe))
    from opencodeinterpreter.training.adapters import with_adapter

    model = with_adapter(model, recipe)
    if checkpointing(recipe):
        model.enable_input_require_grads()
    if _mixed(recipe, device):
        for layer in model.modules():
            if hasattr(layer, "cast_input_dtype_enabled"):
                # Products are computed in 16 bits anyway; inputs turned into 32 bits before took as long again.
                layer.cast_input_dtype_enabled = False
    return model


def _mixed(recipe: Recipe, device: Device) -> bool:
    """Return whether products are computed in bfloat16, whatever the weights are kept in."""
    return device.bfloat16 and recipe.dtype != "float32"


def _trainer(kind: Any, prepared: Prepared, model: Any, device: Device, output: Path) -> Any:
    import transformers

    from opencodeinterpreter.training.packing import Collator, Rows

    recipe = prepared.recipe
    held_out = bool(prepared.held_out.samples)
    arguments = transformers.TrainingArguments(
        output_dir=str(output),
        num_train_epochs=recipe.epochs,
        max_steps=recipe.max_steps or -1,
        learning_rate=recipe.rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,  # a share, where it is below 1
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.max_grad_norm,
        per_device_train_batch_size=recipe.micro_batch_size,
        per_device_eval_batch_size=recipe.micro_batch_size,
        gradient_accumulation_steps=recipe.batch_size // recipe.micro_batch_size // launched(),
        gradient_checkpointing=checkpointing(recipe),
        bf16=_mixed(recipe, device),
        train_sampling_strategy="group_by_length" if recipe.micro_batch_size > 1 and not recipe.packing else "random",
        logging_steps=recipe.log_steps,
        # The library would hide a loss that is not a number by showing the one before.
        logging_nan_inf_filter=False,
        save_steps=recipe.save_steps,
        save_total_limit=None,
        eval_strategy="steps" if held_out else "no",
        eval_steps=(recipe.eval_steps or recipe.save_steps) if held_out else None,
        prediction_loss_only=True,
        remove_unused_columns=False,
        dataloader_pin_memory=device.kind == "cuda",
        disable_tqdm=True,
        report_to=[],
        seed=recipe.seed,
        data_seed=recipe.seed,
        use_cpu=device.kind == "cpu",
    )
    tokenizer = prepared.tokenizer
    fill = next(each for each in (tokenizer.pad_token_id, tokenizer.eos_token_id, 0) if each is not None)
    trainer = kind(
        model=model,
        args=arguments,
        train_dataset=Rows(prepared.rows),
        eval_dataset=Rows([[sample] for sample in prepared.held_out.samples]) if held_out else None,
        data_collator=Collator(fill, packed=recipe.packing),
        keep_checkpoints=recipe.keep_checkpoints,
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def _add_tensorboard(trainer: Any, output: Path) -> None:
    import transformers

    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise MissingExtraError("the record of the loss for TensorBoard", "training") from error
    if trainer.is_world_process_zero():
        trainer.add_callback(transformers.integrations.TensorBoardCallback(SummaryWriter(log_dir=str(output / "logs"))))


def _judged_at(state: Any) -> bool:
    return any("eval_loss" in row and row["step"] == state.global_step for row in state.log_history)


def _keep(trainer: Any, prepared: Prepared, output: Path, seconds: float) -> Finished:
    """Write the model beside its place, and put it there when all of it is written."""
    history = trainer.state.log_history
    losses = tuple((int(row["step"]), float(row["loss"])) for row in history if "loss" in row)
    held_out = tuple((int(row["step"]), float(row["eval_loss"])) for row in history if "eval_loss" in row)
    finished = Finished(output / "model", trainer.state.global_step, losses, held_out, seconds)
    new = output / "model.new"
    if trainer.is_world_process_zero():
        shutil.rmtree(new, ignore_errors=True)
    trainer.accelerator.wait_for_everyone()
    trainer.save_model(str(new))
    if trainer.is_world_process_zero():
        tokenizer = prepared.tokenizer
        tokenizer.chat_template = prepared.chat.template
        # Every engine stops at what the tokenizer calls its end.
        tokenizer.eos_token = prepared.chat.end
        tokenizer.save_pretrained(new)
        (output / "loss.svg").write_text(loss_plot(losses, held_out), encoding="utf-8")
        origin = {
            "base": prepared.base.name,
            "revision": getattr(prepared.config, "_commit_hash", None),
            "sha256": prepared.base.sha256,
            "method": prepared.recipe.method,
            "end": prepared.chat.end,
            "version": __version__,
        }
        (new / "training_args.bin").unlink(missing_ok=True)
        _name_base(new / "adapter_config.json", prepared.base.name)
        (new / "ocint.json").write_text(json.dumps(origin, indent=2), encoding="utf-8")
        write_card(new / "README.md", prepared, finished)
        new.rename(output / "model")
    return finished


def _name_base(path: Path, name: str) -> None:
    """Let an adapter name its base as the recipe does, not by a folder of this machine."""
    if path.is_file():
        row = json.loads(path.read_text(encoding="utf-8"))
        path.write_text(json.dumps({**row, "base_model_name_or_path": name}, indent=2), encoding="utf-8")

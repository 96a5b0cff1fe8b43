"""Loading a checkpoint and its tokenizer."""

from __future__ import annotations

import contextlib
import io
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import DownloadError, ModelError, ModelFileError, UnknownModelError
from opencodeinterpreter.models.checkpoint_folder import check_folder
from opencodeinterpreter.models.gguf_reading import quick_gguf
from opencodeinterpreter.models.half_weights import pack_linears
from opencodeinterpreter.models.hub import files_of
from opencodeinterpreter.models.settings import Sources

_ENDS = ("<|EOT|>", "<|im_end|>", "<|eot_id|>", "<end_of_turn>", "<|end|>", "<|endoftext|>", "</s>")
"""Tokens by which chat models end their turn; some checkpoints name only one of two in their settings."""

_BFLOAT16 = ("avx512_bf16", "amx_bf16", "bf16")
"""What processors that compute in it are said to have."""


@dataclass
class Checkpoint:
    """A model in memory with what belongs to it."""

    model: Any
    tokenizer: Any
    ends: list[int]
    """The tokens that end a reply; the first one also fills."""
    trained_tokens: int | None
    """The longest text that it was trained on, if it says so."""


def load_checkpoint(source: str | Path, name: str, sources: Sources) -> Checkpoint:
    """Load a folder, a GGUF file or a repository of the hub; code that a repository brings is never run.

    A repository that is on this machine already is used without asking the hub.

    Raises:
        UnknownModelError: if the hub has no such repository.
        DownloadError: if the hub cannot be reached and the checkpoint is not here.
        ModelFileError: if the files cannot be used.
    """
    import transformers

    # Bars and remarks of the library would land in the middle of the program's own screen.
    transformers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    where, options = _place(source)
    try:
        model, tokenizer = _load(where, {**options, "local_files_only": True})
    except Exception as error:
        if Path(where).exists():
            raise _meaning(error, source, name) from error
        # Asked beforehand, because the library tries for most of a minute to reach a hub that is not there.
        files_of(where, "main", sources)
        try:
            model, tokenizer = _load(where, {**options, "token": sources.hub_token})
        except Exception as failure:
            raise _meaning(failure, source, name) from failure
    model.eval()
    ends = _ends_of(model, tokenizer)
    # What a checkpoint wants for its own demonstrations, such as a penalty, is not what was asked for.
    model.generation_config = transformers.GenerationConfig(eos_token_id=ends, pad_token_id=ends[0])
    trained = getattr(model.config, "max_position_embeddings", None)
    return Checkpoint(model, tokenizer, ends, trained if isinstance(trained, int) else None)


def _load(where: str, options: dict[str, Any]) -> tuple[Any, Any]:
    import torch
    import transformers

    placed: dict[str, Any] = {"dtype": _kind_on_processor()}
    if torch.cuda.is_available():
        placed = {"dtype": "auto", "device_map": "auto"}
    with contextlib.ExitStack() as quiet:
        quiet.enter_context(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        if "gguf_file" in options:
            # The bar of this step is not one that can be switched off.
            quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
            quiet.enter_context(quick_gguf())
        tokenizer = transformers.AutoTokenizer.from_pretrained(where, **options)
        model = transformers.AutoModelForCausalLM.from_pretrained(where, **options, **placed)
    if placed["dtype"] == torch.float32:
        pack_linears(model)
    return model, tokenizer


def _kind_on_processor() -> Any:
    """Return the kind of numbers that this processor computes in fastest.

    Checkpoints are published in bfloat16. Processors with instructions for it take half the memory and, with many
    replies side by side, a fraction of the time; others take several times as long as with 32 bits, in which the
    weights of linear layers still need no more than 16 (``half_weights``).
    """
    import torch

    able: dict[str, Any] = getattr(torch.cpu, "get_capabilities", dict)()
    return torch.bfloat16 if any(able.get(name) for name in _BFLOAT16) else torch.float32


def _place(source: str | Path) -> tuple[str, dict[str, Any]]:
    path = Path(source).expanduser()
    if path.suffix.lower() == ".gguf":
        from opencodeinterpreter.models import gguf_file

        gguf_file.check_head(path)
        return str(path.resolve().parent), {"gguf_file": path.name}
    if path.exists() and not path.is_dir():
        raise ModelFileError(f"{path} is neither a folder with a checkpoint nor a GGUF file")
    if path.is_dir():
        check_folder(path)
    return (str(path) if path.is_dir() else str(source)), {}


def _ends_of(model: Any, tokenizer: Any) -> list[int]:
    named = [getattr(model.generation_config, "eos_token_id", None), tokenizer.eos_token_id]
    ends: list[int] = []
    for each in named:
        ends += each if isinstance(each, list) else [each] if each is not None else []
    vocabulary = tokenizer.get_vocab()
    ends += [vocabulary[token] for token in _ENDS if token in vocabulary]
    return list(dict.fromkeys(ends)) or [0]


def _meaning(error: Exception, source: str | Path, name: str) -> ModelError:
    """Say what is wrong; the library wraps what happened in errors of one common kind."""
    chain: list[BaseException] = []
    each: BaseException | None = error
    while each is not None and each not in chain:
        chain.append(each)
        each = each.__cause__ or each.__context__
    kinds = {type(link).__name__ for link in chain}
    if isinstance(error, MemoryError) or "OutOfMemoryError" in kinds:
        return ModelError(f"there is not enough memory for {name}")
    on_disk = Path(source).expanduser().exists()
    if not on_disk and kinds & {"RepositoryNotFoundError", "RevisionNotFoundError", "HFValidationError"}:
        return UnknownModelError(f"the hub has no checkpoint {str(source)!r}: check the name, or set HF_TOKEN")
    if not on_disk and kinds & {"GatedRepoError"}:
        return DownloadError(f"{source} must be asked for on the hub first, and needs a token (HF_TOKEN)")
    if not on_disk and any("connect" in kind.lower() or kind.startswith("LocalEntryNotFound") for kind in kinds):
        return DownloadError(f"{source} is not on this machine, and the hub cannot be reached")
    reason = " ".join(str(error).split())[:200] or type(error).__name__
    return ModelFileError(f"{name} cannot be used: {reason}")

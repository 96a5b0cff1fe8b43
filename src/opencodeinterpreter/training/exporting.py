"""A tuned model in the forms in which it is used: a folder, a GGUF file, an adapter for the embedded engine."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.models.catalog import suggestion
from opencodeinterpreter.training.agreement import Agreement, agreement
from opencodeinterpreter.training.base_model import config_of
from opencodeinterpreter.training.gguf_quantising import TYPES
from opencodeinterpreter.training.gguf_shapes import check_kind
from opencodeinterpreter.training.gguf_writing import write_adapter, write_model
from opencodeinterpreter.training.merging import Tuned, find_tuned, merged, save_merged

Form = Literal["gguf", "folder", "adapter"]
FORMS: Final = ("gguf", "folder", "adapter")
_BYTES: Final = {"f32": 4.0, "f16": 2.0, "bf16": 2.0}
"""Of one weight."""
_FEW_BITS: Final = 1.1
"""The same in 8 bits with their scales. Fewer bits take less, but not where rows are no multiple of a block."""


@dataclass(frozen=True)
class Exported:
    """What was written."""

    path: Path
    form: str
    check: Agreement | None = None
    """None where nothing was compared"""


def export(
    name: str,
    form: str = "gguf",
    kind: str = "q8_0",
    out: Path | None = None,
    base: str | None = None,
    *,
    check: bool = True,
) -> Exported:
    """Write a tuned model.

    Args:
        name: the output of a run, or the folder of a model or an adapter.
        form: ``gguf``, ``folder`` (merged, for ``transformers`` and servers) or ``adapter`` (GGUF, for ``--adapter``).
        kind: of a GGUF file's weights.
        out: where to; None for a name beside the run.
        base: what an adapter belongs to, where it does not say so itself.
        check: compare a GGUF file with the model.

    Raises:
        InputError: if it cannot be written, there is no room for it, or it does not agree.
        ModelError: if a model cannot be had.
    """
    if form not in FORMS:
        raise InputError(f"there is no form {form!r} to export: {suggestion(form, FORMS)}")
    if kind not in TYPES:
        raise InputError(f"there is no type {kind!r} of weights: {suggestion(kind, TYPES)}")
    tuned = find_tuned(name, base)
    if form == "adapter" and not tuned.adapter:
        raise InputError(f"{tuned.folder} is a whole model, not an adapter: export it with --form gguf")
    if form != "folder":
        check_kind(config_of(tuned.base))
    path = (out or _place(tuned, form, kind)).expanduser()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise InputError(f"{path} is there already: name another place with --out")
    compared = check and tuned.base.gguf is not None
    if form != "adapter" or compared:
        parameters = _parameters(tuned)
        if form != "adapter":
            _check_disk(parameters, path, form, kind)
        _check_memory(parameters, tuned, form)
    path.parent.mkdir(parents=True, exist_ok=True)
    if form == "adapter":
        write_adapter(path, tuned.folder, config_of(tuned.base), _title(tuned))
        found = _check_adapter(tuned, path) if compared else None
        return Exported(path, form, found)
    model, tokenizer = merged(tuned)
    if form == "folder":
        save_merged(tuned, model, tokenizer, path)
        return Exported(path, form)
    write_model(path, model, tokenizer, kind, _title(tuned), tuned.source.gguf)
    return Exported(path, form, _checked(path, model, tokenizer, kind) if check else None)


def _checked(path: Path, model: Any, tokenizer: Any, kind: str) -> Agreement:
    try:
        return agreement(path, model, tokenizer, kind)
    except InputError:
        # What does not agree must not be used by mistake.
        path.rename(path.with_name(path.name + ".differs"))
        raise


def _check_adapter(tuned: Tuned, path: Path) -> Agreement:
    model, tokenizer = merged(tuned)
    tokenizer.chat_template = tokenizer.chat_template or None
    assert tuned.base.gguf is not None
    # The file's own weights are in few bits, and the engine rounds what it computes from them: reported, not judged.
    return agreement(tuned.base.gguf, model, tokenizer, "base", [path])


def _title(tuned: Tuned) -> str:
    folder = tuned.folder.resolve()
    return folder.parent.name if folder.name == "model" else folder.name


def _place(tuned: Tuned, form: str, kind: str) -> Path:
    folder = tuned.folder.resolve()
    beside = folder.parent
    title = _title(tuned)
    return beside / {"gguf": f"{title}-{kind}.gguf", "folder": f"{title}-merged", "adapter": f"{title}-lora.gguf"}[form]


def _parameters(tuned: Tuned) -> int:
    from opencodeinterpreter.training.estimate import count_parameters
    from opencodeinterpreter.training.recipe import Recipe

    return count_parameters(Recipe(tuned.base.name, "-"), config_of(tuned.base))[0]


def _check_disk(parameters: int, path: Path, form: str, kind: str) -> None:
    needed = parameters * (_BYTES["f16"] if form == "folder" else _BYTES.get(kind, _FEW_BITS))
    parent = path.absolute().parent
    while not parent.exists():
        parent = parent.parent
    free = shutil.disk_usage(parent).free
    if free < needed:
        raise InputError(f"{path} needs about {needed / 1e9:.1f} GB of disk space and {free / 1e9:.1f} GB are free")


def _check_memory(parameters: int, tuned: Tuned, form: str) -> None:
    import psutil

    needed, free = _BYTES["f32"] * parameters, psutil.virtual_memory().available
    if free < needed:
        instead = "--no-check" if form == "adapter" else "--form adapter --no-check"
        raise InputError(
            f"{tuned.base.name} in 32 bits needs about {needed / 1e9:.1f} GB of memory and {free / 1e9:.1f} GB are "
            f"free: take a larger machine" + (f", or {instead}, which loads no weights of it" if tuned.adapter else "")
        )

"""From what a user calls a model to the model."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from opencodeinterpreter.errors import ConfigError, ModelFileError, UnknownModelError
from opencodeinterpreter.models.base import ChatModel
from opencodeinterpreter.models.cache import Progress, no_progress
from opencodeinterpreter.models.catalog import CATALOG, Checkpoint, ModelFile, suggestion
from opencodeinterpreter.models.checkpoint_folder import check_folder
from opencodeinterpreter.models.own_models import find_model, known_models
from opencodeinterpreter.models.settings import ModelSettings, settings_from_environment

DEFAULT_CONTEXT_TOKENS = 8192
_KINDS = ("openai:", "transformers:", "hf:", "scripted:")


def load_model(
    name: str,
    *,
    context_tokens: int = DEFAULT_CONTEXT_TOKENS,
    threads: int | None = None,
    adapters: Sequence[Path] = (),
    parallel: int = 1,
    progress: Progress | None = None,
    settings: ModelSettings | None = None,
) -> ChatModel:
    """Return the model that goes by ``name``, after fetching it if that is needed.

    Args:
        name: a short name of the catalog, ``path.gguf``, ``hf:org/repo[:file]``, ``openai:name``
            (``openai:name@endpoint`` where the settings name several), ``transformers:name-or-path`` or
            ``scripted:file.json``.
        context_tokens: how long prompt and reply may be together.
        threads: for the embedded engine; None for as many as there are physical cores.
        adapters: LoRA files for the embedded engine.
        parallel: how many replies the embedded engine or a checkpoint generates side by side.
        progress: told how far a download is.
        settings: where models come from; None reads the environment.

    Raises:
        UnknownModelError: if nothing goes by that name; names the nearest.
        DownloadError, ModelFileError: if its file cannot be had or used.
        MissingExtraError: if its back-end is not installed.
        ModelError: if it cannot be started for another reason.
    """
    settings = settings or settings_from_environment(os.environ)
    progress = progress or no_progress
    kind, _, rest = name.strip().partition(":")
    entry = None if kind in {"openai", "transformers", "scripted"} else _entry_of(name.strip(), settings)
    if adapters and (entry is None or isinstance(entry, Checkpoint)):
        raise ConfigError(f"{name} takes no adapters: they are for the embedded engine")
    if kind == "openai":
        from opencodeinterpreter.models.openai_api import OpenAIModel

        model, endpoint = settings.served(_said(rest, name))
        return OpenAIModel(model, endpoint, context_tokens=context_tokens)
    if kind == "transformers":
        from opencodeinterpreter.models.download import resolved
        from opencodeinterpreter.models.transformers import TransformersModel

        source = resolved(_said(rest, name), settings.sources, progress)
        return TransformersModel(
            source, name=name, context_tokens=context_tokens, parallel=parallel, sources=settings.sources
        )
    if kind == "scripted":
        from opencodeinterpreter.models.scripted import ScriptedModel

        return ScriptedModel.from_file(Path(_said(rest, name)).expanduser())
    assert entry is not None
    if isinstance(entry, Checkpoint):
        from opencodeinterpreter.models.transformers import TransformersModel

        return TransformersModel(
            entry.repository,
            name=entry.name,
            context_tokens=context_tokens,
            parallel=parallel,
            sources=settings.sources,
        )
    path = _path_of(entry, settings, progress)
    from opencodeinterpreter.models.llamacpp import LlamaCppModel

    return LlamaCppModel(
        name, path, context_tokens=context_tokens, threads=threads, adapters=adapters, parallel=parallel
    )


def _said(rest: str, name: str) -> str:
    if not rest.strip():
        raise UnknownModelError(f"{name!r} names no model: say which one after the colon")
    return rest.strip()


def _entry_of(name: str, settings: ModelSettings) -> ModelFile | Checkpoint | Path:
    if not name:
        raise UnknownModelError("no model is named: ocint models list shows those that are known")
    if name.startswith("hf:"):
        from opencodeinterpreter.models.hub import find_on_hub

        return find_on_hub(_said(name[3:], name), settings.sources)
    path = Path(name).expanduser()
    if name.lower().endswith(".gguf") or (os.sep in name and path.is_file()):
        return path
    known = known_models(settings.sources)
    if path.is_dir() and name not in known:
        check_folder(path)
        return Checkpoint(name, str(path))
    if name.lower() not in known and name.count("/") == 1:
        raise UnknownModelError(
            f"there is no model {name!r}: for a repository on the hub say hf:{name} (GGUF) or transformers:{name}; "
            f"for a file, give a path that ends in .gguf and exists"
        )
    if ":" in name:
        kind = name.split(":", 1)[0] + ":"
        raise UnknownModelError(f"there is no kind of model {kind!r}: {suggestion(kind, _KINDS)}")
    return find_model(name, settings.sources)


def _path_of(entry: ModelFile | Path, settings: ModelSettings, progress: Progress) -> Path:
    """Return a file that the engine may open in this process."""
    from opencodeinterpreter.models import gguf_file

    if isinstance(entry, ModelFile):
        from opencodeinterpreter.models.download import pull

        path = pull(entry, settings.sources, progress)
        if entry.name in CATALOG and entry.sha256 is not None:
            return path
    else:
        path = entry
        if path.is_dir():
            raise ModelFileError(f"{path} is a folder, not a model file")
    gguf_file.check_head(path)
    gguf_file.check_opens(path, settings.sources.folder / "opened")
    return path

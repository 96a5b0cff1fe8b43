"""What a model is known by: in the record of a run, and in the response cache."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from opencodeinterpreter.models import ChatModel, ModelSettings
from opencodeinterpreter.models.cache import check, recorded, sha256_of
from opencodeinterpreter.models.catalog import ModelFile
from opencodeinterpreter.models.own_models import known_models
from opencodeinterpreter.models.source_errors import host_of

_WEIGHTS = frozenset({".safetensors", ".bin"})
_DECIDING = _WEIGHTS | {".json", ".jinja", ".model", ".txt", ".tiktoken"}
"""What a folder with a checkpoint is loaded from: settings, tokenizer, chat template, weights, adapters."""
_OF_TRAINING = frozenset({"trainer_state.json", "training_args.bin"})
_RECORD = ".verified.json"
"""The ending under which the hash of a large file is remembered beside it."""


@dataclass(frozen=True)
class Identity:
    """What tells a model from every other one."""

    name: str
    """that it was asked for by"""
    sha256: str
    """of its file, or of the files of its checkpoint; empty if it has none here"""
    key: str
    """for the response cache: the engine and the hash, or the endpoint and the name"""
    endpoint: str = ""
    """the address of its server, without credentials; empty if it runs here, or where the SDK's own default is"""


def identify(name: str, model: ChatModel, settings: ModelSettings) -> Identity:
    """Return what identifies a loaded model.

    The hash of a large file is computed once, and again when its size or its time has changed.
    """
    kind, _, rest = name.strip().partition(":")
    if kind == "scripted":
        found = sha256_of(Path(rest).expanduser())
        return Identity(name, found, f"scripted:{found}")
    if kind == "openai":
        _, endpoint = settings.served(rest.strip())
        address = endpoint.base_url or ""
        shown = f"{host_of(address)}{urlsplit(address).path}" if address else ""
        return Identity(name, "", f"{address} {name}", shown)
    path = getattr(model, "path", None)
    if isinstance(path, Path):
        found = check(path, None)
        return Identity(name, found, f"llama.cpp:{found}")
    found = _of_checkpoint(rest.strip() if kind == "transformers" else name.strip(), settings)
    return Identity(name, found, f"transformers:{found}" if found else f"{type(model).__name__}:{name}")


def _of_checkpoint(source: str, settings: ModelSettings) -> str:
    """Return the hash of what ``transformers`` loads; empty for what lies on the hub, which has only its name."""
    entry = known_models(settings.sources).get(source.lower())
    if isinstance(entry, ModelFile):
        return _of_entry(entry, settings)
    path = Path(source if entry is None else entry.repository).expanduser()
    if path.is_dir():
        return folder_sha256(path)
    return check(path, None) if path.is_file() else ""


def _of_entry(entry: ModelFile, settings: ModelSettings) -> str:
    from opencodeinterpreter.models.download import local_path

    path = local_path(entry, settings.sources)
    return entry.sha256 or check(path, recorded(path) if entry.hub else None)


def folder_sha256(folder: Path) -> str:
    """Return one hash of all files of a checkpoint that decide its replies; where it lies does not count."""
    whole = hashlib.sha256()
    for path in sorted(_deciding(folder)):
        # Small files are read each time: their hashes would only be more files.
        found = check(path, None) if path.suffix in _WEIGHTS else sha256_of(path)
        whole.update(f"{found}  {path.name}\n".encode())
    return whole.hexdigest()


def _deciding(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name.startswith(".") or path.name.endswith(_RECORD) or path.name in _OF_TRAINING:
            continue
        if path.suffix in _DECIDING and path.is_file():
            yield path

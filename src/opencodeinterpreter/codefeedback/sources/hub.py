"""Data sets of the Hugging Face hub: ``org/repo`` or ``org/repo:file``, fetched once and kept."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import Any, Final
from urllib.parse import quote

import platformdirs

from opencodeinterpreter.errors import DownloadError, InputError
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.source_errors import SourceError, host_of
from opencodeinterpreter.models.transfer import fetch, open_client, within

_ENDINGS: Final = (".jsonl", ".json", ".parquet", ".jsonl.gz", ".json.gz", ".jsonl.xz", ".jsonl.bz2")
Told = Callable[[int, int, str], None]


def fetch_data(name: str, sources: Sources, told: Told | None = None, folder: Path | None = None) -> Path:
    """Return the path of a file of a data set, after fetching it if it is not here.

    Args:
        name: ``org/repo``, ``org/repo:file`` or ``org/repo@revision:file``; without a file the repository must have
            one file of data alone.
        sources: which hub, and with which token.
        told: is given the bytes that are here, those of the whole (0: not known) and the host, again and again.
        folder: where it is kept; None: the user's cache.

    Raises:
        InputError: if there is no such data set or file, or several files to choose of.
        DownloadError: if it cannot be fetched.
    """
    repository, _, file = name.partition(":")
    repository, _, revision = repository.partition("@")
    if repository.count("/") != 1 or not all(repository.split("/")):
        raise InputError(f"'hf:{name}' must be hf:organisation/repository, with :file if need be")
    revision = revision or "main"
    folder = folder or platformdirs.user_cache_path("opencodeinterpreter") / "data"
    kept = folder / repository.replace("/", "--") / revision
    if file and (path := _inside(kept, file)).is_file():
        return path
    if sources.hub_url is None:
        raise DownloadError(f"hf:{name} is not on this machine, and the hub is switched off")
    chosen = file or _only_file(repository, _files(repository, revision, sources))
    path = _inside(kept, chosen)
    if not path.is_file():
        address = f"{sources.hub_url}/datasets/{repository}/resolve/{quote(revision, safe='')}/{quote(chosen)}"
        _bring(address, path, name, sources, told)
    return path


def _inside(folder: Path, file: str) -> Path:
    parts = PurePosixPath(file)
    if parts.is_absolute() or ".." in parts.parts:
        raise InputError(f"{file!r} is no file of a data set")
    return folder / parts


def _only_file(repository: str, files: list[str]) -> str:
    data = [file for file in files if file.lower().endswith(_ENDINGS)]
    if len(data) == 1:
        return data[0]
    if not data:
        raise InputError(f"{repository} has no file of JSON Lines, JSON or Parquet")
    more = f" and {len(data) - 8} more" if len(data) > 8 else ""
    raise InputError(
        f"{repository} has several files, say which: hf:{repository}:FILE with one of {', '.join(data[:8])}{more}"
    )


def _files(repository: str, revision: str, sources: Sources) -> list[str]:
    url = f"{sources.hub_url}/api/datasets/{repository}/revision/{quote(revision, safe='')}"
    try:
        status, body = within(2 * sources.connect_seconds, lambda: _get(url, sources), host_of(url))
    except SourceError as error:
        raise DownloadError(f"hf:{repository} is not on this machine, and {error}") from error
    if status in {401, 403, 404}:
        raise InputError(
            f"the hub has no data set {repository!r}, or it needs a token (HF_TOKEN): check the name and the revision"
        )
    if status != 200 or not isinstance(body, dict):
        raise DownloadError(f"hf:{repository} cannot be looked up: {host_of(url)} answered with status {status}")
    return [str(each["rfilename"]) for each in body.get("siblings", []) if "rfilename" in each]


def _get(url: str, sources: Sources) -> tuple[int, Any]:
    import httpx

    with open_client(sources) as client:
        try:
            response = client.get(url, headers=_headers(sources))
            return response.status_code, response.json() if response.status_code == 200 else None
        except httpx.HTTPError as error:
            raise SourceError(f"{host_of(url)} cannot be reached") from error
        except ValueError as error:
            raise SourceError(f"{host_of(url)} sent what is not an answer of the hub") from error


def _headers(sources: Sources) -> dict[str, str]:
    return {"Authorization": f"Bearer {sources.hub_token}"} if sources.hub_token else {}


def _bring(url: str, path: Path, name: str, sources: Sources, told: Told | None) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")

    def tell(done: int) -> None:
        if told is not None:
            told(done, 0, host_of(url))

    try:
        with open_client(sources) as client:
            fetch(client, url, part, size=None, told=tell, stop=threading.Event(), headers=_headers(sources))
    except SourceError as error:
        raise DownloadError(f"hf:{name} could not be fetched: {error}") from error
    part.replace(path)

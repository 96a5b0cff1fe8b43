"""Models of the Hugging Face hub that are not in the catalog."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Any

from opencodeinterpreter.errors import DownloadError, UnknownModelError
from opencodeinterpreter.models.catalog import Checkpoint, HubSource, ModelFile
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.source_errors import SourceError, host_of
from opencodeinterpreter.models.transfer import open_client, within

_PREFERRED = ("q4_k_m", "q4_k_s", "q5_k_m", "q4_0", "q8_0")
"""Small enough to be quick and good enough to be useful, first."""


def find_on_hub(name: str, sources: Sources) -> ModelFile | Checkpoint:
    """Return what ``org/repo`` or ``org/repo:file`` (or ``org/repo@revision``) stands for.

    Without a file, the GGUF file of the repository with the usual quantization is taken; a repository
    without any is a checkpoint for the ``transformers`` back-end.

    Raises:
        UnknownModelError: if there is no such repository or file.
        DownloadError: if the hub cannot be asked.
    """
    repository, _, file = name.partition(":")
    repository, _, revision = repository.partition("@")
    if repository.count("/") != 1 or not all(repository.split("/")):
        raise UnknownModelError(f"'hf:{name}' must be hf:organisation/repository, with :file.gguf if need be")
    if not file:
        chosen = _usual_file(files_of(repository, revision or "main", sources), repository)
        if chosen is None:
            return Checkpoint(f"hf:{name}", repository)
        file = chosen
    _must_be_one_file(file)
    # Files of one name in different repositories are different files.
    kept = f"{repository.replace('/', '--')}--{revision + '--' if revision else ''}{file.replace('/', '--')}"
    return ModelFile(f"hf:{name}", kept, None, None, HubSource(repository, file, revision or "main"))


def _must_be_one_file(file: str) -> None:
    path = PurePosixPath(file)
    if path.suffix.lower() != ".gguf" or ".." in path.parts or path.is_absolute():
        raise UnknownModelError(f"{file!r} is not a GGUF file")
    if "-of-0" in path.name:
        raise UnknownModelError(f"{file!r} is one part of several: choose a file that is whole")


def _usual_file(files: list[str], repository: str) -> str | None:
    found = [file for file in files if file.lower().endswith(".gguf") and "-of-0" not in file]
    if not found:
        return None
    for quantization in _PREFERRED:
        for file in found:
            if quantization in file.lower():
                return file
    if len(found) == 1:
        return found[0]
    shown = ", ".join(found[:8])
    raise UnknownModelError(f"{repository} has several models, say which: hf:{repository}:FILE with one of {shown}")


def files_of(repository: str, revision: str, sources: Sources) -> list[str]:
    """Return the names of a repository's files.

    Raises:
        UnknownModelError: if there is no such repository.
        DownloadError: if the hub cannot be asked.
    """
    if sources.hub_url is None:
        raise DownloadError(f"{repository} is not on this machine, and the hub is switched off")
    url = f"{sources.hub_url}/api/models/{repository}/revision/{revision}"
    try:
        status, body = within(2 * sources.connect_seconds, lambda: _get(url, sources), host_of(url))
    except SourceError as error:
        raise DownloadError(f"{repository} is not on this machine, and {error}") from error
    if status in {401, 403, 404}:
        raise UnknownModelError(
            f"the hub has no repository {repository!r}, or it needs a token (HF_TOKEN): check the name"
        )
    if status != 200 or not isinstance(body, dict):
        raise DownloadError(f"{repository} cannot be looked up: {host_of(url)} answered with status {status}")
    return [str(each["rfilename"]) for each in body.get("siblings", []) if "rfilename" in each]


def _get(url: str, sources: Sources) -> tuple[int, Any]:
    import httpx

    headers = {"Authorization": f"Bearer {sources.hub_token}"} if sources.hub_token else {}
    with open_client(sources) as client:
        try:
            response = client.get(url, headers=headers)
            return response.status_code, response.json() if response.status_code == 200 else None
        except httpx.HTTPError as error:
            raise SourceError(f"{host_of(url)} cannot be reached") from error
        except ValueError as error:
            raise SourceError(f"{host_of(url)} sent what is not an answer of the hub") from error

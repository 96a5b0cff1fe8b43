"""What a hub of models says of a file before it is fetched."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING

from opencodeinterpreter.models.catalog import ModelFile
from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.source_errors import SourceError, asked_again, host_of, must_not_be_busy
from opencodeinterpreter.models.transfer import within

if TYPE_CHECKING:
    import httpx


def told_by_hub(
    client: httpx.Client, url: str, headers: dict[str, str], entry: ModelFile, sources: Sources
) -> ModelFile:
    """Return the entry with what the hub records of the file; a hub that is busy is asked again.

    Raises:
        SourceError: if the hub does not have the file, or does not answer.
    """

    def ask() -> ModelFile:
        return within(2 * sources.connect_seconds, lambda: _ask_hub(client, url, headers, entry), host_of(url))

    return asked_again(ask, threading.Event())


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
    except (httpx.InvalidURL, httpx.UnsupportedProtocol) as error:
        raise SourceError("the address of the hub is not one") from error
    except httpx.HTTPError as error:
        raise SourceError(f"{host} cannot be reached") from error
    must_not_be_busy(response)
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

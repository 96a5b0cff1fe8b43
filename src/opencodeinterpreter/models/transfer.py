"""Resumable transfer of one file over HTTP."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeVar

from opencodeinterpreter.models.settings import Sources
from opencodeinterpreter.models.source_errors import (
    TRIES,
    BusyError,
    SourceError,
    Stopped,
    given_up,
    host_of,
    must_not_be_busy,
    pause_after,
)

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

MARGIN = 64 << 20
"""Bytes of disk to leave free."""


def open_client(sources: Sources) -> httpx.Client:
    """Return a client that honours proxies, the system's certificates and those of the settings."""
    import ssl

    import httpx

    trust = httpx.create_ssl_context()
    trust.load_default_certs(ssl.Purpose.SERVER_AUTH)
    if sources.certificates is not None:
        try:
            trust.load_verify_locations(cafile=str(sources.certificates))
        except (OSError, ssl.SSLError) as error:
            raise SourceError(f"the certificate file {sources.certificates} cannot be read") from error
    timeout = httpx.Timeout(sources.read_seconds, connect=sources.connect_seconds)
    # Compressed transfer would make byte ranges mean something else.
    return httpx.Client(verify=trust, timeout=timeout, follow_redirects=True, headers={"Accept-Encoding": "identity"})


def within(seconds: float, work: Callable[[], T], host: str) -> T:
    """Run ``work`` in a thread of its own and give it up after ``seconds``.

    A name that a broken resolver never answers blocks for longer than any timeout of the HTTP client.

    Raises:
        SourceError: if there was no result in time.
    """
    results: list[T] = []
    failures: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            failures.append(error)

    thread = threading.Thread(target=run, daemon=True, name="first answer")
    thread.start()
    thread.join(seconds)
    if failures:
        raise failures[0]
    if not results:
        raise SourceError(f"{host} did not answer within {seconds:.0f} s")
    return results[0]


def fetch(
    client: httpx.Client,
    url: str,
    part: Path,
    *,
    size: int | None,
    told: Callable[[int], None],
    stop: threading.Event,
    headers: Mapping[str, str] | None = None,
) -> None:
    """Bring ``part`` to the whole file at ``url``, going on after the bytes that it has already.

    Args:
        client: from :func:`open_client`.
        url: where the file is.
        part: where it is written.
        size: how many bytes the file must have; None if that is not known.
        told: is given the number of bytes that lie in ``part``, again and again.
        stop: ends the transfer when set; ``part`` is kept.
        headers: further request headers.

    Raises:
        SourceError: if the source does not give the file.
        Stopped: if ``stop`` was set.
        OSError: if ``part`` cannot be written.
    """
    import httpx

    failures = 0
    while True:
        before = part.stat().st_size if part.exists() else 0
        try:
            _fetch_once(client, url, part, size, told, stop, dict(headers or {}))
            return
        except (httpx.TransportError, BusyError) as error:
            after = part.stat().st_size if part.exists() else 0
            failures = failures + 1 if after <= before else 0
            # Nothing at all arrived: another source answers sooner than a repetition here.
            if failures >= TRIES or (after == 0 and isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)):
                raise given_up(url, error) from error
            if stop.wait(pause_after(error, failures)):
                raise Stopped from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise given_up(url, error) from error


def _fetch_once(
    client: httpx.Client,
    url: str,
    part: Path,
    size: int | None,
    told: Callable[[int], None],
    stop: threading.Event,
    headers: dict[str, str],
) -> None:
    import httpx

    start = part.stat().st_size if part.exists() else 0
    if size is not None and start > size:
        part.unlink()
        start = 0
    if start == size:
        told(start)
        return
    if start:
        headers["Range"] = f"bytes={start}-"
    with client.stream("GET", url, headers=headers) as response:
        if response.status_code == 416:
            if size is None and response.headers.get("content-range", "").replace(" ", "") == f"bytes*/{start}":
                told(start)  # all of it lies here already
                return
            # The file is shorter than what lies here, or than it must be: these are not its bytes.
            part.unlink(missing_ok=True)
            raise SourceError(f"{host_of(url)} has another file than the one begun; try again")
        start = _start_of(response, start)
        total = _total_of(response, start)
        _must_be_the_file(response, size, total)
        if size is None and total is not None:
            _must_leave_room(part, response, total - (part.stat().st_size if part.exists() else 0))
        expected = size if size is not None else total
        _write(response, part, start, expected, told, stop)
    if expected is not None and part.stat().st_size < expected:
        raise httpx.ReadError("the transfer ended early")


def _write(
    response: httpx.Response,
    part: Path,
    start: int,
    size: int | None,
    told: Callable[[int], None],
    stop: threading.Event,
) -> None:
    """Write the body of an answer into ``part`` from the byte ``start`` on, as far as it goes.

    Raises:
        SourceError: if that is more than ``size`` bytes, or, where no size is known, than the disk can hold.
        Stopped: if ``stop`` was set.
    """
    last = 0.0
    with part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(start)
        file.seek(start)
        for block in response.iter_raw():
            file.write(block)
            if stop.is_set():
                raise Stopped
            if size is not None and file.tell() > size:
                file.truncate(0)
                raise SourceError(f"{host_of(str(response.url))} sent more than the {size:,} bytes of the file")
            if (now := time.monotonic()) - last > 0.1:
                if size is None:
                    _must_have_an_end(part, file, response)
                told(file.tell())
                last = now
        told(file.tell())


def _must_leave_room(part: Path, response: httpx.Response, coming: int = 0) -> None:
    """Raise ``SourceError`` if ``coming`` bytes more would not leave :data:`MARGIN` bytes of the disk free."""
    if shutil.disk_usage(part.parent).free < coming + MARGIN:
        raise SourceError(f"{host_of(str(response.url))} sends more than there is room for in {part.parent}")


def _must_have_an_end(part: Path, file: IO[bytes], response: httpx.Response) -> None:
    # A body of unknown length may have no end at all; the disk has.
    try:
        _must_leave_room(part, response)
    except SourceError:
        # Kept, it would leave no room for what the next source sends.
        file.truncate(0)
        raise


def _start_of(response: httpx.Response, asked: int) -> int:
    """Return the position of the first byte that the server sends; some ignore the range asked for."""
    if response.status_code == 206:
        given = response.headers.get("content-range", "").removeprefix("bytes ").split("-")[0]
        if given.isdigit() and int(given) == asked:
            return asked
        raise SourceError(f"{host_of(str(response.url))} sent another part of the file than was asked for")
    return 0


def _total_of(response: httpx.Response, start: int) -> int | None:
    length = response.headers.get("content-length", "")
    return start + int(length) if length.isdigit() else None


def _must_be_the_file(response: httpx.Response, size: int | None, total: int | None) -> None:
    host = host_of(str(response.url))
    if response.status_code in {401, 403}:
        raise SourceError(f"{host} refuses access ({response.status_code})")
    if response.status_code == 404:
        raise SourceError(f"{host} does not have the file (404)")
    must_not_be_busy(response)
    if response.status_code not in {200, 206}:
        raise SourceError(f"{host} answered with status {response.status_code}")
    if response.headers.get("content-type", "").startswith("text/html"):
        raise SourceError(f"{host} sent a web page instead of the file")
    if size is not None and total is not None and total != size:
        raise SourceError(f"{host} has a file of {total:,} bytes where {size:,} are expected")

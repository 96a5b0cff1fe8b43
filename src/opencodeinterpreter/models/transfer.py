"""Resumable transfer of one file over HTTP."""

from __future__ import annotations

import random
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from opencodeinterpreter.models.settings import Sources

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

TRIES = 4
"""How often a transfer is taken up again without one new byte before the source is given up."""
MARGIN = 64 << 20
"""Bytes of disk to leave free."""
_LONGEST_PAUSE = 30.0
"""Seconds that a source may ask to be left alone; for a longer pause another source is asked."""
_PASSING = frozenset({429, 500, 502, 503, 504})
"""Statuses of a server that is overloaded or being restarted."""


class SourceError(Exception):
    """A source that does not have the file, or does not answer; the next source is asked."""


class BusyError(SourceError):
    """A source that may answer better a little later.

    Args:
        message: one sentence.
        seconds: after which it asks to be asked again; 0 if it does not say.
    """

    def __init__(self, message: str, seconds: float = 0.0) -> None:
        super().__init__(message)
        self.seconds = min(seconds, _LONGEST_PAUSE)


class Stopped(Exception):  # noqa: N818 - not an error: the transfer was asked to end
    """The transfer was told to stop."""


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


def host_of(url: str) -> str:
    """Return what may be shown of an address: never its credentials."""
    parts = urlsplit(url)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


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
                raise _given_up(url, error) from error
            if stop.wait(pause_after(error, failures)):
                raise Stopped from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise _given_up(url, error) from error


def pause_after(error: Exception, failures: int) -> float:
    """Return the seconds to wait before a source is asked again, after so many failures in a row."""
    pause = min(0.2 * 2.0**failures, 3.0) * (0.5 + random.random())  # noqa: S311 - spreads retries
    return max(pause, error.seconds) if isinstance(error, BusyError) else pause


def must_not_be_busy(response: httpx.Response) -> None:
    """Raise ``BusyError`` if the server says that it cannot answer now."""
    if response.status_code in _PASSING:
        after = response.headers.get("retry-after", "")
        seconds = float(after) if after.isdecimal() else 0.0
        raise BusyError(f"{host_of(str(response.url))} answered with status {response.status_code}", seconds)


def _given_up(url: str, error: Exception) -> SourceError:
    return error if isinstance(error, SourceError) else SourceError(f"{host_of(url)} {_trouble(error)}")


def _trouble(error: Exception) -> str:
    import httpx

    if isinstance(error, httpx.TimeoutException):
        return "does not answer"
    if isinstance(error, httpx.ConnectError):
        return "cannot be reached"
    if isinstance(error, httpx.TooManyRedirects):
        return "leads from one address to the next without end"
    if isinstance(error, httpx.InvalidURL | httpx.UnsupportedProtocol):
        return "leads to something that is no address"
    if isinstance(error, httpx.TransportError):
        return "broke the connection off"
    return "sent what cannot be read"


def _fetch_once(
    client: httpx.Client,
    url: str,
    part: Path,
    size: int | None,
    told: Callable[[int], None],
    stop: threading.Event,
    headers: dict[str, str],
) -> None:
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
            if response.headers.get("content-range", "").replace(" ", "") == f"bytes*/{start}":
                told(start)  # all of it lies here already
                return
            # The file is shorter than what lies here: these are not its bytes.
            part.unlink(missing_ok=True)
            raise SourceError(f"{host_of(url)} has another file than the one begun; try again")
        start = _start_of(response, start)
        total = _total_of(response, start)
        _must_be_the_file(response, size, total)
        last = 0.0
        with part.open("r+b" if part.exists() else "wb") as file:
            file.truncate(start)
            file.seek(start)
            for block in response.iter_raw():
                file.write(block)
                if stop.is_set():
                    raise Stopped
                if (now := time.monotonic()) - last > 0.1:
                    if size is None:
                        _must_leave_room(part, response)
                    told(file.tell())
                    last = now
            told(file.tell())
            if size is not None and file.tell() > size:
                file.truncate(0)
                raise SourceError(f"{host_of(url)} sent more than the {size:,} bytes of the file")
        expected = size if size is not None else total
    if expected is not None and part.stat().st_size < expected:
        import httpx

        raise httpx.ReadError("the transfer ended early")


def _must_leave_room(part: Path, response: httpx.Response) -> None:
    # A body of unknown length may have no end at all; the disk has.
    if shutil.disk_usage(part.parent).free < MARGIN:
        raise SourceError(f"{host_of(str(response.url))} sends more than there is room for in {part.parent}")


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

"""What goes wrong at a source of files, how that is said, and whether asking again may help."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

if TYPE_CHECKING:
    import httpx

T = TypeVar("T")

TRIES = 4
"""How often a source is asked, without one new byte, before it is given up."""
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


def host_of(url: str) -> str:
    """Return what may be shown of an address: never its credentials."""
    try:
        parts = urlsplit(url)
        return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)
    except ValueError:
        # A port that is no number, half of a pair of brackets.
        return "an unreadable address"


def must_not_be_busy(response: httpx.Response) -> None:
    """Raise ``BusyError`` if the server says that it cannot answer now."""
    if response.status_code in _PASSING:
        after = response.headers.get("retry-after", "")
        seconds = float(after) if after.isdecimal() else 0.0
        raise BusyError(f"{host_of(str(response.url))} answered with status {response.status_code}", seconds)


def pause_after(error: Exception, failures: int) -> float:
    """Return the seconds to wait before a source is asked again, after so many failures in a row."""
    pause = min(0.2 * 2.0**failures, 3.0) * (0.5 + random.random())  # noqa: S311 - spreads retries
    return max(pause, error.seconds) if isinstance(error, BusyError) else pause


def asked_again(work: Callable[[], T], stop: threading.Event) -> T:
    """Return what ``work`` gives, after doing it again while its source is busy.

    Raises:
        BusyError: if the source stays busy; and whatever else ``work`` raises.
        Stopped: if ``stop`` was set meanwhile.
    """
    failures = 0
    while True:
        try:
            return work()
        except BusyError as error:
            failures += 1
            if failures >= TRIES:
                raise
            if stop.wait(pause_after(error, failures)):
                raise Stopped from error


def given_up(url: str, error: Exception) -> SourceError:
    """Return the error of a source that is not asked again; ``error`` is the last that came of it."""
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

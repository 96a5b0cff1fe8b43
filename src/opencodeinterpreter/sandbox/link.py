"""The way from a ``RemoteSandbox`` to its worker, whatever carries it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class LinkLostError(Exception):
    """The worker at the other end of a link is gone, or cannot be reached any more."""


class Link(Protocol):
    """The way to one ``Worker`` on another machine, from its start to its end. Used by any thread."""

    def wait_up(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        """Wait until the worker is there; return False if it is not after so long, or ``stopped`` said so first.

        Raises:
            LinkLostError: it will not come up any more.
        """
        ...

    def call(self, method: str, *arguments: Any) -> Any:
        """Call a method of the worker and return its result; an error that it raises is raised here.

        Raises:
            LinkLostError: the worker is gone; whether it has done what was asked is not known.
        """
        ...

    def send(self, method: str, *arguments: Any) -> None:
        """Call a method without waiting, or hearing of what becomes of it."""
        ...

    def close(self) -> None:
        """End the worker and everything on it; safe to call on one that is gone."""
        ...

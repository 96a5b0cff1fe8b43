"""Follows a session's log: each listener at its own pace, from the number that it saw last."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_BATCH = 400


class Tail:
    """Reads what comes to a log, from a number on. The log itself is what is sent, so a slow listener costs nothing.

    Args:
        path: the log.
        after: events up to this number are passed over.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path = path
        self._after = after
        self._offset = 0
        self._number = 0

    def read(self) -> list[tuple[int, dict[str, Any]]]:
        """Return the events that have come since the last call, some hundred at most, each with its number."""
        found: list[tuple[int, dict[str, Any]]] = []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                self._number += 1
                if self._number <= self._after:
                    continue
                try:
                    found.append((self._number, json.loads(line)))
                except ValueError:
                    logger.warning("An unreadable line in %s was passed over.", self._path)
                if len(found) >= _BATCH:
                    break
        return found


class Bell:
    """Wakes those who wait for something new, in their own event loops."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._listeners: dict[asyncio.Event, asyncio.AbstractEventLoop] = {}
        self._threads = threading.Condition()
        self.count = 0

    def ring(self) -> None:
        """Wake all, from any thread."""
        with self._threads:
            self.count += 1
            self._threads.notify_all()
        with self._lock:
            listeners = list(self._listeners.items())
        for event, loop in listeners:
            try:
                loop.call_soon_threadsafe(event.set)
            except RuntimeError:  # its loop has ended
                self.unsubscribe(event)

    def subscribe(self) -> asyncio.Event:
        """Return what is set at every ring, in the running loop."""
        event = asyncio.Event()
        with self._lock:
            self._listeners[event] = asyncio.get_running_loop()
        return event

    def unsubscribe(self, event: asyncio.Event) -> None:
        with self._lock:
            self._listeners.pop(event, None)

    def wait_for(self, met: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait, in a thread, until ``met``; return whether it is."""
        with self._threads:
            return self._threads.wait_for(met, seconds)

    @property
    def listeners(self) -> int:
        return len(self._listeners)

"""Puts away what is not used: parks idle sessions, deletes old ones, and forgets those that are gone."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from opencodeinterpreter.errors import SessionBusyError, UnknownSessionError

if TYPE_CHECKING:
    from opencodeinterpreter.serving.hub import Hub

logger = logging.getLogger(__name__)


class Sweeper:
    """Looks through a hub's sessions now and then, in a thread of its own. One that fails keeps no other from it.

    Args:
        hub: its settings say what is to be put away, and how often it is looked for.
    """

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._sweep, name="hub-sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """End, after the session that is being put away; safe to call twice."""
        self._closed.set()
        if self._thread.is_alive():
            self._thread.join()

    def _sweep(self) -> None:
        while not self._closed.wait(self._hub.settings.sweep_seconds):
            for step in (self._forget_gone, self._park_idle, self._expire):
                try:
                    step()
                except Exception:  # the next step may free what this one lacked
                    logger.exception("Sessions could not be put away.")

    def _forget_gone(self) -> None:
        """Forget the sessions that another program has deleted."""
        for room in self._hub.rooms():
            if not room.log.exists() and self._hub.park(room, "deleted"):
                self._hub.forget(room)

    def _park_idle(self) -> None:
        limit = self._hub.settings.park_seconds
        for room in self._hub.rooms():
            if limit is not None and room.state == "idle" and time.monotonic() - room.used > limit:
                self._hub.park(room)

    def _expire(self) -> None:
        limit = self._hub.settings.expire_seconds
        if limit is None:
            return
        # Not from the index, which cannot be opened on a full disk: then this matters most.
        for log in self._hub.store.root.glob("*/events.jsonl"):
            try:
                if time.time() - log.stat().st_mtime > limit:
                    self._delete_unused(log.parent.name)
            except (
                FileNotFoundError,
                SessionBusyError,
                UnknownSessionError,
            ):  # gone already, or used by another program
                continue
            except Exception:
                logger.exception("Session %s could not be deleted.", log.parent.name)

    def _delete_unused(self, identity: str) -> None:
        room = self._hub.room(identity, None)
        if not room.running:
            self._hub.delete(room)

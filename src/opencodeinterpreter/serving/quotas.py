"""What a key may have at the same time, and in all."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.refusals import OverloadedError

if TYPE_CHECKING:
    from opencodeinterpreter.serving.hub import Hub


@dataclass(eq=False)
class Place:
    """Kept for a run that is about to begin, so that of many who ask at once no more are let in than may be."""

    session: str | None = None
    """In which it is to run; None while that is not known, or where it needs none."""


class Places:
    """What a hub holds keys to, by their names; every way of asking shares it."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.of: defaultdict[str, list[Place]] = defaultdict(list)
        """Those that are kept now."""
        self._most: dict[str, int] = {}
        self._making: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

    def limit_sessions(self, name: str, most: int | None) -> None:
        """Let a key have so many sessions from now on; None for any number."""
        with self.lock:
            if most is None:
                self._most.pop(name, None)
            else:
                self._most[name] = most

    @contextmanager
    def one_more_session(self, name: str, count: Callable[[], int]) -> Iterator[None]:
        """Make a session of a key in the block; of many who do so at once, each is counted before the next.

        Args:
            count: tells how many it has.

        Raises:
            OverloadedError: as many as it may have.
        """
        with self.lock:
            most, making = self._most.get(name), self._making[name]
        if most is None:
            yield
            return
        with making:
            check_sessions(count(), most)
            yield


def check_sessions(number: int, most: int) -> None:
    """Raise OverloadedError unless one more session may be made."""
    if number >= most:
        raise OverloadedError(f"This key may have {most} sessions; delete one first.", 60)


class Quotas:
    """Holds keys to their limits, against what the hub has of theirs. Safe to use from any thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._places = hub.places

    def check_sessions(self, key: Key) -> None:
        """Let a key make one more session; the hub counts once more when it is made, for others may come before it.

        Raises:
            OverloadedError: it has as many as it may.
        """
        self._places.limit_sessions(key.name, key.sessions)
        if key.sessions is not None:
            check_sessions(len(self._hub.infos(key.name)), key.sessions)

    @contextmanager
    def new_run(self, key: Key, session: str | None = None) -> Iterator[Place]:
        """Let a key begin one more run, in the block; or do in it what counts as one. Waits for nothing.

        Args:
            session: in which it is to begin. What runs there is not counted: the session itself refuses a second run.

        Raises:
            OverloadedError: as many as it may have are running.
        """
        place = Place(session)
        if key.running is None:
            yield place
            return
        with self._places.lock:
            self._check(key, place)
            self._places.of[key.name].append(place)
        try:
            yield place
        finally:
            with self._places.lock:
                self._places.of[key.name].remove(place)

    def begin_elsewhere(self, key: Key, place: Place) -> None:
        """Let the run of a place begin in a session that is yet to be made.

        Raises:
            OverloadedError: it was let in because of what ran in the session it was for; there is no place beside that.
        """
        with self._places.lock:
            place.session = None
            self._check(key, place)

    def _check(self, key: Key, place: Place) -> None:
        """Count what runs or is about to, beside what a place is for; a run that has begun is counted once."""
        others = [each for each in self._places.of[key.name] if each is not place]
        busy = {each.session for each in others if each.session is not None}
        busy |= {room.id for room in self._hub.rooms() if room.owner == key.name and room.running}
        number = len(busy - {place.session}) + sum(each.session is None for each in others)
        if key.running is not None and number >= key.running:
            raise OverloadedError(f"This key may have {key.running} runs at a time; wait for one to end.", 5)

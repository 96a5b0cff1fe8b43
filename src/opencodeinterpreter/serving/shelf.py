"""The models that a server offers, each loaded once, when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, wait
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from opencodeinterpreter.errors import ModelError, UnknownModelError
from opencodeinterpreter.models.base import ChatModel
from opencodeinterpreter.models.cache import CHECKING, FETCHED_BY_ANOTHER, Progress
from opencodeinterpreter.serving.fair_queue import SessionModel, Slots

_LOOK_SECONDS = 0.2
"""Between two looks whether a run that waits for a model was stopped."""


@dataclass(frozen=True)
class Arrival:
    """How far a model is on its way here."""

    source: str = ""
    """The host that it is fetched from, or what is done with its file; empty while it is loaded."""
    done: int = 0
    """Bytes."""
    total: int = 0
    """Bytes; 0 if nobody knows."""

    def shown(self) -> dict[str, Any]:
        """Return it as JSON values, with the ``step`` that it is at."""
        steps = {"": "loading", CHECKING: "checking", FETCHED_BY_ANOTHER: "waiting"}
        return {"step": steps.get(self.source, "fetching"), **asdict(self)}


class ModelShelf:
    """Holds what sessions share. Nothing but the names offered can be had: a name can also be a path or a download.

    Args:
        names: what may be asked for; the first is the default.
        load: loads a model by its name, and tells how far a download is.
        slots: how many replies the model of a name gives side by side.
    """

    def __init__(
        self,
        names: Sequence[str],
        load: Callable[[str, Progress], ChatModel],
        slots: Callable[[str], int] = lambda _name: 1,
    ) -> None:
        self.names = tuple(dict.fromkeys(names))
        self._load = load
        self._slots = {name: Slots(slots(name)) for name in self.names}
        self._models: dict[str, Future[ChatModel]] = {}
        """Those that are here, and those on their way."""
        self._lock = threading.Lock()
        self._arriving: dict[str, Arrival | None] = dict.fromkeys(self.names)
        self._waiting_for: dict[str, list[Callable[[], None]]] = {name: [] for name in self.names}

    @property
    def default(self) -> str:
        return self.names[0]

    def check(self, name: str) -> str:
        """Return the name.

        Raises:
            UnknownModelError: it is not offered.
        """
        if name not in self._slots:
            raise UnknownModelError(f"There is no model {name[:80]!r} here; choose one of {', '.join(self.names)}.")
        return name

    def model(
        self, name: str, changed: Callable[[], None] = lambda: None, stopped: threading.Event | None = None
    ) -> ChatModel:
        """Return a model, loading it first if nobody has used it yet.

        Args:
            changed: told when the model is further on its way here.
            stopped: ends the waiting; the model comes all the same, for the next who asks.

        Raises:
            ModelError: it is not offered, cannot be had, or was not waited for.
        """
        self.check(name)
        with self._told(name, changed):
            with self._lock:
                model = self._models.get(name)
                if model is None:
                    model = self._models[name] = Future()
                    threading.Thread(target=self._fetch, args=(name, model), name=f"load-{name}", daemon=True).start()
            while not wait([model], _LOOK_SECONDS).done:
                if stopped is not None and stopped.is_set():
                    raise ModelError(f"The run was stopped before {name} was there.")
        return model.result()

    def _fetch(self, name: str, model: Future[ChatModel]) -> None:
        self._arrive(name, Arrival())
        try:
            loaded = self._load(name, partial(self._progress, name))
        except BaseException as error:
            with self._lock:  # who asks again tries again
                self._models.pop(name, None)
            self._arrive(name, None)
            model.set_exception(error)
        else:
            self._arrive(name, None)
            with self._lock:
                closed = self._models.get(name) is not model
                model.set_result(loaded)
            if closed:
                loaded.close()

    @contextmanager
    def _told(self, name: str, changed: Callable[[], None]) -> Iterator[None]:
        self._waiting_for[name].append(changed)
        try:
            yield
        finally:
            self._waiting_for[name].remove(changed)

    def _progress(self, name: str, done: int, total: int, source: str) -> None:
        told = self._arriving[name] or Arrival()
        step = total // 200 or 2**22  # a download tells of every few kilobytes
        if source != told.source or done >= total > 0 or abs(done - told.done) >= step:
            self._arrive(name, Arrival(source, done, total))

    def _arrive(self, name: str, arrival: Arrival | None) -> None:
        self._arriving[name] = arrival
        for changed in list(self._waiting_for[name]):
            changed()

    def loaded(self, name: str) -> bool:
        model = self._models.get(name)
        return model is not None and model.done()

    def arriving(self, name: str) -> Arrival | None:
        """Return how far a model is that is on its way here; None if it is not."""
        return self._arriving[name]

    def for_session(
        self, name: str, changed: Callable[[], None] = lambda: None, stopped: threading.Event | None = None
    ) -> SessionModel:
        """Return a session's view of a model; the model itself is loaded when it is first asked for a reply.

        Args:
            changed: told when its place in the queue has changed, or the model is further on its way.
            stopped: set while the session's run is to end.

        Raises:
            UnknownModelError: it is not offered.
        """
        self.check(name)
        return SessionModel(name, lambda: self.model(name, changed, stopped), self._slots[name], changed)

    def waiting(self, name: str | None = None) -> int:
        """Return how many replies wait for a slot of a model, or of any."""
        return sum(slots.waiting for each, slots in self._slots.items() if name in (None, each))

    def close(self) -> None:
        """Free all that was loaded; safe to call twice."""
        with self._lock:
            models = [model.result() for name, model in self._models.items() if self.loaded(name)]
            self._models.clear()
        for model in models:
            model.close()

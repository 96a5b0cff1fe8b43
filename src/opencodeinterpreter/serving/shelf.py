"""The models that a server offers, each loaded once, when it is first asked for."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from opencodeinterpreter.errors import UnknownModelError
from opencodeinterpreter.models.base import ChatModel
from opencodeinterpreter.serving.fair_queue import SessionModel, Slots


class ModelShelf:
    """Holds what sessions share. Nothing but the names offered can be had: a name can also be a path or a download.

    Args:
        names: what may be asked for; the first is the default.
        load: loads a model by its name.
        slots: how many replies the model of a name gives side by side.
    """

    def __init__(
        self, names: Sequence[str], load: Callable[[str], ChatModel], slots: Callable[[str], int] = lambda _name: 1
    ) -> None:
        self.names = tuple(dict.fromkeys(names))
        self._load = load
        self._slots = {name: Slots(slots(name)) for name in self.names}
        self._loaded: dict[str, ChatModel] = {}
        self._locks = {name: threading.Lock() for name in self.names}

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

    def model(self, name: str) -> ChatModel:
        """Return a model, loading it first if nobody has used it yet.

        Raises:
            ModelError: it is not offered, or cannot be had.
        """
        self.check(name)
        with self._locks[name]:
            if name not in self._loaded:
                self._loaded[name] = self._load(name)
            return self._loaded[name]

    def loaded(self, name: str) -> bool:
        return name in self._loaded

    def for_session(self, name: str, changed: Callable[[], None] = lambda: None) -> SessionModel:
        """Return a session's view of a model; the model itself is loaded when it is first asked for a reply.

        Raises:
            UnknownModelError: it is not offered.
        """
        self.check(name)
        return SessionModel(name, lambda: self.model(name), self._slots[name], changed)

    def waiting(self, name: str | None = None) -> int:
        """Return how many replies wait for a slot of a model, or of any."""
        return sum(slots.waiting for each, slots in self._slots.items() if name in (None, each))

    def close(self) -> None:
        """Free all that was loaded; safe to call twice."""
        for name in list(self._loaded):
            self._loaded.pop(name).close()

"""What a key may have at the same time, and in all."""

from __future__ import annotations

from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.refusals import OverloadedError


class Quotas:
    """Checks the limits of keys against what the hub holds for them."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    def check_sessions(self, key: Key) -> None:
        """Let a key make one more session.

        Raises:
            OverloadedError: it has as many as it may.
        """
        if key.sessions is not None and len(self._hub.infos(key.name)) >= key.sessions:
            raise OverloadedError(f"This key may have {key.sessions} sessions; delete one first.", 60)

    def check_running(self, key: Key) -> None:
        """Let a key begin one more run.

        Raises:
            OverloadedError: as many as it may have are running.
        """
        if key.running is None:
            return
        running = sum(room.owner == key.name and room.state in ("running", "waiting") for room in self._hub.rooms())
        if running >= key.running:
            raise OverloadedError(f"This key may have {key.running} runs at a time; wait for one to end.", 5)

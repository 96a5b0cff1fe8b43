"""The request of a run that waits for a person: shown by its number, and decided once."""

from __future__ import annotations

from typing import Any

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import ApprovalRequest, InstallRequest, ToolRequest
from opencodeinterpreter.serving.refusals import NothingWaitsError

Asked = ApprovalRequest | InstallRequest | ToolRequest


class Pending:
    """What waits for a decision, if anything does. Whoever uses it holds the room's lock."""

    def __init__(self) -> None:
        self._request: tuple[int, Asked] | None = None

    def __bool__(self) -> bool:
        return self._request is not None

    def wait_on(self, number: int, request: Asked) -> None:
        """Take the request of the event ``number`` for the one that waits."""
        self._request = (number, request)

    def clear(self) -> None:
        """Nothing waits any more."""
        self._request = None

    def to_json(self) -> dict[str, Any] | None:
        """Return the request, with the number of its event; None if nothing waits."""
        request = self._request
        return {**request[1].to_json(), "seq": request[0]} if request else None

    def decide(self, verb: str, text: str) -> None:
        """Decide: "approve", "edit" (with the code) or "reject" (with a reason).

        Raises:
            NothingWaitsError: nothing waits.
            InputError: a decision that cannot be made of it.
        """
        if self._request is None:
            raise NothingWaitsError("Nothing waits for a decision.")
        _, request = self._request
        if verb == "edit":
            if not isinstance(request, ApprovalRequest) or not text.strip():
                raise InputError("Only code can be edited, and not to nothing.")
            request.edit(text)
        elif verb == "approve":
            request.approve()
        else:
            request.reject(text)
        self._request = None

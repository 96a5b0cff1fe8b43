"""What the server refuses, each with the status that says so over HTTP."""

from __future__ import annotations

from opencodeinterpreter.errors import (
    ContextLengthError,
    InputError,
    ModelError,
    OcintError,
    SandboxError,
    SessionBusyError,
    SessionError,
    UnknownModelError,
    UnknownSessionError,
)

FAILED = {"model": 502, "sandbox": 503, "input": 400}
"""The status for a turn that has failed, by the kind of its failure: what a client's mistake is must not look like the
server's, for client libraries send that again by themselves."""


class BusyError(OcintError):
    """The session is doing something else."""


class NothingWaitsError(OcintError):
    """A decision for which no request waits."""


class OverloadedError(OcintError):
    """There is no room for it now.

    Args:
        message: why, as a sentence.
        retry_after: seconds after which it may be worth trying again.
    """

    def __init__(self, message: str, retry_after: int = 5) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ClosingError(OverloadedError):
    """The server is about to end."""


class TooLargeError(InputError):
    """A body or a file past the limit."""


class NotHereError(InputError):
    """There is no such file or output."""


_STATUS: tuple[tuple[type[OcintError], int, str], ...] = (
    (ClosingError, 503, "closing"),
    (OverloadedError, 429, "overloaded"),
    (TooLargeError, 413, "too_large"),
    (BusyError, 409, "busy"),
    (NothingWaitsError, 409, "nothing_waits"),
    (SessionBusyError, 409, "busy"),
    (NotHereError, 404, "not_found"),
    (UnknownSessionError, 404, "not_found"),
    (UnknownModelError, 404, "model_not_found"),
    (ContextLengthError, 400, "context_length"),
    (InputError, 400, "bad_request"),
    (SessionError, 507, "session"),
    (SandboxError, 503, "sandbox"),
    (ModelError, 502, "model"),
)


def status_of(error: OcintError) -> tuple[int, str]:
    """Return the HTTP status and the short name of an error."""
    for kind, status, name in _STATUS:
        if isinstance(error, kind):
            return status, name
    return 400, "bad_request"

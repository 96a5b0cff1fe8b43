"""Puts together what a run gave and why it ended, into its result."""

from __future__ import annotations

import re

from opencodeinterpreter.sandbox.base import ErrorInfo, ExecutionResult, FileChange, Reason, Status
from opencodeinterpreter.sandbox.output import OutputCollector

_LIMIT_ERRORS: tuple[tuple[str, str, Reason], ...] = (
    (r"MemoryError|_ArrayMemoryError", "", "memory"),
    (r"RuntimeError", r"can't start new thread", "processes"),
    (r"BlockingIOError|OSError", r"\[Errno 11\] Resource temporarily unavailable", "processes"),
    (r"OSError", r"\[Errno 12\] Cannot allocate memory", "memory"),
    (r"OSError", r"\[Errno 24\] Too many open files", "open files"),
    (r"OSError", r"\[Errno (27|28|122)\]", "disk"),
)
"""(exception, text, limit): how the limits that the system enforces look from within Python."""


def judge(
    output: OutputCollector,
    reason: Reason | None,
    alive: bool,
    changes: tuple[FileChange, ...],
    duration: float,
    lost: bool,
    isolation: str,
) -> ExecutionResult:
    """Return the result of a run.

    Args:
        output: what it put out.
        reason: why it was ended, if it was.
        alive: whether the kernel lived through it.
        changes: the files that it made or changed.
        duration: seconds.
        lost: whether variables of earlier runs are gone.
        isolation: what it ran in.
    """
    status, reason, error = _ending(output.error, reason, alive)
    return ExecutionResult(
        status=status,
        reason=reason,
        stdout=output.texts.text("stdout"),
        stderr=output.texts.text("stderr"),
        result=output.result,
        error=error,
        artifacts=(*output.displays, *changes),
        duration=duration,
        state_lost=lost,
        omitted_bytes=output.texts.omitted + output.omitted,
        log=output.texts.log,
        isolation=isolation,
    )


def _ending(
    error: ErrorInfo | None, reason: Reason | None, alive: bool
) -> tuple[Status, Reason | None, ErrorInfo | None]:
    if reason in ("wall time", "cpu time"):
        return "timeout", reason, error
    if reason is not None:
        return "killed", reason, error
    if not alive:
        return "killed", "kernel died", error
    if error is None or (error.name == "SystemExit" and error.value in ("", "0", "None")):
        return "ok", None, None
    return "error", _limit_met(error), error


def _limit_met(error: ErrorInfo) -> Reason | None:
    for name, text, reason in _LIMIT_ERRORS:
        if re.fullmatch(name, error.name) and re.search(text, error.value):
            return reason
    return None

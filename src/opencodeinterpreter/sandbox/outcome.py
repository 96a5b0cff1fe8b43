"""Puts together what a run gave and why it ended, into its result."""

from __future__ import annotations

import re

from opencodeinterpreter.sandbox.base import ErrorInfo, ExecutionResult, FileChange, Reason, Status
from opencodeinterpreter.sandbox.output import OutputCollector

_LIMIT_ERRORS: tuple[tuple[str, str, str, Reason], ...] = (
    (r"MemoryError|_ArrayMemoryError", "", "", "memory"),
    (r"RuntimeError", r"can't start new thread", "", "processes"),
    # Reading what is not there yet gives the same error.
    (r"BlockingIOError", r"\[Errno 11\]", "fork", "processes"),
    (r"OSError", r"\[Errno 12\]", "", "memory"),
    (r"OSError", r"\[Errno 24\]", "", "open files"),
    (r"OSError", r"\[Errno (27|28|122)\]", "", "disk"),
)
"""(exception, its text, part of its traceback, limit): how the limits that the system enforces look in Python."""


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
    for name, text, trace, reason in _LIMIT_ERRORS:
        if re.fullmatch(name, error.name) and re.search(text, error.value) and trace in error.traceback:
            return reason
    return None

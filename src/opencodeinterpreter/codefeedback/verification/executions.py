"""What code gave when it really ran, and the message that tells a model of it."""

from __future__ import annotations

import re
import signal
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from opencodeinterpreter.interpreter.feedback import short_traceback, shorten
from opencodeinterpreter.sandbox import ExecutionResult, failure_texts
from opencodeinterpreter.sandbox.base import Status

FEEDBACK = f"{failure_texts.EXECUTION} \n"
"""How the user message begins that carries an execution's result (Code-Feedback)."""

_PATH = r"(?:/[^\s\"':,/]+){1,30}/"
_LIBRARY = re.compile(rf"(?<![^\s\"':,]){_PATH}(?=site-packages/)|(?<![^\s\"':,]){_PATH}lib/(?=python3\.\d+/)")


@dataclass(frozen=True)
class Execution:
    """What code gave when it really ran."""

    status: Status
    reason: str = ""
    """which limit ended it; empty if none did"""
    stdout: str = ""
    """what was printed; of a cell also the value of its last expression, as a notebook shows it below"""
    stderr: str = ""
    error: str = ""
    """the traceback, with the frames of the code itself alone, or in a sentence how the code ended"""
    seconds: float = 0.0
    """of wall time"""
    passed: bool | None = None
    """whether the tests passed; None if there were none"""

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    def to_json(self) -> dict[str, Any]:
        """Return what a message's meta holds as ``exec``; whole seconds, so that the same code gives the same row."""
        return {
            "status": self.status,
            "reason": self.reason,
            "stdout": self.stdout,
            "stderr": self.stderr,
            "error": self.error,
            "seconds": round(self.seconds),
        }

    @classmethod
    def from_json(cls, row: Mapping[str, Any]) -> Execution:
        """Rebuild from a message's meta; a field that is missing is empty."""
        texts = {name: str(row.get(name) or "") for name in ("reason", "stdout", "stderr", "error")}
        status = str(row.get("status"))
        if status not in ("ok", "error", "timeout", "killed"):
            status = "error"
        return cls(status, seconds=float(row.get("seconds") or 0), **texts)  # type: ignore[arg-type]


def feedback_text(execution: Execution) -> str:
    """Return the user message that tells of an execution, in the form of Code-Feedback; made of ``to_json`` alone."""
    parts = [execution.stdout, execution.stderr, execution.error]
    if execution.status in ("timeout", "killed"):
        parts.append(_ended(execution.status, execution.reason))
    said = [shorten(part.strip("\n").rstrip()) for part in parts if part.strip()]
    return FEEDBACK + ("\n".join(said) or "The code ran without error and printed nothing.")


def _ended(status: Status, reason: str) -> str:
    if status == "timeout":
        return failure_texts.TOO_LONG
    if reason in ("", "kernel died"):
        return failure_texts.KERNEL_GONE
    return failure_texts.OVER_LIMIT.format(reason)


def of_cell(result: ExecutionResult) -> Execution:
    """Return what a cell gave."""
    error = _traceback(result)
    if result.state_lost:
        error = f"{error}\nThe interpreter was restarted: all variables and imports are gone.".lstrip("\n")
    value = "" if result.result is None else result.result
    printed = result.stdout if not value or not result.stdout or result.stdout.endswith("\n") else result.stdout + "\n"
    return Execution(
        status=result.status,
        reason=result.reason or "",
        stdout=_tidy(printed + value),
        stderr=_tidy(result.stderr),
        error=_tidy(error),
        seconds=result.duration,
    )


def _traceback(result: ExecutionResult) -> str:
    if result.error is None:
        return ""
    text = short_traceback(result.error)
    return f"Traceback (most recent call last):\n{text}" if text.lstrip().startswith("File ") else text


def of_program(result: Mapping[str, Any], *, tested: bool) -> Execution:
    """Return what a program gave for one input."""
    told: list[Mapping[str, Any]] = result["told"]
    error = next((row["error"] for row in told if isinstance(row.get("error"), dict)), None)
    steps = [row.get("step") for row in told]
    status: Status = "ok"
    reason, text = "", ""
    if result["ended"]:
        status, reason = ("timeout" if result["ended"] == "wall time" else "killed"), str(result["ended"])
    elif result["status"] != 0 or error is not None:
        status, text = "error", _failure(error, int(result["status"]))
        reason = "memory" if error is not None and error.get("name") == "MemoryError" else ""
    elif tested and "end" not in steps:
        status = "error"
        text = failure_texts.BEFORE_TESTS if "tests" not in steps else failure_texts.AMID_TESTS
    return Execution(
        status=status,
        reason=reason,
        stdout=_tidy(str(result["stdout"])),
        stderr=_tidy(str(result["stderr"])),
        error=_tidy(text),
        seconds=float(result["seconds"]),
        passed=(status == "ok") if tested else None,
    )


def _failure(error: Mapping[str, Any] | None, status: int) -> str:
    if error is not None and error.get("traceback"):
        return shorten(str(error["traceback"]).rstrip())
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else str(-status)
        return failure_texts.BY_SIGNAL.format(name)
    return failure_texts.BY_STATUS.format(status)


def same_output(given: str, expected: str) -> bool:
    return _lines(given) == _lines(expected)


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in text.strip().splitlines()]


def wrong_output(given: str, expected: str, actual: str) -> str:
    shown = [shorten(text.rstrip(), 1000) for text in (given, expected, actual)]
    return "{}\nInput:\n{}\nExpected output:\n{}\nActual output:\n{}".format(failure_texts.WRONG_OUTPUT, *shown)


def _tidy(text: str) -> str:
    """Shorten the paths of the library in warnings and tracebacks: where it lies says something about the host."""
    return _LIBRARY.sub("", text)

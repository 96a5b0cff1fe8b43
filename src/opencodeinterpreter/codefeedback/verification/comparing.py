"""Whether an execution that a dialog tells of is the one that its code gives."""

from __future__ import annotations

import re
from typing import Final

from opencodeinterpreter.codefeedback.verification.executions import Execution

_CHANGING: Final = (
    # An object's address, and what is made of it.
    (re.compile(r"\b0x[0-9a-fA-F]{6,}\b"), "0x*"),
    (re.compile(r"\bid=\d{9,}\b"), "id=*"),
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "UUID"),
    # Moments and spans of time.
    (re.compile(r"\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?(?:Z|[+-]\d\d:?\d\d)?"), "DATE"),
    (re.compile(r"\b\d?\d:\d\d(?::\d\d(?:[.,]\d+)?)?\b"), "TIME"),
    (
        re.compile(
            r"\b\d+(?:\.\d+)?(?:e[-+]?\d+)?\s*(?:seconds?|secs?|s|ms|milliseconds?|µs|us|microseconds?|ns|nanoseconds?)\b"
        ),
        "SPAN",
    ),
    (re.compile(r"(?<=\btime: )\d+\.\d+|(?<=\btime taken: )\d+\.\d+|(?<=\belapsed: )\d+\.\d+", re.IGNORECASE), "SPAN"),
    # Where files lie, and what the program's own file is called.
    (re.compile(r"<cell \d+>|\bsolution\.py\b|<ipython-input-[^>]*>|<stdin>|<string>"), "FILE"),
    (re.compile(r"(?<![\w.])(?:~|\.{1,2})?(?:/[\w.@%+~-]+)+/(?=[\w.@%+~-]+)"), ""),
    (re.compile(r"\btmp[\w]{6,10}\b"), "TMP"),
    (re.compile(r"\b(?:pid|PID|process)[ =:]+\d+"), "PID"),
    (re.compile(r"^The interpreter was restarted: .*$", re.MULTILINE), ""),
)


def same_execution(recorded: Execution, now: Execution) -> bool:
    """Return whether two executions gave the same but for addresses, times, paths and names of temporary files."""
    if recorded.status != now.status or recorded.reason != now.reason:
        return False
    if recorded.status in ("timeout", "killed"):
        return True  # how far it came depends on the machine
    return steady(_told(recorded)) == steady(_told(now))


def steady(text: str) -> str:
    """Return a text with all that changes from run to run replaced by marks, and without blanks at ends of lines."""
    for pattern, mark in _CHANGING:
        text = pattern.sub(mark, text)
    return "\n".join(line.rstrip() for line in text.strip().splitlines() if line.strip())


def _told(execution: Execution) -> str:
    return "\n".join((execution.stdout, execution.stderr, execution.error))

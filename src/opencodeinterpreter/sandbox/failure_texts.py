"""The sentences in which a message tells of an execution that failed, and how they are known again.

``interpreter`` and ``codefeedback`` write them; training, which must not count the attempt that failed, reads them.
"""

from __future__ import annotations

import re
from typing import Final

EXECUTION: Final = "Execution result:"
"""How the user message begins that carries an execution's result (Code-Feedback)."""

RAN: Final = "the code ran without error."
FAILED: Final = "the code failed with {}."
USED_UP: Final = "the code was stopped after {}: it used up its {}."
STOPPED_BY_USER: Final = "the user stopped the code after {}."
KERNEL_ENDED: Final = "the interpreter process ended while the code ran (after {})."
EXCEEDED: Final = "the code was ended after {}: it exceeded the limit on {}."
"""What a session's message says right after ``EXECUTION``; ``RAN`` alone tells of success."""

TOO_LONG: Final = "The code was stopped: it ran longer than its time limit."
KERNEL_GONE: Final = "The interpreter process ended while the code ran."
OVER_LIMIT: Final = "The code was ended: it exceeded its limit on {}."
BY_SIGNAL: Final = "The program's process was ended by signal {}."
BY_STATUS: Final = "The program ended with exit status {}."
BEFORE_TESTS: Final = "The program ended before its tests began."
AMID_TESTS: Final = "The program ended in the middle of its tests."
"""How a message of a data set ends, below what was printed."""

WRONG_OUTPUT: Final = "Wrong output."
"""The line above what was given, what was expected and what came."""


def _pattern(*sentences: str) -> str:
    return "|".join(re.escape(each).replace(r"\{\}", ".{1,200}?") for each in sentences)


_AT_FIRST: Final = re.compile(_pattern(FAILED, USED_UP, STOPPED_BY_USER, KERNEL_ENDED, EXCEEDED))
_AT_LAST: Final = re.compile(
    _pattern(TOO_LONG, KERNEL_GONE, OVER_LIMIT, BY_SIGNAL, BY_STATUS, BEFORE_TESTS, AMID_TESTS)
)
_ANYWHERE: Final = re.compile(
    r"Traceback \(most recent call last\)"
    r"|^\s*(?:[\w.]*(?:Error|Exception)(?::|\s*$)|Execution timed out)"
    rf"|^{re.escape(WRONG_OUTPUT)}\nInput:$",
    re.MULTILINE,
)
"""What tracebacks have, and the published data sets' own words."""


def tells_failure(text: str) -> bool:
    """Return whether the text of an execution result tells of code that failed; with ``EXECUTION`` before it or not.

    A text of a session says it in its first line. Of others it is found by how failures are told: a program that prints
    a traceback and goes on is taken for one that failed.
    """
    body = text.removeprefix(EXECUTION)
    first = body.partition("\n")[0].strip()
    if first == RAN:
        return False
    last = body.rstrip().rpartition("\n")[2]
    return bool(_AT_FIRST.fullmatch(first) or _AT_LAST.fullmatch(last) or _ANYWHERE.search(body))

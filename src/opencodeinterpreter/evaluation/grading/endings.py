"""What the end of a run, or an exception within it, means for the call that was in progress."""

from __future__ import annotations

import json
import re

from opencodeinterpreter.evaluation.grading.running import End
from opencodeinterpreter.evaluation.grading.values import cut
from opencodeinterpreter.evaluation.verdicts import Verdict

_CHARACTERS = 4000
_ENDINGS = {
    "load error": Verdict.ERROR,
    "died": Verdict.ERROR,
    "killed": Verdict.ERROR,
    "forged": Verdict.ERROR,
    "time": Verdict.TIMEOUT,
    "asleep": Verdict.TIMEOUT,
    "memory": Verdict.MEMORY,
    "disk": Verdict.ERROR,
    "output": Verdict.ERROR,
}
_TEXTS = {
    "time": "it took too much processor time",
    "asleep": "it waited for something that does not come",
    "memory": "it took too much memory",
    "disk": "it wrote too much to the disk",
    "output": "it returned too much",
}


def read_error(payload: bytes) -> tuple[str, bool]:
    """Return the text of an exception frame, and whether memory ran out; both as the program tells it."""
    try:
        _name, text, memory = json.loads(payload.decode("ascii"))
        return cut(str(text), _CHARACTERS), memory is True
    except (ValueError, TypeError, RecursionError):
        return "the program sent something that is no exception", False


def raised(error: str) -> str:
    """Return the exception of a traceback in one line: ``ValueError: no such thing``."""
    frames = re.match(r"(?:Traceback \(.*|File .*)(?:\n(?:[ \t].*|\.\.\.))*\n(?=\S)", error)
    return " ".join((error[frames.end() :] if frames else error).split())


def ending_verdict(end: End) -> tuple[Verdict, str]:
    """Return what a run's end means for the call that was in progress."""
    if end.ending == "load error":
        text, memory = read_error(end.text.encode("ascii", "replace"))
        return (Verdict.MEMORY if memory else Verdict.ERROR), text
    return _ENDINGS[end.ending], _TEXTS.get(end.ending, end.text)

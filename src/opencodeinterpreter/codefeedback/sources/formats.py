"""All formats that are known, and which one a record has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Final

from opencodeinterpreter.codefeedback.sources.base import Format
from opencodeinterpreter.codefeedback.sources.benchmarks import BENCHMARKS
from opencodeinterpreter.codefeedback.sources.bugs import BUGS
from opencodeinterpreter.codefeedback.sources.contests import CONTESTS
from opencodeinterpreter.codefeedback.sources.conversations import CONVERSATIONS
from opencodeinterpreter.codefeedback.sources.exercism import EXERCISM
from opencodeinterpreter.codefeedback.sources.functions import FUNCTIONS
from opencodeinterpreter.codefeedback.sources.leetcode import LEETCODE
from opencodeinterpreter.codefeedback.sources.own import OWN
from opencodeinterpreter.codefeedback.sources.pairs import PAIRS
from opencodeinterpreter.errors import ConfigError, InputError

FORMATS: Final[Mapping[str, Format]] = {
    each.name: each
    # Those that ask for more fields come first: the first that fits is taken.
    for each in (
        *OWN, *BENCHMARKS, *LEETCODE, *EXERCISM, *FUNCTIONS, *BUGS, *CONTESTS, *PAIRS, *CONVERSATIONS,
    )
}  # fmt: skip


def find_format(name: str) -> Format:
    """Return the format of this name.

    Raises:
        ConfigError: if there is none; names the nearest.
    """
    if name in FORMATS:
        return FORMATS[name]
    near = difflib.get_close_matches(name, FORMATS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(FORMATS)}"
    raise ConfigError(f"no format is called {name!r}{hint}")


def recognised(row: Mapping[str, Any]) -> Format:
    """Return the format that a record has.

    Raises:
        InputError: if it has none that is known.
    """
    for each in FORMATS.values():
        if each.recognises(row):
            return each
    shown = ", ".join(list(row)[:8]) or "no field at all"
    raise InputError(f"a record of no format that is known, with {shown}; say which it is with --format")

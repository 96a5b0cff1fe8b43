"""Planting an error into a working program, so that it really fails and nothing in it admits it."""

from __future__ import annotations

import difflib
import io
import re
import tokenize
from collections.abc import Callable

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.parts import Part, Unusable
from opencodeinterpreter.codefeedback.asking.replies import read_program
from opencodeinterpreter.codefeedback.verification.executions import Execution
from opencodeinterpreter.interpreter.code_actions import same_code
from opencodeinterpreter.models.response_cache import Reply

_ADMITS = re.compile(
    r"\b(?:errors?|mistakes?|bugs?|buggy|wrong\w*|incorrect\w*|intention\w*|deliberate\w*|infinite|should be|missing|"
    r"misspel\w*|typo|fix\w*|broken|oops|never ends|instead of|undefined|removed|changed)\b",
    re.IGNORECASE,
)
_ALIKE = 0.5
"""The share of lines that a program must have in common with what it was made from."""
_LAST_NAME = re.compile(r"^(?:\w+\.)*(\w+)(?::|$)")
_KINDS = {
    "SyntaxError": "syntax",
    "IndentationError": "syntax",
    "TabError": "syntax",
    "TypeError": "type",
    "NameError": "name",
    "UnboundLocalError": "name",
    "AssertionError": "logical",
}


def planted_program(planter: Part, working: str, kind: str, run: Callable[[str], Execution], seed: int) -> str:
    """Return the program with an error in it.

    Args:
        planter: the model in this part.
        working: the program, which is known to be right.
        kind: of the error to be planted; the model may have planted another, which the execution shows.
        run: runs a program, with its tests if there are any.
        seed: of further tries.

    Raises:
        Unusable: if no try gave a program that fails and does not admit it.
    """

    def read(reply: Reply) -> str:
        code = read_program(reply).code
        if same_code(code, working):
            raise Unusable("no error was planted", code[-300:])
        if admitted(code, working):
            raise Unusable("the planted error is admitted", code[-300:])
        if likeness(code, working) < _ALIKE:
            raise Unusable("more than an error was planted", code[-300:])
        if run(code).ok:
            raise Unusable("the planted error does no harm", code[-300:])
        return code

    return planter.say(prompts.planting(working, kind), read, seed, code=True)


def admitted(code: str, working: str) -> bool:
    """Hold for a program with a comment or name, not there before, that tells of an error."""
    before = set(_words(working))
    return any(_ADMITS.search(word) for word in _words(code) if word not in before)


def likeness(code: str, working: str) -> float:
    """Return the share of lines that two programs have in common, from 0 to 1."""
    one, other = ([line.strip() for line in text.splitlines() if line.strip()] for text in (code, working))
    # A program of two lines, one of which is changed, is still the same program.
    slack = 1 / max(1, len(other))
    return min(1.0, difflib.SequenceMatcher(None, one, other, autojunk=False).ratio() + slack)


def error_kind(execution: Execution) -> str:
    """Return which of the five kinds an execution shows; ``other`` for an error that is none of them."""
    if execution.status == "timeout":
        return "timeout"
    lines = [line for line in execution.error.strip().splitlines() if line.strip()]
    for line in reversed(lines):
        match = _LAST_NAME.match(line)
        if match and match[1] in _KINDS:
            return _KINDS[match[1]]
    if any(line.startswith("Wrong output.") for line in lines):
        return "logical"
    return "other"


def _words(code: str) -> list[str]:
    """Return the comments of a program and the names in it; of one that cannot be read, what follows a ``#``."""
    words = []
    try:
        for token in tokenize.generate_tokens(io.StringIO(code).readline):
            if token.type == tokenize.COMMENT:
                words.append(token.string.strip())
            elif token.type == tokenize.NAME:
                words.append(token.string.replace("_", " "))
    except (tokenize.TokenError, SyntaxError):
        words += [match.strip() for match in re.findall(r"#[^\n]*", code)]
    return words

"""What stands against taking a reply without code for the answer: facts that a person would check first."""

from __future__ import annotations

import ast
import re
from typing import Literal

from opencodeinterpreter.interpreter import feedback as texts
from opencodeinterpreter.interpreter.events import Round
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.sandbox import AnySandbox

ReminderKind = Literal["reply cut", "reformat", "repeated", "unfinished"]

_GIVEN_CODE = re.compile(r"```|^\s*(def|class|import|from|for|while|assert|print)\b.*[:(=\w]$", re.MULTILINE)
"""A task that brings code of the user's."""
_FILE_NAME = re.compile(
    r"[A-Za-z0-9À-ɏ_-]+\.(?:csv|tsv|txt|json|jsonl|md|html|xml|xlsx|png|jpe?g|svg|pdf|py|zip|db|sqlite|parquet|ya?ml)"
    r"(?![A-Za-z0-9_])"
)
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d+)*(?:\.\d+)?(?![\w%])")
_LONGEST_COMPARED = 200_000
_STATING = (
    *(ast.Module, ast.Expr, ast.Call, ast.Constant, ast.JoinedStr, ast.FormattedValue, ast.keyword),
    *(ast.List, ast.Tuple, ast.Dict, ast.Set, ast.UnaryOp, ast.USub),
)
"""What code is made of that only says a value."""


def objection(reply: str, turn: Turn, earlier: str, sandbox: AnySandbox) -> tuple[ReminderKind, str] | None:
    """Return the kind and the text of the reminder that a reply without code calls for, or None if it can stand.

    Args:
        reply: the reply.
        turn: the turn that it would end.
        earlier: what was said and shown in the turns before.
        sandbox: where the files of the task are.
    """
    if not reply.strip() or "<tool_call>" in reply:
        return "reformat", texts.reformat_feedback()
    executed = [round_ for round_ in turn.rounds if round_.result is not None]
    if not executed:
        if turn.files or _GIVEN_CODE.search(turn.task):
            return "reformat", texts.nothing_run_feedback()
    elif executed[-1].result is not None and not executed[-1].result.ok:
        return "unfinished", texts.unfinished_feedback()
    else:
        missing = missing_files(turn.task, sandbox)
        if missing:
            return "unfinished", texts.missing_files_feedback(missing)
    if _tells_unseen_values(reply, turn, executed, earlier):
        return "unfinished", texts.unseen_values_feedback()
    return None


def only_states_values(code: str, turn: Turn, earlier: str) -> bool:
    """Hold for code that computes nothing and puts out a number that is made up.

    It is if nothing said or shown has it, and also where the task gives code, whose result was asked for.
    """
    try:
        tree = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError):
        return False
    nodes = [node for node in ast.walk(tree) if not isinstance(node, ast.expr_context)]
    if not all(isinstance(node, _STATING) or (isinstance(node, ast.Name) and node.id == "print") for node in nodes):
        return False
    known = [] if _GIVEN_CODE.search(turn.task) else _numbers_in(_shown(turn, earlier))
    return any(not _is_known(number, known) for number in _NUMBER.findall(code))


def missing_files(task: str, sandbox: AnySandbox) -> list[str]:
    """Return the names of files in the task that are nowhere in the workspace."""
    named = dict.fromkeys(_FILE_NAME.findall(task))
    there = [info.path for info in sandbox.files()] if named else []
    return [name for name in named if not any(path.endswith(name) for path in there)]


def _tells_unseen_values(reply: str, turn: Turn, executed: list[Round], earlier: str) -> bool:
    """Hold for a reply with numbers that nothing said or shown has, where no code of the turn has put out any text.

    Words alone can be true without a run, and so can small talk about numbers: there must be something to compute with.
    """
    if not all(round_.result is not None and texts.is_silent(round_.result) for round_ in executed):
        return False
    if not executed and not earlier and not re.search(r"\d", turn.task):
        return False
    known = _numbers_in(_shown(turn, earlier))
    return any(not _is_known(number, known) for number in _NUMBER.findall(reply))


def _shown(turn: Turn, earlier: str) -> str:
    """Return what the turn so far, and what was before it, says and shows."""
    return "\n".join([earlier, turn.message, *(round_.feedback or "" for round_ in turn.rounds)])[-_LONGEST_COMPARED:]


def _numbers_in(text: str) -> list[float]:
    return [float(number.replace(",", "")) for number in re.findall(r"\d+(?:,\d+)*(?:\.\d+)?", text)]


def _is_known(number: str, known: list[float]) -> bool:
    """Hold for a number that is one of the known ones, rounded as it is written; single digits prove nothing."""
    plain = number.replace(",", "")
    if len(plain) < 2:
        return True
    decimal_comma = "." not in number and number.count(",") == 1
    readings = {plain, number.replace(",", ".") if decimal_comma else plain}
    for reading in readings:
        decimals = len(reading.partition(".")[2])
        slack = 0.5000001 * 10**-decimals if decimals else 1e-9 * float(reading)
        if any(abs(value - float(reading)) <= slack for value in known):
            return True
    return False

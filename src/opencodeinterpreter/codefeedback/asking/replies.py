"""What the stages read from models' replies, and what they refuse: code that is missing, code where none may be."""

from __future__ import annotations

import re
from dataclasses import dataclass

from opencodeinterpreter.codefeedback.asking.parts import Unusable
from opencodeinterpreter.codefeedback.verification.checks import fault_in
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.interpreter.code_actions import CodeActionReader, is_python, same_code
from opencodeinterpreter.models.response_cache import Reply

_THINK = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_FENCE = re.compile(r"```|~~~")
_QUOTED = re.compile(r"`([^`\n]*)`")
_NAME = re.compile(r"[\w.]+(?:\(\))?")
"""What may stand between backticks in plain words: a name."""
_INLINE = re.compile(
    r"(?<![\w=<>!])[\w.\]\[]+\s*(?:=|\+=|-=|==|!=)\s*[\w\[({\"'-]|\bdef \w+\s*\(|\blambda\b[^.]*:|\breturn \w+[(\[+*/-]"
    r"|\bimport \w+\s*$|\bprint\s*\("
)
_SENTENCE_END = re.compile(r"[.!?][\"')\]]*(?=\s|\Z)")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs)|(?:^|\n)\s*\d+)\.$", re.IGNORECASE)


@dataclass(frozen=True)
class Step:
    """One reply of a programmer, cut where its code closes."""

    text: str
    """what goes into the dialog"""
    code: str = ""
    """empty for words alone"""


def read_step(reply: Reply) -> Step:
    """Read a reply with or without code.

    The code stands in one block of the form that is trained on, however the model wrote it.

    Raises:
        Unusable: if it was cut off inside its code, says nothing, or promises code that is not there.
    """
    reader = CodeActionReader()
    reader.feed(reply.text)
    action = reader.finish()
    if action is None:
        return Step(read_words(reply))
    if not action.closed and reply.finish != "stop":
        raise Unusable("a reply that was cut off", reply.text[-200:])
    before = _THINK.sub("", reply.text[: action.start]).strip()
    code = action.code.strip("\n").rstrip()
    return Step(_in_order(with_code(before, code)), code)


def read_program(reply: Reply) -> Step:
    """Read a reply that must hold code.

    Raises:
        Unusable: as ``read_step``, and if there is none.
    """
    step = read_step(reply)
    if not step.code:
        raise Unusable("a reply without code", step.text[:200])
    return step


def read_change(reply: Reply, last: str) -> Step:
    """Read a reply that must hold another program than the last one.

    Raises:
        Unusable: as ``read_program``, and if it is the same code.
    """
    step = read_program(reply)
    if same_code(step.code, last):
        raise Unusable("the same code again", step.text[:200])
    return step


def read_verdict(reply: Reply) -> bool:
    """Read whether a model says yes.

    Raises:
        Unusable: if it says neither yes nor no.
    """
    match = re.match(r"\W*(?:(yes)|no)\b", _THINK.sub("", reply.text).strip(), re.IGNORECASE)
    if match is None:
        raise Unusable("neither yes nor no", reply.text[:200])
    return match[1] is not None


def with_code(text: str, code: str, language: str = "python") -> str:
    """Return a message that says something and then shows code; a fence is longer than any inside the code."""
    longest = max((len(marks) for marks in re.findall(r"^\s*(`{3,})", code, re.MULTILINE)), default=2)
    marks = "`" * max(3, longest + 1)
    block = f"{marks}{language}\n{code}\n{marks}"
    return f"{text.strip()}\n\n{block}" if text.strip() else block


def read_words(reply: Reply) -> str:
    """Read a reply in words alone.

    Raises:
        Unusable: if it is empty, cut off, a refusal, or holds or promises code.
    """
    text = _THINK.sub("", reply.text).strip()
    if not text or reply.finish != "stop":
        raise Unusable("an empty reply" if not text else "a reply that was cut off", text[-200:])
    if text.endswith(":"):
        raise Unusable("code that is promised and not there", text[-200:])
    if _FENCE.search(text):
        raise Unusable("a block that is no Python", text[:200])
    return _in_order(text)


def _in_order(text: str) -> str:
    """Return a message that will pass the verification of its dialog.

    Raises:
        Unusable: for a refusal, an invented execution result, or code that is promised and not there.
    """
    fault = fault_in(Dialog((Message("user", "."), Message("assistant", text))))
    if fault is not None:
        raise Unusable(fault.reason, fault.detail)
    return text


def plain_words(text: str, *, quotes: bool = False) -> str:
    """Return a text that holds no code.

    Names between backticks are words; statements, calls with arguments, fences and JSON are code.

    Args:
        text: what a model wrote.
        quotes: let short pieces of code between backticks pass, as in a text that explains a mistake.

    Raises:
        Unusable: if it holds some, or nothing.
    """
    text = _THINK.sub("", text).strip()
    if not text:
        raise Unusable("an empty reply")
    said = _QUOTED.sub("it", text) if quotes else text
    quoted = [match for match in _QUOTED.findall(said) if not _NAME.fullmatch(match)]
    lines = [line.strip() for line in said.splitlines()]
    if _FENCE.search(text) or quoted or _INLINE.search(said) or any(_is_code(line) for line in lines):
        raise Unusable("code where only words may be", text[:200])
    return text


def _is_code(line: str) -> bool:
    return bool(line) and (is_python(line) or is_python(f"{line}\n    pass") or line.startswith(("{", "}", "#include")))


def first_sentences(reply: Reply, most: int) -> str:
    """Return the beginning of a reply, up to so many whole sentences; a model that goes on and on is cut.

    Raises:
        Unusable: if not one sentence is whole.
    """
    text = _THINK.sub("", reply.text).strip()
    ends = _ends(text)
    if len(ends) >= most:
        return text[: ends[most - 1]].strip()
    if reply.finish == "stop":
        return text
    if not ends:
        raise Unusable("a reply that was cut off", text[-200:])
    return text[: ends[-1]].strip()


def _ends(text: str) -> list[int]:
    ends = [match.end() for match in _SENTENCE_END.finditer(text)]
    return [end for end in ends if not _ABBREVIATION.search(text[:end])]


def sentences(text: str) -> int:
    """Count sentences: what ends with a mark, and what is left at the end. ``3.5`` and ``e.g.`` end nothing."""
    ends = _ends(text)
    rest = text[ends[-1] :] if ends else text
    return len(ends) + bool(re.search(r"\w", rest))

"""Examples that a prompt describes without writing the call."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from opencodeinterpreter.evaluation.written import literal_at, only_spaces_after, same_line

Described = tuple[int, int, tuple[str, ...], str]
"""Where it begins and ends in the text, the arguments, the result."""

_NAMED: Final = re.compile(r"\s*(?P<name>[A-Za-z_]\w*)\s*[=:]\s*")
_FOR: Final = re.compile(r"\b[Ff]or\s+(?=\w+\s*=)")
_RESULT: Final = re.compile(r"\b(?:output|result|answer)\b[^\n]{0,40}?\b(?:be|is|are)\s+")
_INPUT: Final = re.compile(r"\bInput\s*:\s*")
_OUTPUT: Final = re.compile(r"\s*\bOutput\s*:\s*")
_ASSIGNMENT: Final = re.compile(r"^[ \t]*(?P<name>[A-Za-z_]\w*)[ \t]*(?:=[ \t]*|(?=\[))", re.MULTILINE)
_OUTCOME: Final = re.compile(r"^[ \t]*(?:=+>[ \t]*)?(?:return|result|output)\b[ \t]*=?[ \t]*", re.MULTILINE)


def described_examples(text: str, parameters: tuple[str, ...]) -> Iterator[Described]:
    """Find ``For x = 1 the output should be 2``, ``Input: 1  Output: 2``, and assignments with the result below.

    Args:
        text: what describes a function.
        parameters: the names of its parameters; without any, nothing is found.
    """
    if parameters:
        yield from _sentences(text, parameters)
        yield from _pairs(text, parameters)
        yield from _assignments(text, parameters)


def _sentences(text: str, parameters: tuple[str, ...]) -> Iterator[Described]:
    for match in _FOR.finditer(text):
        arguments, end = _named(text, match.end(), parameters)
        result = _RESULT.search(text, end, end + len(same_line(text, end)))
        written = literal_at(text, result.end()) if result else None
        if arguments and written:
            yield match.start(), written.end, arguments, written.source


def _pairs(text: str, parameters: tuple[str, ...]) -> Iterator[Described]:
    for match in _INPUT.finditer(text):
        arguments, end = _named(text, match.end(), parameters)
        alone = literal_at(text, match.end())
        if alone and len(parameters) == 1:
            arguments, end = (alone.source,), alone.end
        output = _OUTPUT.match(text, end)
        written = literal_at(text, output.end()) if output else None
        if arguments and written:
            yield match.start(), written.end, arguments, written.source


def _named(text: str, start: int, parameters: tuple[str, ...]) -> tuple[tuple[str, ...], int]:
    """Read ``a = 1, b = 2``; by name if the names are those of the parameters, else in order."""
    values: dict[str, str] = {}
    end = start
    while len(values) < len(parameters) and (name := _NAMED.match(text, end)):
        written = literal_at(text, name.end())
        if written is None:
            break
        values[name["name"]] = written.source
        end = written.end
        if text[end : end + 1] == ",":
            end += 1
    if len(values) != len(parameters):
        return (), end
    if set(values) == set(parameters):
        return tuple(values[name] for name in parameters), end
    return tuple(values.values()), end


def _assignments(text: str, parameters: tuple[str, ...]) -> Iterator[Described]:
    arguments: list[str] = []
    start = position = 0
    for line in text.split("\n"):
        outcome = _OUTCOME.match(text, position)
        assignment = _ASSIGNMENT.match(text, position)
        begun = outcome or assignment
        written = literal_at(text, begun.end()) if begun else None
        if written and only_spaces_after(text, written.end):
            if outcome:
                if len(arguments) == len(parameters):
                    yield start, written.end, tuple(arguments), written.source
                arguments = []
            else:
                start = start if arguments else position
                arguments.append(written.source)
        position += len(line) + 1

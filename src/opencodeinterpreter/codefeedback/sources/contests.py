"""Contest problems in the layout of APPS and TACO: solutions and tests are JSON texts inside the record."""

from __future__ import annotations

import json
from typing import Any, Final

from opencodeinterpreter.codefeedback.languages import language_of_code
from opencodeinterpreter.codefeedback.rows import Problem, Solution, Tests
from opencodeinterpreter.codefeedback.sources.base import Format, Given
from opencodeinterpreter.errors import InputError

_SOLUTIONS: Final = 20
"""Of one problem that are kept; some have hundreds, hardly different."""


def _contest(given: Given) -> Problem:
    fields = given.fields("a contest problem")
    statement = fields.text("question", required=True).strip()
    if starter := fields.text("starter_code").strip():
        statement += f"\n\nComplete this code:\n```python\n{starter}\n```"
    codes = _inner(given.row.get("solutions"), "solutions", [])
    if not isinstance(codes, list) or not all(isinstance(code, str) for code in codes):
        raise InputError("solutions of a contest problem must be a list of texts")
    tags = _inner(given.row.get("tags"), "tags", [])
    name = _name(given)
    return Problem(
        id=name,
        title=fields.text("name") or name.rpartition("/")[2],
        statement=statement,
        solutions=tuple(
            Solution(code, given.language or language_of_code(code) or "python")
            for code in codes[:_SOLUTIONS]
            if code.strip()
        ),
        tests=_tests(_inner(given.row.get("input_output"), "input_output", {})),
        language=given.language or "python",
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        difficulty=fields.text("difficulty").lower(),
        source=given.source,
        licence=given.licence,
        meta={name: given.row[name] for name in ("url", "source") if isinstance(given.row.get(name), str)},
    )


def _name(given: Given) -> str:
    number = given.row.get("problem_id")
    return given.named(str(number)) if isinstance(number, int | str) and str(number) else given.id


def _inner(value: Any, name: str, empty: Any) -> Any:
    """Read a field that is JSON inside a text, or already what that text says."""
    if value is None or value == "":
        return empty
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError) as error:
        if name == "tags":
            return [value]
        raise InputError(f"{name} of a contest problem is a text that is no JSON: {error}") from error


def _tests(given: Any) -> Tests | None:
    if not isinstance(given, dict):
        raise InputError("input_output of a contest problem must be an object")
    inputs, outputs = given.get("inputs", []), given.get("outputs", [])
    if not isinstance(inputs, list) or not isinstance(outputs, list) or len(inputs) != len(outputs):
        raise InputError("a contest problem must have as many outputs as inputs")
    if not inputs:
        return None
    if isinstance(function := given.get("fn_name"), str) and function:
        return Tests(_calls(function, inputs, outputs), function)
    return Tests(cases=tuple((_text(one), _text(other)) for one, other in zip(inputs, outputs, strict=True)))


def _text(value: Any) -> str:
    """Return what is typed in or printed; some data sets keep a list of its lines."""
    return "\n".join(map(str, value)) if isinstance(value, list) else str(value)


def _calls(function: str, inputs: list[Any], outputs: list[Any]) -> str:
    """Return a program that calls the function with each input; an output may stand in a list of its own."""
    cases = [[one if isinstance(one, list) else [one], other] for one, other in zip(inputs, outputs, strict=True)]
    return (
        "import json\n\n"
        f"_function = globals().get({function!r}) or getattr(Solution(), {function!r})\n"
        f"for _given, _wanted in json.loads({json.dumps(cases)!r}):\n"
        "    _found = json.loads(json.dumps(_function(*_given)))\n"
        "    assert _found == _wanted or [_found] == _wanted, (_given, _found, _wanted)\n"
    )


CONTESTS: Final = (
    Format(
        "apps",
        "APPS and TACO: question, solutions, input_output, difficulty",
        frozenset({"question", "solutions", "input_output"}),
        _contest,
    ),
)

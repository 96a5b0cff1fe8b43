"""Settings of stages as people give them, in a recipe or on the command line: checked, with the nearest name."""

from __future__ import annotations

import dataclasses
import difflib
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from opencodeinterpreter.errors import ConfigError

T = TypeVar("T")


def must_be_known(names: Iterable[str], known: Iterable[str], what: str) -> None:
    """Check names that a person has written.

    Args:
        names: that were given.
        known: that there are.
        what: is named so, for the sentence: ``the stage read has no setting``.

    Raises:
        ConfigError: for the first that is not known; it names the nearest.
    """
    there = list(known)
    for name in names:
        if name not in there:
            near = difflib.get_close_matches(str(name), there, n=1, cutoff=0.5)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(there) or 'none'}"
            raise ConfigError(f"{what} {str(name)!r}; {hint}")


def names_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields that a person can set: those of plain values."""
    hints = get_type_hints(kind)
    return tuple(each.name for each in dataclasses.fields(kind) if not dataclasses.is_dataclass(hints[each.name]))


def settings_from(kind: type[T], given: Mapping[str, Any], what: str) -> T:
    """Make a dataclass of settings out of plain values, as YAML and JSON have them.

    Raises:
        ConfigError: for a name that is not known or a value of a wrong type.
    """
    must_be_known(given, names_of(kind), f"{what} has no setting")
    hints = get_type_hints(kind)
    values = {name: _value(value, hints[name], f"{name} of {what}") for name, value in given.items()}
    return kind(**values)


def _value(value: Any, hint: Any, what: str) -> Any:
    origin, inner = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in inner:
            return None
        return _value(value, next(each for each in inner if each is not type(None)), what)
    if origin is Literal:
        if value not in inner:
            raise ConfigError(f"{what} must be one of {', '.join(map(str, inner))}, not {value!r}")
        return value
    if origin is tuple:
        items = value if isinstance(value, list | tuple) else [value]
        return tuple(_value(each, inner[0], f"each {what}") for each in items)
    if hint is Path and isinstance(value, str | Path):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(hint, type) or not isinstance(value, hint) or (isinstance(value, bool) and hint is not bool):
        wanted = {str: "text", int: "a whole number", float: "a number", bool: "true or false", Path: "a file's name"}
        raise ConfigError(f"{what} must be {wanted.get(hint, getattr(hint, '__name__', str(hint)))}, not {value!r}")
    return value

"""Reading an object that came from outside, field by field, with a sentence for each that cannot be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from opencodeinterpreter.errors import InputError

T = TypeVar("T")


class Fields:
    """The fields of one object, each checked when it is asked for.

    Args:
        row: the object.
        what: it is to be, with its article, for the sentence that says what is wrong with it.

    Raises:
        InputError: if it is no object.
    """

    def __init__(self, row: Any, what: str) -> None:
        if not isinstance(row, Mapping):
            raise InputError(f"{what} must be an object, not {kind_of(row)}")
        self._row, self.what = row, what

    def text(self, name: str, *, required: bool = False) -> str:
        """Return a text; the empty one where the field is not there or null, unless it is required."""
        value = self._row.get(name)
        if value is None:
            if required:
                raise InputError(f"{self.what} lacks {name}")
            return ""
        if not isinstance(value, str):
            raise InputError(f"{name} of {self.what} must be text, not {kind_of(value)}")
        if required and not value.strip():
            raise InputError(f"{name} of {self.what} is empty")
        return value

    def items(self, name: str) -> list[Any]:
        value = self._row.get(name)
        if value is None:
            return []
        if not isinstance(value, list | tuple):
            raise InputError(f"{name} of {self.what} must be a list, not {kind_of(value)}")
        return list(value)

    def mapping(self, name: str) -> dict[str, Any]:
        value = self._row.get(name)
        if value is None:
            return {}
        if not isinstance(value, Mapping):
            raise InputError(f"{name} of {self.what} must be an object, not {kind_of(value)}")
        return dict(value)

    def optional(self, name: str, read: Callable[[Any], T]) -> T | None:
        value = self._row.get(name)
        return None if value is None else read(value)


def kind_of(value: Any) -> str:
    """Name a JSON value's type in plain words."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true or false"
    if isinstance(value, int | float):
        return "a number"
    if isinstance(value, str):
        return "text"
    return "a list" if isinstance(value, list | tuple) else "an object"

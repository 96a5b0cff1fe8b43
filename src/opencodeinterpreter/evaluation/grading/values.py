"""What crosses the border of the jail: inputs as they go in, values as they come out.

Inputs are Python's own marshal format, written by this program for an interpreter of the same version. Values come
back as JSON text in which an object with one member is a tag for what JSON lacks, and they come from code that nobody
trusts: they are only ever rebuilt as plain values of built-in types, within bounds on size, and on how many of them
are hashed, since whoever chooses the numbers can make hashing slow.
"""

from __future__ import annotations

import binascii
import json
import marshal
import struct
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from fractions import Fraction
from typing import Any

from opencodeinterpreter.errors import EvaluationError

ENCODING = 3
"""Counts up with every change of the format or of what is rebuilt."""
_MARSHAL = 2
"""Later versions of marshal keep two references to one list as such; a solution must get two lists."""
_MOST_HASHED = 20_000
_MOST_ITEMS = 3_000_000
"""An empty list takes three characters, and many times that in memory."""
_MOST_DIGITS = 1000
_LIST, _INT, _FLOAT = struct.Struct("<ci"), struct.Struct("<i"), struct.Struct("<d")
"""How marshal writes the head of a list, and small integers and floats after their tags."""
_BUILTIN = (bool, int, float, complex, str, bytes, bytearray, list, tuple, dict, set, frozenset, range, type(None))


class Opaque:
    """A value that is no data: a generator, a match, an object of a class of the solution's; equal to nothing."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"<{self.name}>"


@dataclass(frozen=True)
class Digest:
    """A value of more data than is sent; equal to another only if all in them is the same, types included."""

    name: str
    digest: str
    ends: tuple[str, ...] = field(default=(), compare=False)
    """Of a text, how it begins and how it ends."""

    def __repr__(self) -> str:
        if len(self.ends) != 2:
            return f"<{self.name} too large to be shown>"
        start, end = map(repr, self.ends)
        return f"{start[:-1]} ... {end[1:]}"


@dataclass(frozen=True)
class Value:
    """A returned value, rebuilt."""

    plain: Any
    kind: str
    """Name of the type that was returned; of a subclass the plain value is that of its base."""
    hashed: int
    """How many items can be hashed without harm; the rest of ``_MOST_HASHED``."""

    @property
    def exact(self) -> bool:
        """Return whether the type is the one that ``plain`` has."""
        return self.kind == type(self.plain).__name__


class NotAValueError(ValueError):
    """What came out of the jail is no value in our encoding."""


@dataclass(frozen=True)
class _Wrapped:
    """The value of a type that is not built in, while it is rebuilt."""

    name: str
    plain: Any


def encode_input(arguments: Sequence[Any]) -> bytes:
    """Return positional arguments as they are handed to the jail.

    Raises:
        EvaluationError: if one of them is no plain Python value.
    """
    try:
        return marshal.dumps(tuple(arguments), _MARSHAL)
    except ValueError as error:
        raise EvaluationError(f"An input of a problem holds what is no plain value: {arguments!r:.200}") from error


def decode_value(payload: bytes) -> Value:
    """Rebuild a value.

    Raises:
        NotAValueError: if it is none, or one that no solution needs.
    """
    rebuilder = _Rebuilder()
    if payload.count(b",") + payload.count(b"[") + payload.count(b"{") > _MOST_ITEMS:
        raise NotAValueError("too many items")
    try:
        # Each NaN as an object of its own: a list holding one and the same would equal itself.
        found = json.loads(payload.decode("ascii"), object_hook=rebuilder.rebuild, parse_constant=float)
        if rebuilder.wrapped and type(found) is list:
            _unwrapped(found)
    except (ValueError, TypeError, KeyError, ArithmeticError, RecursionError, InvalidOperation, struct.error) as error:
        raise NotAValueError("what the program sent is not a value") from error
    if isinstance(found, _Wrapped):
        return Value(found.plain, found.name, rebuilder.left)
    return Value(found, type(found).__name__, rebuilder.left)


class _Rebuilder:
    def __init__(self) -> None:
        self.left = _MOST_HASHED
        self.wrapped = False

    def rebuild(self, tagged: dict[str, Any]) -> Any:
        [(tag, content)] = tagged.items()
        self.wrapped |= tag == "x"
        return _REBUILT[tag](self, _unwrapped(content))

    def hashable(self, content: list[Any]) -> list[Any]:
        self.left -= len(content)
        if self.left < 0:
            raise NotAValueError("too much to be hashed")
        return content


def _unwrapped(content: Any) -> Any:
    """Return content without the marks of types, which count at the top only."""
    if isinstance(content, _Wrapped):
        return content.plain
    if isinstance(content, list):
        for index, item in enumerate(content):
            if type(item) is _Wrapped:
                content[index] = item.plain
            elif type(item) is list:
                _unwrapped(item)
    return content


def _dict(rebuilder: _Rebuilder, content: list[Any]) -> dict[Any, Any]:
    rebuilder.hashable(content[::2])
    return dict(zip(content[::2], content[1::2], strict=True))


def _wrapped(_: _Rebuilder, content: list[Any]) -> _Wrapped:
    name, plain = content
    if not isinstance(name, str) or name in _BUILTIN_NAMES:
        raise NotAValueError("a name that no class has")
    return _Wrapped(name, plain)


def _fraction(_: _Rebuilder, content: list[Any]) -> Fraction:
    numerator, denominator = (int(_short(part), 16) for part in content)
    return Fraction(numerator, denominator)


def _digest(name: str, digest: str, *ends: str) -> Digest:
    return Digest(name, digest, ends)


def _numbers(data: str) -> list[int | float]:
    """Rebuild a list of numbers from what marshal made of it: read here, for marshal itself trusts what it reads.

    Source: ``w_object`` in CPython's ``Python/marshal.c``, version 2 of the format.
    """
    content = binascii.a2b_base64(data, strict_mode=True)
    kind, count = _LIST.unpack_from(content)
    at = _LIST.size
    found: list[int | float] = []
    while at < len(content):
        tag = content[at : at + 1]
        if tag == b"g":
            found.append(_FLOAT.unpack_from(content, at + 1)[0])
            at += 9
        elif tag == b"i":
            found.append(_INT.unpack_from(content, at + 1)[0])
            at += 5
        elif tag == b"l":
            number, at = _long(content, at + 1)
            found.append(number)
        else:
            raise NotAValueError("no number")
    if kind != b"[" or len(found) != count:
        raise NotAValueError("not as many numbers as were told")
    return found


def _long(content: bytes, at: int) -> tuple[int, int]:
    """Return an integer that is written in digits of 15 bits, lowest first, and where it ends."""
    (size,) = _INT.unpack_from(content, at)
    digits = struct.unpack_from(f"<{abs(size)}H", content, at + 4)
    if not digits or max(digits) >= 1 << 15:
        raise NotAValueError("no number")
    # Through binary text, which takes linear time, while adding up digit by digit does not.
    magnitude = int("".join(f"{digit:015b}" for digit in reversed(digits)), 2)
    return (-magnitude if size < 0 else magnitude), at + 4 + 2 * len(digits)


def _short(text: str) -> str:
    if len(text) > _MOST_DIGITS:
        raise NotAValueError("a number that is slow to reckon with")
    return text


_BUILTIN_NAMES = {kind.__name__ for kind in _BUILTIN}
_REBUILT: dict[str, Callable[[_Rebuilder, Any], Any]] = {
    "i": lambda _, content: int(content, 16),
    "t": lambda _, content: tuple(_listed(content)),
    "s": lambda rebuilder, content: set(rebuilder.hashable(_listed(content))),
    "f": lambda rebuilder, content: frozenset(rebuilder.hashable(_listed(content))),
    "k": lambda rebuilder, content: dict.fromkeys(rebuilder.hashable(_listed(content))).keys(),
    "m": lambda rebuilder, content: dict(rebuilder.hashable(_listed(content))).items(),
    "d": lambda rebuilder, content: _dict(rebuilder, _listed(content)),
    "q": lambda _, content: deque(_listed(content)),
    "c": lambda _, content: complex(*map(float, content)),
    "b": lambda _, content: bytes.fromhex(content),
    "B": lambda _, content: bytearray.fromhex(content),
    "r": lambda _, content: range(*content),
    "D": lambda _, content: Decimal(_short(content)),
    "F": _fraction,
    "x": _wrapped,
    "h": lambda _, content: _digest(*map(str, content)),
    "n": lambda _, content: _numbers(content),
    "o": lambda _, content: Opaque(str(content)[:200]),
}


def _listed(content: Any) -> list[Any]:
    if type(content) is not list:
        raise NotAValueError("a container of nothing")
    return content


def as_text(value: Any, characters: int) -> str:
    """Return a value as it is written in a program, cut in the middle."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # a number of more digits than Python writes
        text = f"<{type(value).__name__} too large to be written>"
    return cut(text, characters)


def cut(text: str, characters: int) -> str:
    if len(text) <= characters:
        return text
    return f"{text[: characters // 2]} ... {text[-characters // 2 :]}"

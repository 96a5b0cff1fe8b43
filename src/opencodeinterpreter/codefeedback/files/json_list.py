"""A JSON list read item by item, so that a file of any size needs the memory of one item."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn, TextIO

_CHARACTERS: Final = 1 << 18


@dataclass(frozen=True)
class Item:
    """One item of the list, or what stands in its place."""

    line: int
    """where it begins, from 1"""
    text: str
    value: Any = None
    fault: str = ""
    """why there is no value; what follows in the list is lost then"""


def read_items(file: TextIO, longest: int) -> Iterator[Item]:
    """Yield the items of a list; after a fault there are no more.

    Args:
        file: stands at the opening bracket, or at white space before it.
        longest: characters of an item.
    """
    reader = _Reader(file)
    reader.skip("[")
    while True:
        reader.skip(",")
        if reader.next in ("]", ""):
            if not reader.next:
                yield Item(reader.line, "", fault="broken JSON: the list is not closed")
            return
        item = reader.item(longest)
        yield item
        if item.fault:
            return


class _Reader:
    def __init__(self, file: TextIO) -> None:
        self._file, self._text, self._at, self._ended = file, "", 0, False
        self.line = 1

    @property
    def next(self) -> str:
        """The next character; empty at the end of the file."""
        while self._at >= len(self._text) and not self._ended:
            self._feed(1)
        return self._text[self._at : self._at + 1]

    def skip(self, also: str) -> None:
        """Pass white space and one of ``also``."""
        passed = False
        while (character := self.next) and (character in " \t\r\n" or (character == also and not passed)):
            self.line += character == "\n"
            passed = passed or character == also
            self._at += 1

    def item(self, longest: int) -> Item:
        needed = 1
        while True:
            self._feed(needed)
            left = len(self._text) - self._at
            try:
                value, end = DECODER.raw_decode(self._text, self._at)
            except (ValueError, RecursionError) as error:
                if self._ended or left > longest or isinstance(error, RecursionError):
                    return self._fault(error, left > longest, longest)
                # Twice as much before it is tried again: a long item costs twice its length, not its square.
                needed = 2 * left
                continue
            if end == len(self._text) and not self._ended:
                needed = left + 1  # a number may go on
                continue
            text = self._text[self._at : end]
            found = Item(self.line, text, value)
            self.line += text.count("\n")
            self._at = end
            return found

    def _fault(self, error: Exception, too_long: bool, longest: int) -> Item:
        why = f"the item is longer than {longest / (1 << 20):g} MB" if too_long else f"broken JSON: {error}"
        return Item(self.line, self._text[self._at :], fault=f"{why}; what follows in the list is lost")

    def _feed(self, characters: int) -> None:
        """See that at least so many characters are ahead, if the file has them."""
        parts = [self._text[self._at :]]
        have = len(parts[0])
        if have >= characters or self._ended:
            return
        while have < characters and not self._ended:
            part = self._file.read(max(_CHARACTERS, characters - have))
            self._ended = not part
            parts.append(part)
            have += len(part)
        self._text, self._at = "".join(parts), 0


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


DECODER: Final = json.JSONDecoder(parse_constant=_no_constant)
"""Reads what JSON has, and neither NaN nor infinity."""

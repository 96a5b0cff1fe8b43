"""How far the cells of a sheet of a workbook go, by looking through it as it is written.

What a file says of that may be wrong, and to read all cells takes minutes.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import IO

_LAST_ROW = 1_048_576
"""No sheet has more."""
_PIECE_BYTES = 1 << 20
_LONGEST_ROW = 4 << 20
"""Bytes; a longer row is looked through in parts, since to put its pieces together would cost ever more."""
_BEGIN = re.compile(rb"<([\w.-]{1,50}:)?sheetData(?=[\s/>])")
_BEGIN_BYTES = 80
"""No such tag is longer."""
_NUMBER = re.compile(rb"""[^<>]{0,200}?\sr=["'](\d{1,20})["']""")


@dataclass(frozen=True)
class Extent:
    """How far the cells of a sheet go."""

    last: int
    """The number of the last row in which a cell holds something."""
    more: bool
    """Whether a cell farther to the right than is read holds something, or the sheet was looked through in part."""


def extent(file: IO[bytes], until: float) -> Extent:
    """Look how far the cells of a sheet go.

    Args:
        file: the sheet, as it is written.
        until: when it is enough, on the monotonic clock; what was found by then is returned.
    """
    rows: _Rows | None = None
    text = b""
    while piece := file.read(_PIECE_BYTES):
        if time.monotonic() > until:
            return Extent(rows.last if rows else 0, more=True)
        text += piece
        if rows is None:
            begun = _BEGIN.search(text)
            if begun is None:
                text = text[-_BEGIN_BYTES:]
                continue
            rows, text = _Rows(begun[1] or b""), text[begun.end() :]
        text = rows.look(text)
        if rows.ended:
            return Extent(rows.last, rows.far)
    if rows is None:
        return Extent(0, more=False)
    rows.look(text, last=True)
    return Extent(rows.last, rows.far)


class _Rows:
    """Looks at rows of a sheet, one after the other.

    Args:
        prefix: what stands before the names of its tags.
    """

    def __init__(self, prefix: bytes) -> None:
        self.last = 0
        """The number of the last one in which a cell holds something."""
        self.far = False
        """Whether a cell in a column that is not read holds something."""
        self.ended = False
        """Whether there are no more."""
        self._number = 0
        self._row, self._cell, self._end = b"<%brow" % prefix, b"<%bc " % prefix, b"</%bsheetData" % prefix
        # A formula, a text or a value: a cell that only has a look holds nothing. The bounds are for hostile texts,
        # in which every tag could be looked through to the end of the file.
        name = re.escape(prefix)
        held = rb"<%b(?:f[\s/>]|is[\s>]|v(?:\s[^<>]{0,200})?>[^<])" % name
        # After CB, the last column that is read.
        far = rb"""<%bc\s[^<>]{0,200}?\br=["'](?:[A-Z]{3}|[D-Z][A-Z]|C[C-Z])\d{1,20}["'][^<>]{0,200}>""" % name
        self._held, self._far = re.compile(held), re.compile(far)
        self._far_and_held = re.compile(far + rb"\s{0,50}" + held)

    def look(self, text: bytes, *, last: bool = False) -> bytes:
        """Look at all rows that are whole; return the one after them, for what follows to be put to it.

        Args:
            text: rows as they are written.
            last: nothing follows, so that the last row is as whole as it gets.
        """
        whole = len(text) if last else max(text.rfind(self._row), 0)
        if not whole and len(text) > _LONGEST_ROW:
            whole = len(text)
        end = text.find(self._end)
        if end >= 0:
            self.ended, whole = True, end
        for place, row in enumerate(text[:whole].split(self._row)):
            if place:  # what stands before the first tag is of the row before
                told = _NUMBER.match(row)
                self._number = min(int(told[1]) if told else self._number + 1, _LAST_ROW)
            if self._held.search(row):
                self.last = max(self.last, self._number)
                self.far = self.far or self._goes_far(row)
        return text[whole:]

    def _goes_far(self, row: bytes) -> bool:
        """Tell whether a cell that is not read holds something; the last cell of a row is the farthest one."""
        last = max(row.rfind(self._cell), 0)
        return self._far.match(row, last) is not None and self._far_and_held.search(row) is not None

"""What a file is shown as: paragraphs, tables and pictures, within a bound."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Sequence
from typing import Any

LONGEST_TEXT = 20_000
"""Characters of one paragraph or program."""
LONGEST_CELL = 500
MOST_COLUMNS = 60
MOST_ROWS = 200
"""Of one table, at a time."""
_MOST_PARTS = 600
_MOST_BYTES = 6_000_000
_MOST_PICTURES = 12
_MOST_PIXELS = 40_000_000
_SIDE = 1100
"""Pixels of the longer side of a picture that is shown."""


class CannotShowError(Exception):
    """The file cannot be shown, for a reason that the server has words for."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class Parts:
    """Collects parts until there are enough."""

    def __init__(self) -> None:
        self.parts: list[dict[str, Any]] = []
        self.cut = False
        """Whether something was left out."""
        self._bytes = 0
        self._pictures = 0

    @property
    def full(self) -> bool:
        return len(self.parts) >= _MOST_PARTS or self._bytes >= _MOST_BYTES

    def text(self, kind: str, text: str, *, level: int = 0, language: str = "") -> None:
        """Add "paragraph", "heading", "item", "markdown", "code" or "output"."""
        text = printable(text)
        if not text.strip():
            return
        if len(text) > LONGEST_TEXT:
            text, self.cut = text[:LONGEST_TEXT] + " …", True
        self._add({"type": kind, "text": text, "level": level, "language": language}, len(text))

    def table(
        self, columns: Sequence[object], rows: Iterable[Sequence[object]], *, title: str = "", total: int | None = None
    ) -> None:
        """Add the first rows of a table; ``total`` is how many there are, where that is known."""
        kept: list[list[str]] = []
        taken = 0
        for row in rows:
            taken += 1
            if len(kept) < MOST_ROWS:
                kept.append([cell(value) for value in row[:MOST_COLUMNS]])
            elif total is not None:
                break
        head = [cell(value) for value in columns[:MOST_COLUMNS]]
        wide = max([len(columns), *(len(row) for row in kept)], default=0)
        self.cut |= wide > MOST_COLUMNS
        size = sum(len(value) for row in kept for value in row)
        row_count = taken if total is None else total
        self._add({"type": "table", "title": printable(title), "columns": head, "rows": kept, "total": row_count}, size)

    def picture(self, content: bytes, alt: str = "") -> None:
        """Add a picture, made anew and not larger than it is shown; one that cannot be read is left out."""
        if self._pictures >= _MOST_PICTURES:
            self.cut = True
            return
        from PIL import Image

        try:
            with Image.open(io.BytesIO(content)) as opened:
                if opened.width * opened.height > _MOST_PIXELS:
                    self.cut = True
                    return
                self.image(opened, alt)
        except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
            self.cut = True  # among others the metafiles of Windows, which only Windows draws

    def image(self, image: Any, alt: str = "", side: int = _SIDE) -> None:
        """Add a picture of Pillow's."""
        self._pictures += 1
        shown = image.convert("RGBA" if "A" in image.getbands() or "transparency" in image.info else "RGB")
        shown.thumbnail((side, side))
        content, media = _encoded(shown, "PNG"), "image/png"
        if len(content) > 300_000 and shown.mode == "RGB":  # a photograph
            content, media = _encoded(shown, "JPEG"), "image/jpeg"
        data = base64.b64encode(content).decode("ascii")
        self._add({"type": "picture", "media": media, "data": data, "text": printable(alt)}, len(data))

    def _add(self, part: dict[str, Any], size: int) -> None:
        if self.full:
            self.cut = True
            return
        self._bytes += size
        self.parts.append(part)


def cell(value: object) -> str:
    """Return what a cell of a table holds, in one short line."""
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.12g}"
    text = printable(str(value))
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + " …"


def printable(text: str) -> str:
    """Return a text without what JSON cannot carry and no page shows."""
    kept = "".join(c if c.isprintable() or c in "\n\t" else " " for c in text)
    return kept.encode("utf-8", "replace").decode()


def _encoded(image: Any, form: str) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **({"quality": 82} if form == "JPEG" else {}))
    return content.getvalue()

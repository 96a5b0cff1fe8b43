"""PDF: pages as pictures, a few at a time."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from .parts import CannotShowError, Parts

PAGES = 5
"""At a time."""
_WIDTH = 1000
"""Pixels."""
_TALLEST = 2400
_TEXT_FOR_READERS = 4000
"""Characters of a page's text that go along, for whoever cannot see the picture."""


def read(path: Path, parts: Parts, start: int) -> int:
    """Read pages from number ``start`` on, counted from 0; return how many there are."""
    try:
        pdfium = import_module("pypdfium2")
    except ImportError:
        raise CannotShowError("package", "pip install pypdfium2") from None
    try:
        document = pdfium.PdfDocument(path)
    except pdfium.PdfiumError as error:
        raise CannotShowError("encrypted" if "assword" in str(error) else "broken") from None
    with document:
        count = len(document)
        for number in range(start, min(start + PAGES, count)):
            page = document[number]
            width, height = page.get_size()
            scale = min(_WIDTH / max(width, 1.0), _TALLEST / max(height, 1.0), 8.0)
            text = page.get_textpage().get_text_range(0, -1)[:_TEXT_FOR_READERS]
            parts.image(page.render(scale=scale, may_draw_forms=False).to_pil(), text, side=_TALLEST)
        return int(count)

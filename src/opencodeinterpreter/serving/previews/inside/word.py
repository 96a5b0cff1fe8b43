"""Documents of Word (.docx): headings, paragraphs, lists, tables and pictures in their order, without layout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

from .package import DRAWING, OFFICE, Package
from .parts import Parts

_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_AROUND = (f"{_W}sdt", f"{_W}sdtContent", f"{_W}customXml")
"""What may stand around paragraphs, rows and cells."""
_ALTERNATIVE = "{http://schemas.openxmlformats.org/markup-compatibility/2006}"


def read(path: Path, parts: Parts) -> None:
    """Read a document."""
    with Package(path) as package:
        name = package.main("/officeDocument")
        body = package.xml(name).find(f"{_W}body")
        if body is not None:
            _Reader(package, name, parts).blocks(body)


class _Reader:
    def __init__(self, package: Package, name: str, parts: Parts) -> None:
        self._package, self._parts = package, parts
        self._relations = package.relations(name)
        self._levels: dict[str, int] = {}
        """Style → level of the heading that it makes."""
        self._lists: set[str] = set()
        self._read_styles()

    def _read_styles(self) -> None:
        """Find the styles of headings and lists; an id is in the language of who made it, a name is not."""
        name = next((each for each in self._relations.values() if each.endswith("styles.xml")), None)
        for style in self._package.xml(name).iter(f"{_W}style") if name else ():
            named = style.find(f"{_W}name")
            called = (named.get(f"{_W}val", "") if named is not None else "").lower()
            if called == "title":
                self._levels[style.get(f"{_W}styleId", "")] = 1
            elif called.startswith(("list bullet", "list number")):
                self._lists.add(style.get(f"{_W}styleId", ""))
            elif match := re.fullmatch(r"heading (\d)", called):
                self._levels[style.get(f"{_W}styleId", "")] = int(match[1])

    def blocks(self, body: Element) -> None:
        for child in body:
            if self._parts.full:
                self._parts.cut = True
                return
            if child.tag == f"{_W}p":
                self._paragraph(child)
            elif child.tag == f"{_W}tbl":
                self._table(child)
            elif child.tag in _AROUND:
                self.blocks(child)

    def _paragraph(self, element: Element) -> None:
        properties = element.find(f"{_W}pPr")
        named = properties.find(f"{_W}pStyle") if properties is not None else None
        style = named.get(f"{_W}val", "") if named is not None else ""
        listed = properties.find(f"{_W}numPr") if properties is not None else None
        kind, level = "paragraph", self._levels.get(style, 0)
        if level:
            kind = "heading"
        elif listed is not None or style in self._lists:
            kind = "item"
            depth = listed.find(f"{_W}ilvl") if listed is not None else None
            level = int(depth.get(f"{_W}val", "0")) if depth is not None else 0
        self._parts.text(kind, _text(element), level=min(level, 6))
        for blip in element.iter(f"{DRAWING}blip"):
            target = self._relations.get(blip.get(f"{OFFICE}embed", ""))
            if target:
                described = next((each.get("descr", "") for each in element.iter() if each.tag.endswith("}docPr")), "")
                self._parts.picture(self._package.read(target), described)

    def _table(self, element: Element) -> None:
        rows = []
        for row in _own(element, f"{_W}tr"):
            rows.append([cell for each in _own(row, f"{_W}tc") for cell in _cells(each)])
        self._parts.table([], rows)
        for blip in element.iter(f"{DRAWING}blip"):
            target = self._relations.get(blip.get(f"{OFFICE}embed", ""))
            if target:
                self._parts.picture(self._package.read(target))


def _own(element: Element, tag: str) -> Iterator[Element]:
    """Yield the rows of a table, or the cells of a row; a table inside of a cell is a part of that cell's text."""
    for child in element:
        if child.tag == tag:
            yield child
        elif child.tag in _AROUND:
            yield from _own(child, tag)


def _cells(cell: Element) -> Iterator[str]:
    """Yield a cell, and as many empty ones as it is wider."""
    yield "\n".join(filter(None, map(_text, _paragraphs(cell))))
    span = cell.find(f"{_W}tcPr/{_W}gridSpan")
    for _ in range(min(int(span.get(f"{_W}val", "1")), 60) - 1 if span is not None else 0):
        yield ""


def _paragraphs(element: Element) -> Iterator[Element]:
    """Yield the paragraphs of a cell, and of the tables in it; those of a text box are a part of the one around it."""
    for child in element:
        if child.tag == f"{_W}p":
            yield child
        else:
            yield from _paragraphs(child)


def _text(paragraph: Element) -> str:
    return "".join(_runs(paragraph)).strip()


def _runs(element: Element) -> Iterator[str]:
    for child in element:
        tag = child.tag
        if tag == f"{_W}p":  # of a text box
            yield "\n"
        if tag == f"{_W}t":
            yield child.text or ""
        elif tag in (f"{_W}tab", f"{_W}ptab"):
            yield "\t"
        elif tag in (f"{_W}br", f"{_W}cr"):
            yield "\n"
        elif tag == f"{_W}noBreakHyphen":
            yield "-"
        # What was deleted is not in the text; of two ways to say the same, the second is for old programs.
        elif tag not in (f"{_W}del", f"{_W}moveFrom", f"{_W}pPr", f"{_W}rPr", f"{_ALTERNATIVE}Fallback"):
            yield from _runs(child)

"""Presentations (.pptx): the texts, tables and pictures of each slide, and its notes, without layout."""

from __future__ import annotations

from pathlib import Path
from xml.etree.ElementTree import Element

from .package import DRAWING, OFFICE, Package
from .parts import Parts

_P = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_TITLES = ("title", "ctrTitle")
_SKIPPED = ("dt", "ftr", "sldNum", "hdr")


def read(path: Path, parts: Parts) -> int:
    """Read a presentation; return how many slides it has."""
    with Package(path) as package:
        name = package.main("/officeDocument")
        relations = package.relations(name)
        listed = [relations.get(each.get(f"{OFFICE}id", "")) for each in package.xml(name).iter(f"{_P}sldId")]
        slides = [each for each in listed if each]
        for number, slide in enumerate(slides, start=1):
            if parts.full:
                parts.cut = True
                break
            _slide(package, slide, number, parts)
    return len(slides)


def _slide(package: Package, name: str, number: int, parts: Parts) -> None:
    relations, tree = package.relations(name), package.xml(name)
    shapes = list(tree.iter())
    titles = [each for each in shapes if each.tag == f"{_P}sp" and _place(each) in _TITLES]
    title = " ".join(" ".join(_paragraph(line) for line in each.iter(f"{DRAWING}p")) for each in titles).strip()
    parts.text("slide", f"{number}. {title}" if title else f"{number}.", level=2)
    for shape in shapes:
        if shape.tag == f"{_P}sp" and shape not in titles and _place(shape) not in _SKIPPED:
            _lines(shape, parts)
        elif shape.tag == f"{DRAWING}tbl":
            parts.table(
                [], [[_cell(cell) for cell in row.findall(f"{DRAWING}tc")] for row in shape.iter(f"{DRAWING}tr")]
            )
        elif shape.tag == f"{_P}pic":
            blip = shape.find(f".//{DRAWING}blip")
            target = relations.get(blip.get(f"{OFFICE}embed", "")) if blip is not None else None
            if target:
                described = shape.find(f"{_P}nvPicPr/{_P}cNvPr")
                parts.picture(package.read(target), described.get("descr", "") if described is not None else "")
    notes = next((each for each in relations.values() if "/notesSlides/" in each), None)
    if notes:
        for shape in package.xml(notes).iter(f"{_P}sp"):
            if _place(shape) == "body":
                parts.text("note", "\n".join(_paragraph(line) for line in shape.iter(f"{DRAWING}p")))


def _place(shape: Element) -> str:
    """Return what kind of placeholder a shape is; empty for none."""
    found = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph")
    return "" if found is None else found.get("type", "body")


def _lines(shape: Element, parts: Parts) -> None:
    placed = shape.find(f"{_P}nvSpPr/{_P}nvPr/{_P}ph") is not None
    for line in shape.iter(f"{DRAWING}p"):
        properties = line.find(f"{DRAWING}pPr")
        level = int(properties.get("lvl", "0")) if properties is not None else 0
        parts.text("item" if placed else "paragraph", _paragraph(line), level=min(level, 6))


def _cell(cell: Element) -> str:
    return "\n".join(filter(None, (_paragraph(line) for line in cell.iter(f"{DRAWING}p"))))


def _paragraph(line: Element) -> str:
    texts = []
    for each in line.iter():
        if each.tag == f"{DRAWING}t":
            texts.append(each.text or "")
        elif each.tag == f"{DRAWING}br":
            texts.append("\n")
    return "".join(texts).strip()

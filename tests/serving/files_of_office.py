"""Small files of many kinds, made by hand for tests."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from PIL import Image

_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
_R = 'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships"'
_A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
_P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def png(width: int = 30, height: int = 20) -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(content, "PNG")
    return content.getvalue()


def package(parts: Mapping[str, str | bytes], told: int | None = None) -> bytes:
    """A zip file; ``told`` is the size that it says its last part has."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as file:
        for name, text in parts.items():
            file.writestr(name, text)
        if told is not None:
            file.infolist()[-1].file_size = told
    return content.getvalue()


def relations(rows: Mapping[str, tuple[str, str]], outside: str = "") -> str:
    listed = "".join(
        f'<Relationship Id="{id_}" Type="{_OFFICE}/{kind}" Target="{target}"/>' for id_, (kind, target) in rows.items()
    )
    space = "http://schemas.openxmlformats.org/package/2006/relationships"
    return f'<Relationships xmlns="{space}">{listed}{outside}</Relationships>'


def docx(body: str, picture: bytes = b"", head: str = "") -> bytes:
    styles = f"""<w:styles {_W}><w:style w:styleId="berschrift1"><w:name w:val="heading 1"/></w:style>
        <w:style w:styleId="Liste"><w:name w:val="List Bullet"/></w:style></w:styles>"""
    rows = {"r1": ("styles", "styles.xml"), "r2": ("image", "media/image1.png")}
    away = f'<Relationship Id="r9" Type="{_OFFICE}/image" Target="http://192.0.2.1/a.png" TargetMode="External"/>'
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations({"r1": ("officeDocument", "word/document.xml")}),
        "word/document.xml": f"{head}<w:document {_W} {_R} {_A}><w:body>{body}</w:body></w:document>",
        "word/_rels/document.xml.rels": relations(rows, away),
        "word/styles.xml": styles,
    }
    return package({**parts, "word/media/image1.png": picture or png()})


def line(text: str, style: str = "", more: str = "") -> str:
    named = f'<w:pStyle w:val="{style}"/>' if style else ""
    return f"<w:p><w:pPr>{named}</w:pPr><w:r><w:t>{text}</w:t></w:r>{more}</w:p>"


def pptx(*slides: str) -> bytes:
    numbers = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + number}" r:id="r{number}"/>' for number in numbers)
    parts: dict[str, str | bytes] = {
        "_rels/.rels": relations({"r1": ("officeDocument", "ppt/presentation.xml")}),
        "ppt/presentation.xml": f"<p:presentation {_P} {_R}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>",
        "ppt/_rels/presentation.xml.rels": relations(
            {f"r{number}": ("slide", f"slides/slide{number}.xml") for number in numbers}
        ),
    }
    for number, shapes in zip(numbers, slides, strict=True):
        parts[f"ppt/slides/slide{number}.xml"] = f"<p:sld {_P} {_A} {_R}><p:spTree>{shapes}</p:spTree></p:sld>"
    return package(parts)


def shape(kind: str, *lines: str) -> str:
    placed = f'<p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr>'
    texts = "".join(f"<a:p><a:r><a:t>{text}</a:t></a:r></a:p>" for text in lines)
    return f"<p:sp>{placed}<p:txBody>{texts}</p:txBody></p:sp>"


def pdf(pages: int = 2, trailer: str = "") -> bytes:
    """A PDF whose pages say their numbers."""
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(pages))
    objects = [
        "<</Type/Catalog/Pages 2 0 R>>",
        f"<</Type/Pages/Kids[{kids}]/Count {pages}>>",
        "<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
    ]
    for number in range(pages):
        drawn = f"BT /F1 24 Tf 20 100 Td (Page {number + 1}) Tj ET"
        box = "/MediaBox[0 0 200 280]/Resources<</Font<</F1 3 0 R>>>>"
        objects.append(f"<</Type/Page/Parent 2 0 R{box}/Contents {5 + 2 * number} 0 R>>")
        objects.append(f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream")
    text, places = "%PDF-1.4\n", []
    for number, content in enumerate(objects, start=1):
        places.append(len(text))
        text += f"{number} 0 obj\n{content}\nendobj\n"
    table = "".join(f"{place:010} 00000 n \n" for place in places)
    size = len(objects) + 1
    text += f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<</Size {size}/Root 1 0 R{trailer}>>\n"
    return f"{text}startxref\n{text.index('xref')}\n%%EOF\n".encode("latin-1")


def locked_pdf() -> bytes:
    secret = "<" + "5a" * 32 + ">"
    return pdf(1, f"/Encrypt<</Filter/Standard/V 1/R 2/P -4/O{secret}/U{secret}>>/ID[<00><00>]")

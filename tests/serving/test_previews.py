"""What is in a file, as texts, tables and pictures: each form, broken and hostile ones, and the jail around it."""

from __future__ import annotations

import base64
import importlib.util
import io
import json
import re
from pathlib import Path

import pytest
from files_of_office import docx, line, locked_pdf, package, pdf, png, pptx, relations, shape
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from serving_client import Client

from opencodeinterpreter.sandbox.backends import load_backend
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.previews import Previews
from opencodeinterpreter.serving.previews.inside.main import converted
from opencodeinterpreter.serving.previews.jail import read_in_jail
from opencodeinterpreter.serving.previews.shape import Converted

needs_pdfium = pytest.mark.skipif(
    importlib.util.find_spec("pypdfium2") is None, reason="pypdfium2 is not installed, which draws the pages of PDF"
)
needs_pyarrow = pytest.mark.skipif(
    importlib.util.find_spec("pyarrow") is None, reason="pyarrow is not installed, which reads Parquet"
)


@pytest.fixture
def read(tmp_path: Path):
    """Reads a file as it is read in the jail, without one."""

    def reading(form: str, content: bytes, start: int = 0) -> Converted:
        path = tmp_path / "file"
        path.write_bytes(content)
        return Converted.model_validate_json(json.dumps(converted(form, start, str(path))))

    return reading


def said(found: Converted) -> list[tuple[str, str]]:
    return [(part.type, part.text) for part in found.parts]


def test_word_keeps_headings_lists_tables_and_pictures_in_their_order(read) -> None:
    table = "<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val='2'/></w:tcPr>{}</w:tc></w:tr><w:tr>{}</w:tr></w:tbl>".format(
        line("wide"), "".join(f"<w:tc>{line(text)}</w:tc>" for text in "ab")
    )
    deleted = "<w:del><w:r><w:t>gone</w:t></w:r></w:del>"
    inside = '<w:r><w:drawing><a:blip r:embed="r2"/></w:drawing></w:r>'
    far = '<w:r><w:drawing><a:blip r:embed="r9"/></w:drawing></w:r>'
    body = line("Überblick", "berschrift1") + line("&lt;b&gt;bold&lt;/b&gt;", "", deleted) + line("one", "Liste")
    found = read("docx", docx(body + table + line("", "", inside) + line("", "", far)))
    assert said(found)[:3] == [("heading", "Überblick"), ("paragraph", "<b>bold</b>"), ("item", "one")]
    assert found.parts[3].rows == [["wide", ""], ["a", "b"]]
    assert [part.type for part in found.parts[4:]] == ["picture"]
    assert Image.open(io.BytesIO(base64.b64decode(found.parts[4].data))).size == (30, 20)


def test_slides_have_titles_texts_and_numbers(read) -> None:
    first = shape("title", "Hello") + shape("body", "one", "two") + shape("sldNum", "1")
    cells = "".join(f"<a:tc><a:txBody><a:p><a:r><a:t>{text}</a:t></a:r></a:p></a:txBody></a:tc>" for text in "ab")
    found = read("pptx", pptx(first, f"<a:tbl><a:tr>{cells}</a:tr></a:tbl>"))
    assert said(found)[:4] == [("slide", "1. Hello"), ("item", "one"), ("item", "two"), ("slide", "2.")]
    assert found.parts[4].rows == [["a", "b"]]
    assert found.total == 2


def workbook(**sheets: list[list[object]]) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def test_workbooks_show_each_sheet_and_formulas_without_a_value(read) -> None:
    content = workbook(
        Sales=[["name", "sum"], ["a", 1.5], [None, "=B2*2"], [None, None]], Long=[[n] for n in range(500)]
    )
    found = read("xlsx", content)
    assert [part.title for part in found.parts] == ["Sales", "Long"]
    assert found.parts[0].rows == [["name", "sum"], ["a", "1.5"], ["", "=B2*2"]]
    assert found.parts[0].columns == ["A", "B"]
    assert (len(found.parts[1].rows), found.parts[1].total) == (200, 500)


def test_a_workbook_is_as_large_as_its_cells_are_whatever_it_says(read) -> None:
    import zipfile

    content = workbook(Small=[["a", "b"], ["c", "d"]], Long=[[n, n] for n in range(500)])
    for told in ("A1:A1", "A1:XFD1048576"):
        changed = io.BytesIO()
        with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(changed, "w") as new:
            for name in old.namelist():
                new.writestr(
                    name, re.sub(rb'<dimension ref="[^"]*"', f'<dimension ref="{told}"'.encode(), old.read(name))
                )
        found = read("xlsx", changed.getvalue())
        assert found.parts[0].rows == [["a", "b"], ["c", "d"]]
        assert (len(found.parts[1].rows), found.parts[1].total, found.parts[1].columns) == (200, 500, ["A", "B"])


def test_formulas_over_many_cells_show_what_is_written(read) -> None:
    import openpyxl
    from openpyxl.worksheet.formula import ArrayFormula, DataTableFormula

    book = openpyxl.Workbook()
    book.active["A1"] = ArrayFormula("A1:A2", "=SUM(B1:B2*C1:C2)")
    book.active["B1"] = DataTableFormula(ref="B1:B2", r1="C1", r2="C2")
    content = io.BytesIO()
    book.save(content)
    assert read("xlsx", content.getvalue()).parts[0].rows == [["=SUM(B1:B2*C1:C2)", "=TABLE(C1, C2)"]]


def test_a_table_in_a_cell_is_a_part_of_the_cell(read) -> None:
    def table(*rows: str) -> str:
        return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in rows) + "</w:tbl>"

    def cell(inside: str) -> str:
        return f"<w:tc>{inside}</w:tc>"

    inner = table(cell(line("in")) + cell(line("ner")))
    rows = cell(line("a") + inner) + cell(line("b"))
    around = f"<w:sdt><w:sdtContent><w:tr>{cell(line('c'))}{cell(line('d'))}</w:tr></w:sdtContent></w:sdt>"
    (found,) = read("docx", docx(f"<w:tbl><w:tr>{rows}</w:tr>{around}</w:tbl>")).parts
    assert found.rows == [["a\nin\nner", "b"], ["c", "d"]]


def test_text_tables_are_read_from_any_row_on(read) -> None:
    content = ("name;amount\n" + "".join(f'"row; {n}";{n}\n' for n in range(450))).encode()
    found = read("csv", content, 400)
    assert found.parts[0].columns == ["name", "amount"]
    assert found.parts[0].rows[0] == ["row; 400", "400"]
    assert (len(found.parts[0].rows), found.total) == (50, 450)
    assert read("csv", "ä,ö\n1,2\n".encode("cp1252")).parts[0].columns == ["ä", "ö"]
    assert read("tsv", b"a\tb\n1\t2\n").parts[0].rows == [["1", "2"]]


def test_json_is_a_table_where_it_is_one(read) -> None:
    rows = [{"a": n, "b": {"c": n}} for n in range(3)]
    assert read("json", json.dumps(rows).encode()).parts[0].rows[1] == ["1", '{"c": 1}']
    assert read("json", b'{"a": [1, 2]}').parts[0].text == '{\n  "a": [\n    1,\n    2\n  ]\n}'
    assert read("json", b"[" * 100_000).parts[0].type == "code"
    lines = read("jsonl", b'{"a": 1}\n{"b": "x"}\n')
    assert (lines.parts[0].columns, lines.parts[0].rows) == (["a", "b"], [["1", ""], ["", "x"]])


@needs_pyarrow
def test_parquet_is_read_from_any_row_on(read, tmp_path: Path) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table({"n": list(range(600)), "x": [None, "y"] * 300}), tmp_path / "a.parquet")
    found = read("parquet", (tmp_path / "a.parquet").read_bytes(), 550)
    assert found.parts[0].rows[:2] == [["550", ""], ["551", "y"]]
    assert (len(found.parts[0].rows), found.total) == (50, 600)


def test_notebooks_show_programs_and_what_they_gave(read) -> None:
    outputs = [
        {"output_type": "stream", "text": ["a\n", "b"]},
        {"output_type": "display_data", "data": {"image/png": base64.b64encode(png()).decode(), "text/plain": "fig"}},
        {"output_type": "execute_result", "data": {"text/html": "<script>1</script>", "text/plain": "42"}},
        {"output_type": "error", "traceback": ["\x1b[31mValueError\x1b[0m: no"]},
    ]
    cells = [
        {"cell_type": "markdown", "source": ["# Title"]},
        {"cell_type": "code", "source": "print(1)", "outputs": outputs},
    ]
    found = read("ipynb", json.dumps({"cells": cells, "metadata": {}}).encode())
    kinds = ["markdown", "code", "output", "picture", "output", "output"]
    assert [part.type for part in found.parts] == kinds
    assert [part.text for part in found.parts if part.type == "output"] == ["a\nb", "42", "ValueError: no"]


@needs_pdfium
def test_pdf_pages_are_pictures_a_few_at_a_time(read) -> None:
    found = read("pdf", pdf(7), 5)
    assert [part.text.strip() for part in found.parts] == ["Page 6", "Page 7"]
    assert found.total == 7
    image = Image.open(io.BytesIO(base64.b64decode(found.parts[0].data)))
    assert image.size == (1000, 1400)
    assert image.convert("L").getextrema()[0] < 50
    assert read("pdf", locked_pdf()).reason == "encrypted"
    assert read("pdf", b"%PDF-1.7 and nothing more").reason == "broken"


def test_what_is_wrong_with_a_file_is_said(read) -> None:
    old = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 512
    assert read("docx", old).reason == "old office"
    assert read("xlsx", old + "EncryptedPackage".encode("utf-16-le")).reason == "encrypted"
    for form in ("docx", "pptx", "xlsx", "parquet"):
        assert read(form, b"PK\x03\x04 and then not").reason == "broken"
        assert read(form, package({"a.txt": "x"})).reason == "broken"
    assert read("docx", docx("<w:p>")).reason == "broken"
    assert read("ipynb", b'{"cells": 3}').reason == "broken"
    huge = relations({"r1": ("officeDocument", "word/document.xml")})
    assert read("docx", package({"_rels/.rels": huge, "word/document.xml": "x"}, told=10**9)).reason == "too large"


def test_a_file_has_as_many_parts_as_can_be_shown_and_says_that_there_are_more(read) -> None:
    found = read("docx", docx(line("word " * 10_000) + "".join(line(f"n{n}") for n in range(3000))))
    assert found.cut
    assert len(found.parts) <= 600
    assert len(found.parts[0].text) < 20_100
    assert read("docx", docx("".join(line("", "", '<a:blip r:embed="r2"/>') for _ in range(30)))).cut


@given(
    st.sampled_from(["docx", "pptx", "xlsx", "csv", "json", "jsonl", "ipynb"]),
    st.binary(max_size=300),
    st.integers(0, 99),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_bytes_give_an_answer(tmp_path_factory, form: str, content: bytes, start: int) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    valid = docx(line("x" * 50))
    for each in (
        content,
        valid[: len(content)] + content,
        valid[: start * 10] + content + valid[start * 10 + len(content) :],
    ):
        path.write_bytes(each)
        Converted.model_validate_json(json.dumps(converted(form, start, str(path))))


# The same in its jail.


@pytest.fixture(scope="module")
def previews() -> Previews:
    backend = load_backend("bubblewrap")
    backend.check()
    return Previews(backend)


@pytest.fixture
def preview(previews: Previews, tmp_path: Path):
    def previewing(name: str, content: bytes, start: int = 0) -> dict:
        (tmp_path / name).write_bytes(content)
        workspace = Workspace(tmp_path)
        info = next(info for info in workspace.files() if info.path == name)
        return json.loads(previews.preview("session", workspace, info, start))

    return previewing


def test_a_file_is_read_in_a_jail_once_and_again_when_it_has_changed(preview) -> None:
    first = preview("a.csv", b"a,b\n1,2\n")
    assert (first["kind"], first["parts"][0]["rows"], first["step"]) == ("table", [["1", "2"]], 0)
    assert preview("a.csv", b"a,b\n1,2\n3,4\n")["parts"][0]["total"] == 2


def test_the_same_file_is_not_read_twice(previews: Previews, tmp_path: Path) -> None:
    (tmp_path / "a.tsv").write_bytes(b"a\tb\n1\t2\n")
    workspace = Workspace(tmp_path)
    (info,) = workspace.files()
    first = previews.preview("once", workspace, info)
    (tmp_path / "a.tsv").unlink()
    assert previews.preview("once", workspace, info) == first


def test_a_file_with_nothing_in_it_says_so(preview) -> None:
    import openpyxl

    content = io.BytesIO()
    openpyxl.Workbook().save(content)
    empty = {"a.docx": docx(line("")), "a.xlsx": content.getvalue(), "a.ipynb": b'{"cells": []}', "a.csv": b"\n\n"}
    for name, content_of in empty.items():
        found = preview(name, content_of)
        assert (found["kind"], found["message"]) == ("none", "There is nothing in the file that can be shown."), name


def test_numbers_beyond_the_end_give_the_last_rows_and_are_not_read_for_again(
    previews: Previews, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = []

    def counting(*given):
        reads.append(given[2])
        return read_in_jail(*given)

    monkeypatch.setattr("opencodeinterpreter.serving.previews.previews.read_in_jail", counting)
    (tmp_path / "a.csv").write_bytes(b"a,b\n" + b"1,2\n" * 450)
    (tmp_path / "b.json").write_bytes(b'{"a": 1}')
    (tmp_path / "c.docx").write_bytes(docx(line("read")))
    workspace = Workspace(tmp_path)
    for info in workspace.files():
        shown = {previews.preview("s", workspace, info, start) for start in (10**6, 999, 10**7, 5000, 451)}
        assert len(shown) == 1
        assert json.loads(shown.pop())["start"] == (400 if info.path == "a.csv" else 0)
    assert reads == [10**6, 400, 10**6, 0, 0]


def test_an_xml_bomb_ends_with_its_jail(preview) -> None:
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head = f'<!DOCTYPE x [<!ENTITY e0 "{"A" * 1000}">{levels}]>'
    found = preview("bomb.docx", docx(line("&e9;"), head=head))
    assert (found["kind"], found["parts"]) == ("none", [])
    assert found["reason"] in ("broken", "too large", "too long")
    assert found["message"].endswith(".")


def test_without_a_sandbox_the_reader_is_a_process_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.docx").write_bytes(docx(line("read")))
    workspace = Workspace(tmp_path)
    found = json.loads(Previews(load_backend("none")).preview("s", workspace, workspace.files()[0]))
    assert found["parts"][0]["text"] == "read"


def test_texts_and_pictures_need_no_jail(tmp_path: Path) -> None:
    class NoJail:
        name = "none"

    previews = Previews(NoJail())  # type: ignore[arg-type]

    def of(name: str, content: bytes) -> dict:
        (tmp_path / name).write_bytes(content)
        workspace = Workspace(tmp_path)
        return json.loads(previews.preview(name, workspace, next(i for i in workspace.files() if i.path == name)))

    assert of("a.py", b"print(1)")["parts"][0]["language"] == "python"
    assert of("a.md", b"# x <script>")["parts"][0]["type"] == "markdown"
    assert of("b.txt", "käse".encode("cp1252"))["parts"][0]["text"] == "käse"
    assert of("c.txt", ("ä" * 150_000).encode())["cut"]
    assert of("a.svg", b"<svg onload='1'/>")["media"] == "image/svg+xml"
    assert of("a.bin", bytes(range(256)))["reason"] == "binary"
    assert of("a.html", b"<script>1</script>")["parts"][0]["type"] == "code"
    assert of("a.doc", b"x")["reason"] == "old office"
    assert of("a.pdf", b"")["reason"] == "empty"


def test_previews_over_http(client: Client) -> None:
    session = client.new()
    path = f"/api/v1/sessions/{session}/files"
    given = {"päge.docx": docx(line("hello")), "preview": b"a file of this name"}
    client.post(path, files=[("file", (name, content)) for name, content in given.items()])
    answer = client.get(f"{path}/päge.docx/preview")
    assert answer.status_code == 200, answer.text
    assert answer.json()["parts"][0]["text"] == "hello"
    assert client.get(f"{path}/none.docx/preview").status_code == 404
    assert client.get(f"{path}/..%2Fevents.jsonl/preview").status_code == 404
    assert client.get(f"{path}/päge.docx/preview", params={"start": -1}).status_code == 422
    assert client.get(f"{path}/preview/preview").json()["parts"][0]["text"] == "a file of this name"
    client.run(
        session,
        "run: import os\nos.mkdir('d'); open('d/preview', 'w').write('deep'); os.symlink('/etc/passwd', 'l.csv')",
    )
    assert client.get(f"{path}/d/preview").text == "deep"
    assert client.get(f"{path}/l.csv/preview").status_code == 404
    link = next(row["url"] for row in client.get(path).json() if row["path"] == "d/preview")
    with Client(str(client.base_url), "") as stranger:
        assert stranger.get(link).text == "deep"
        assert stranger.get(f"{path}/päge.docx/preview").status_code == 401
        assert stranger.get(link.replace("d/preview", "päge.docx/preview")).status_code == 401

"""How far a preview goes: to the cells that are there, and to the pages that there are, whatever is said or asked."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Callable
from math import inf
from pathlib import Path
from typing import Any

import pytest
from files_of_office import docx, line

from opencodeinterpreter.sandbox.backends import load_backend
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.previews import Previews
from opencodeinterpreter.serving.previews.inside import extent, sheets
from opencodeinterpreter.serving.previews.inside.main import converted
from opencodeinterpreter.serving.previews.jail import read_in_jail
from opencodeinterpreter.serving.previews.shape import Converted


@pytest.fixture
def read(tmp_path: Path) -> Callable[[str, bytes], Converted]:
    """Reads a file as it is read in the jail, without one."""

    def reading(form: str, content: bytes) -> Converted:
        path = tmp_path / "file"
        path.write_bytes(content)
        return Converted.model_validate_json(json.dumps(converted(form, 0, str(path))))

    return reading


def sheet(cells: dict[str, object]) -> bytes:
    """A workbook of one sheet with these cells."""
    import openpyxl

    book = openpyxl.Workbook()
    for place, value in cells.items():
        book.active[place] = value
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()


def rewritten(workbook: bytes, change: Callable[[bytes], bytes]) -> bytes:
    """A workbook whose sheet is another text."""
    content = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            text = old.read(name)
            new.writestr(name, change(text) if name.startswith("xl/worksheets/") else text)
    return content.getvalue()


def filled(rows: str) -> bytes:
    """A workbook whose sheet has these rows, as they are written in the file."""
    return rewritten(
        sheet({"A1": "x"}),
        lambda text: re.sub(rb"<sheetData.*</sheetData>", f"<sheetData>{rows}</sheetData>".encode(), text),
    )


def test_values_far_below_the_first_ones_are_counted(read) -> None:
    found = read("xlsx", sheet({"A1": "near", "A1000": "far"}))
    assert found.parts[0].rows == [["near"]]
    assert (found.parts[0].total, found.cut) == (1000, False)


def test_values_far_to_the_right_are_said_to_be_left_out(read) -> None:
    for place in ("CC1", "CV1", "XFD1", "AAA7"):
        assert read("xlsx", sheet({"A1": "near", place: "far"})).cut, place
    for place in ("B1", "Z1", "AZ9"):
        assert not read("xlsx", sheet({"A1": "near", place: "far"})).cut, place
    assert read("xlsx", sheet({"CB1": "the last that is read"})).cut  # more than are shown


def test_rows_that_only_have_a_look_are_none(read) -> None:
    full = "".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 301))
    looks = "".join(f'<row r="{n}" s="1"><c r="A{n}" s="1"/><c r="B{n}"><v></v></c></row>' for n in range(301, 2000))
    found = read("xlsx", filled(full + looks))
    assert (len(found.parts[0].rows), found.parts[0].total) == (200, 300)


def test_rows_without_numbers_are_counted(read) -> None:
    found = read("xlsx", filled("<row><c><v>1</v></c></row>" * 350 + "<row/>" * 9))
    assert (len(found.parts[0].rows), found.parts[0].total) == (200, 350)


@pytest.mark.parametrize("piece", [1, 7, 64, 1000])
def test_where_the_pieces_of_a_sheet_end_makes_no_difference(read, monkeypatch, piece: int) -> None:
    monkeypatch.setattr(extent, "_PIECE_BYTES", piece)
    cells = "".join(f'<x:row r="{n}" ht="9"><x:c r="A{n}" t="n"><x:v>{n}</x:v></x:c></x:row>' for n in range(1, 30))
    text = f"<x:worksheet><x:sheetData>{cells}<x:row r='40'/></x:sheetData><x:f>1</x:f></x:worksheet>"
    found = extent.extent(io.BytesIO(text.encode()), inf)
    assert (found.last, found.more) == (29, False)
    far = b"<sheetData><row r='3'><c r='CC3'><f>1</f></c><c r='XFD3' s='1'/></row></sheetData>"
    found = extent.extent(io.BytesIO(far), inf)
    assert (found.last, found.more) == (3, True)


def test_what_a_hostile_sheet_says_of_its_rows_goes_no_further_than_a_sheet_can(read) -> None:
    found = read("xlsx", filled('<row r="1"><c r="A1"><v>1</v></c></row><row r="99999999999999"><c><v>1</v></c></row>'))
    assert (found.parts[0].rows, found.parts[0].total) == ([["1"]], 1_048_576)


def test_a_sheet_without_end_is_looked_through_in_part_and_says_so(read, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "_LOOK_SECONDS", 0)
    found = read("xlsx", filled("".join(f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(1, 1001))))
    assert (len(found.parts[0].rows), found.parts[0].total, found.cut) == (200, 200, True)


@pytest.mark.parametrize("text", [b"x", b"<c ", b"<v ", b"<row ", b"<row><c " + b"r='AAA1' " * 30, b"<c r='AAA1'>    "])
def test_the_work_for_a_hostile_text_grows_no_faster_than_the_text(text: bytes) -> None:
    def seconds(megabytes: int) -> float:
        content = b"<sheetData>" + text * (megabytes * 1_000_000 // len(text)) + b"<row r='2'><c><v>1</v></c></row>"
        begun = time.process_time()
        assert extent.extent(io.BytesIO(content), inf).last == 2
        return time.process_time() - begun

    assert seconds(8) < 0.5 + 16 * seconds(1)  # eight times the text; what grows with its square needs 64 times


def test_formulas_over_many_cells_show_the_value_that_is_stored(read) -> None:
    cells = (
        '<c r="A1"><f t="array" ref="A1:A2">SUM(B1:B2)</f><v>42</v></c><c r="B1"><f t="array" ref="B1">NOW()</f></c>'
    )
    assert read("xlsx", filled(f'<row r="1">{cells}</row>')).parts[0].rows == [["42", "=NOW()"]]


def test_a_text_box_in_a_cell_is_shown_once(read) -> None:
    space = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
    box = f"<w:txbxContent>{line('one')}{line('two')}</w:txbxContent>"
    both = f"<mc:Choice>{box}</mc:Choice><mc:Fallback>{box}</mc:Fallback>"
    run = f"<w:r><mc:AlternateContent {space}>{both}</mc:AlternateContent></w:r>"
    found = read("docx", docx(f"<w:tbl><w:tr><w:tc>{line('a', '', run)}</w:tc></w:tr></w:tbl>{line('b', '', run)}"))
    assert found.parts[0].rows == [["a\none\ntwo"]]
    assert found.parts[1].text == "b\none\ntwo"


def test_a_document_of_nothing_but_a_picture_that_cannot_be_shown_says_so(tmp_path: Path) -> None:
    shown = '<w:r><w:drawing><a:blip r:embed="r2"/></w:drawing></w:r>'
    (tmp_path / "a.docx").write_bytes(docx(line("", "", shown), picture=b"no picture"))
    workspace = Workspace(tmp_path)
    found = json.loads(Previews(load_backend("none")).preview("s", workspace, workspace.files()[0]))
    assert (found["kind"], found["message"]) == ("none", "There is nothing in the file that can be shown.")


# What is asked for, and what is kept of it.


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Where each reading in a jail began."""
    begun: list[int] = []

    def counting(*given: Any) -> Converted:
        begun.append(given[2])
        return read_in_jail(*given)

    monkeypatch.setattr("opencodeinterpreter.serving.previews.previews.read_in_jail", counting)
    return begun


def asked(tmp_path: Path, name: str, content: str, starts: list[int]) -> list[dict[str, Any]]:
    """The previews of one file from each of these rows on."""
    (tmp_path / name).write_text(content)
    workspace, previews = Workspace(tmp_path), Previews(load_backend("none"))
    return [json.loads(previews.preview("s", workspace, workspace.files()[0], start)) for start in starts]


def test_any_number_within_a_page_gives_that_page_and_is_read_for_once(tmp_path: Path, reads: list[int]) -> None:
    found = asked(tmp_path, "a.csv", "a,b\n" + "1,2\n" * 450, [0, 1, 2, 199, 201, 399, 400, 449, 450, 10**7])
    assert [each["start"] for each in found] == [0, 0, 0, 0, 200, 200, 400, 400, 400, 400]
    assert reads == [0, 200, 400]


def test_a_page_that_cannot_be_read_leaves_the_others_where_they_are(tmp_path: Path, reads: list[int]) -> None:
    rows = "".join(f'{{"n": {n}}}\n' if n != 450 else "{not json\n" for n in range(600))
    found = asked(tmp_path, "a.jsonl", rows, [0, 400, 200, 400])
    assert [(each["kind"], each["start"]) for each in found] == [("table", 0), ("text", 0), ("table", 200), ("text", 0)]
    assert reads == [0, 400, 200]


def test_a_broken_file_is_read_for_once_from_wherever_it_is_asked_for(tmp_path: Path, reads: list[int]) -> None:
    found = asked(tmp_path, "a.parquet", "PAR1 and then not", [3000, 200, 0, 5, 10**7])
    assert {each["kind"] for each in found} == {"none"}
    assert reads == [3000, 0]

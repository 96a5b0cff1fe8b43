"""Files of records: all forms, and everything that can be wrong with one."""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.files import json_list
from opencodeinterpreter.codefeedback.files.jsonl import Record, read_records
from opencodeinterpreter.codefeedback.files.row_files import measure, row_bytes
from opencodeinterpreter.errors import InputError

ROWS = [{"id": "a", "text": "naïve — \u2028 \x85"}, {"id": "b", "n": [1, {"x": None}]}, {"id": "c"}]
LINES = b"".join(row_bytes(row) for row in ROWS)


def read(data: bytes, folder: Path, **options: Any) -> list[Record]:
    path = folder / "given.jsonl"
    path.write_bytes(data)
    return list(read_records(path, **options))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(LINES, id="lines"),
        pytest.param(LINES.rstrip(b"\n"), id="no newline at the end"),
        pytest.param(LINES.replace(b"\n", b"\r\n"), id="carriage returns"),
        pytest.param(b"\n" + LINES.replace(b"\n", b"\n \n"), id="empty lines"),
        pytest.param(b"\xef\xbb\xbf" + LINES, id="byte order mark"),
        pytest.param(LINES.decode().encode("utf-16"), id="utf-16"),
        pytest.param(LINES.decode().encode("utf-32"), id="utf-32"),
        pytest.param(gzip.compress(LINES), id="gzip"),
        pytest.param(bz2.compress(LINES), id="bzip2"),
        pytest.param(lzma.compress(LINES), id="xz"),
        pytest.param(json.dumps(ROWS).encode(), id="list"),
        pytest.param(json.dumps(ROWS, indent=4).encode(), id="indented list"),
        pytest.param(json.dumps(ROWS, ensure_ascii=False, indent=1).encode("utf-16"), id="list in utf-16"),
        pytest.param(gzip.compress(json.dumps(ROWS).encode()), id="list in gzip"),
    ],
)
def test_every_form_gives_the_same_rows(data: bytes, tmp_path: Path) -> None:
    records = read(data, tmp_path)
    assert [record.row for record in records] == ROWS
    assert [record.fault for record in records] == ["", "", ""]


def test_an_object_that_is_spread_over_lines_is_one_record(tmp_path: Path) -> None:
    assert [record.row for record in read(json.dumps(ROWS[1], indent=2).encode(), tmp_path)] == [ROWS[1]]


def test_parquet_gives_the_rows_too(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = [{"id": str(number), "meta": {"n": number}, "tags": ["x", None]} for number in range(600)]
    parquet.write_table(arrow.Table.from_pylist(rows), tmp_path / "given.parquet")
    records = list(read_records(tmp_path / "given.parquet"))
    assert [record.row for record in records] == rows
    assert records[-1].place == "given.parquet:600"
    assert measure(tmp_path / "given.parquet").rows == 600
    (tmp_path / "cut.parquet").write_bytes((tmp_path / "given.parquet").read_bytes()[:-100])
    with pytest.raises(InputError, match="no whole Parquet file"):
        list(read_records(tmp_path / "cut.parquet"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"id": ', "broken JSON: Expecting value"),
        (b'{"id": NaN}', "JSON has no NaN"),
        (b'{"id": -Infinity}', "JSON has no -Infinity"),
        (b'{"id": "\\ud83d"}', "half of a surrogate pair"),
        (b"[1]", "must be an object, not a list"),
        (b"7", "must be an object, not a number"),
        (b'{"id": "na\xefve caf\xe9, t\xeate-\xe0-t\xeate"}', "not UTF-8; it may be .*--encoding"),
        (b'{"id": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply|broken JSON"),
        (b'{"id": ' + b"1" * 5000 + b"}", "broken JSON: Exceeds the limit"),
        (b'{"id": "\x00"}', "broken JSON: Invalid control character"),
    ],
)
def test_what_cannot_be_used_is_named_with_its_place_and_the_next_record_is_read(
    line: bytes, reason: str, tmp_path: Path
) -> None:
    first, broken, last = read(b'{"id": "a"}\n\n' + line + b'\n{"id": "c"}\n', tmp_path)
    assert (first.row, last.row, last.line) == ({"id": "a"}, {"id": "c"}, 4)
    assert broken.row is None
    assert broken.place == "given.jsonl:3"
    with pytest.raises(AssertionError, match=reason):
        raise AssertionError(broken.fault)


def test_the_encoding_that_the_reason_names_reads_the_line(tmp_path: Path) -> None:
    text = '{"id": "naïve café, tête-à-tête"}\n'
    (record,) = read(text.encode("cp1252"), tmp_path, encoding="cp1252")
    assert record.row == {"id": "naïve café, tête-à-tête"}
    with pytest.raises(InputError, match="no encoding is called 'utf-9'"):
        read(b"", tmp_path, encoding="utf-9")


def test_a_text_that_has_the_replacement_character_is_whole(tmp_path: Path) -> None:
    data = '[{"id": "\ufffd"}]'.encode()
    assert read(data, tmp_path)[0].row == {"id": "\ufffd"}
    assert read(data.replace("\ufffd".encode(), b"\xff"), tmp_path)[0].fault == "the text is not UTF-8"


def test_a_line_of_a_hundred_megabytes_is_passed_over_in_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "long.jsonl"
    with path.open("wb") as file:
        file.write(b'{"id": "a"}\n{"id": "')
        for _ in range(100):
            file.write(b"x" * (1 << 20))
        file.write(b'"}\n{"id": "c"}\n')
    tracemalloc.start()
    records = list(read_records(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [record.fault for record in records] == ["", "the record is longer than 16 MB", ""]
    assert records[2].line == 3
    assert peak < 60 << 20


def test_a_long_list_on_one_line_is_read_item_by_item(tmp_path: Path) -> None:
    path = tmp_path / "list.json"
    path.write_text(json.dumps([{"id": str(number), "text": "x" * 2000} for number in range(10_000)]))
    tracemalloc.start()
    count = sum(record.row is not None for record in read_records(path))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert peak < 8 << 20


@pytest.mark.parametrize(
    ("data", "good", "reason"),
    [
        (b'[{"a": 1}, {"a": ', 1, "broken JSON"),
        (b'[{"a": 1}', 1, "the list is not closed"),
        (b'[{"a": 1}, 7, {"a": 2}]', 2, "must be an object, not a number"),
        (b'[{"a": 1},\n{"a" 2}, {"a": 3}]', 1, "what follows in the list is lost"),
        (b'[{"a": "' + b"x" * 500_000 + b'"}]', 0, "longer than"),
    ],
)
def test_a_broken_list_says_where(data: bytes, good: int, reason: str, tmp_path: Path) -> None:
    records = read(data, tmp_path, longest=4096)
    assert sum(record.row is not None for record in records) == good
    assert [reason in record.fault for record in records if record.fault] == [True]


@pytest.mark.parametrize("pack", [gzip.compress, lzma.compress])
def test_a_damaged_compressed_file_gives_what_is_before_the_damage(pack: Any, tmp_path: Path) -> None:
    packed = pack(b"".join(row_bytes({"id": str(number), "x": hash(str(number))}) for number in range(5000)))
    records = read(packed[: len(packed) // 2], tmp_path)
    assert "the compressed file is damaged from here on" in records[-1].fault
    assert all(record.row for record in records[:-1])


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not there"):
        list(read_records(tmp_path / "none.jsonl"))
    with pytest.raises(InputError, match="is a folder"):
        list(read_records(tmp_path))


@pytest.mark.parametrize(
    ("data", "rows"),
    [
        pytest.param(LINES, 3, id="lines"),
        pytest.param(LINES.rstrip(), 3, id="no newline at the end"),
        pytest.param(gzip.compress(LINES), 3, id="gzip"),
        pytest.param(b"", 0, id="nothing"),
        pytest.param(b" [{}]", None, id="list"),
        pytest.param(gzip.compress(b"[]"), None, id="list in gzip"),
    ],
)
def test_a_file_is_measured(data: bytes, rows: int | None, tmp_path: Path) -> None:
    (tmp_path / "given").write_bytes(data)
    assert measure(tmp_path / "given").rows == rows


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(
    rows=st.lists(st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5), JSON, max_size=3), max_size=6),
    indent=st.none() | st.integers(0, 3),
    characters=st.integers(1, 7),
)
def test_a_list_is_read_whatever_is_in_it_and_however_it_comes(
    rows: list[dict[str, Any]], indent: int | None, characters: int, tmp_path_factory
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_text(json.dumps(rows, indent=indent))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(json_list, "_CHARACTERS", characters)
        with path.open() as file:
            assert [item.value for item in json_list.read_items(file, 1 << 20)] == rows


@given(row=st.dictionaries(st.text(max_size=5), JSON, max_size=3))
def test_a_row_is_one_line_whatever_is_in_it(row: dict[str, Any]) -> None:
    data = row_bytes(row)
    assert json.loads(data) == row
    assert len(data.decode().splitlines()) == 1

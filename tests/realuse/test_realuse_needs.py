"""How values are found in words and output, and what files must look like."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from PIL import Image

from benchmarks.realuse.files import Json, Lines, Markdown, Picture, Script, Sheets, Table
from benchmarks.realuse.outcome import Need, Outcome, judge
from benchmarks.realuse.values import Day, Digits, Number, Word, numbers

NOWHERE = Path("/nonexistent")


def met(need: Need, text: str = "", shown: str = "", files: Path = NOWHERE) -> bool:
    return need.missing(Outcome(text, shown, shown, files, 1)) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The total is $1,234.50.", "1234.50"),
        ("total 1234.5", "1234.5"),
        ("1.234,50 €", "1234.50"),
        ("1 234,50 EUR", "1234.50"),
        ("1\u202f234\u202f567 people", "1234567"),
        ("1'234'567.25 Franken", "1234567.25"),
        ("x = 1_000_000", "1000000"),
        ("共1234.56元", "1234.56"),
        ("1234", "1234"),
        ("¥12.5", "12.5"),
        ("a loss of -$1,200.75", "-1200.75"),
        ("a loss of −7.25", "-7.25"),
        ("np.float64(51.25)", "51.25"),
        ("[3, 14.5, 9]", "14.5"),
        ("(1,2,3)", "2"),
        ("$1{,}234$", "1234"),
        ("**838,596,693,108**", "838596693108"),
        ("1.5e3", "1500"),
        ("12,5 Prozent", "12.5"),
        ("in 2024 350 orders", "350"),
        ("from 10 to-20", "20"),
    ],
)
def test_numbers_are_read_in_every_usual_form(text: str, value: str) -> None:
    assert Decimal(value) in list(numbers(text))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("float64", "64"),
        ("col_12", "12"),
        ("1,234.50", "234.50"),
        ("1,234.50", "1"),
        ("10.0.0.1", "10"),
        ("2024-03-05", "-3"),
        ("1.234", "1234"),
        ("1,234", "1.234"),
    ],
)
def test_parts_of_numbers_and_names_are_not_read(text: str, value: str) -> None:
    assert Decimal(value) not in list(numbers(text))


def test_german_reads_a_point_between_thousands() -> None:
    assert Decimal(1234) in list(numbers("1.234", german=True))
    assert Decimal("1.234") in list(numbers("1,234", german=True))


@given(st.integers(0, 10**12), st.integers(0, 99))
def test_every_amount_is_read_in_english_and_german(whole: int, cents: int) -> None:
    wanted = Number(Fraction(whole * 100 + cents, 100), 2)
    english = f"{whole:,}.{cents:02}"
    german = english.replace(",", " ").replace(".", ",").replace(" ", ".")
    assert met(wanted, f"It is {english}.")
    assert met(wanted, f"Es sind {german} Euro.")
    assert not met(Number(Fraction(whole * 100 + cents + 2, 100), 2), f"It is {english}.")


def test_a_number_must_be_right_to_the_last_decimal() -> None:
    assert met(Number(12.344, 2), "12.34")
    assert met(Number(12.344, 2), "12.343987")
    assert not met(Number(12.344, 2), "12.35")
    assert not met(Number(12.344, 2), "12.3")


def test_a_whole_number_must_be_exact() -> None:
    assert met(Number(171), "171.0 lines")
    assert not met(Number(171), "171.3")
    assert not met(Number(171), "1711")


def test_a_share_may_be_in_percent_or_of_one() -> None:
    assert met(Number(30.99, 2, percent=True), "30.99 %")
    assert met(Number(30.99, 2, percent=True), "0.3099")
    assert not met(Number(30.99, 2, percent=True), "0.31")
    assert not met(Number(30.99, 2), "0.3099")


def test_a_tolerance_replaces_the_decimals() -> None:
    assert met(Number(899, within=33), "about 921.5")
    assert not met(Number(899, within=33), "about 940")


def test_the_output_counts_where_the_text_lacks_the_value() -> None:
    assert met(Number(171), "Done.", "171")
    assert met(Number(171), "171", "error")
    assert not met(Number(171), "Done.", "171\n" + "more\n" * 40)


@pytest.mark.parametrize(
    "text",
    [
        "2023-04-05",
        "5.4.2023",
        "05.04.2023",
        "April 5, 2023",
        "5 April 2023",
        "Apr 5th 2023",
        "2023年4月5日",
        "5. April 2023",
    ],
)
def test_days_are_found_in_every_usual_form(text: str) -> None:
    assert met(Day(date(2023, 4, 5)), f"It began on {text}.")


@pytest.mark.parametrize("text", ["2023-04-15", "April 2023", "2023-04", "15.04.2023", "5 May 2023"])
def test_other_days_are_not_taken_for_it(text: str) -> None:
    assert not met(Day(date(2023, 4, 5)), f"It began on {text}.")


def test_words_stand_alone() -> None:
    assert met(Word("lighthouse"), "It is 'Lighthouse'.")
    assert not met(Word("light"), "lighthouse")


def test_digits_may_be_grouped() -> None:
    assert met(Digits("4.35889894"), "4.35889 89435 40")
    assert not met(Digits("4.35889894"), "4.3588")


def chart(path: Path, draw: bool) -> None:
    figure = Figure()
    axes = figure.subplots()
    if draw:
        axes.plot([1, 4, 2])
    figure.savefig(path)


def test_a_picture_must_show_something(tmp_path: Path) -> None:
    need = Picture("chart.png")
    assert need.missing(Outcome("", "", "", tmp_path, 1)) == "no file chart.png"
    (tmp_path / "chart.png").write_text("not an image")
    assert not met(need, files=tmp_path)
    Image.new("RGB", (640, 480), "white").save(tmp_path / "chart.png")
    assert not met(need, files=tmp_path)
    chart(tmp_path / "chart.png", draw=False)
    assert not met(need, files=tmp_path)
    chart(tmp_path / "chart.png", draw=True)
    assert met(need, files=tmp_path)
    content = (tmp_path / "chart.png").read_bytes()
    (tmp_path / "chart.png").write_bytes(content[:2000])
    assert not met(need, files=tmp_path)


def test_a_picture_is_found_in_a_folder_below(tmp_path: Path) -> None:
    (tmp_path / "figures").mkdir()
    chart(tmp_path / "figures" / "Chart.png", draw=True)
    assert met(Picture("chart.png"), files=tmp_path)


def test_a_table_is_compared_by_value(tmp_path: Path) -> None:
    need = Table("t.csv", [["a", "b"], ["x", 1.5], ["y", ""]], ";")
    (tmp_path / "t.csv").write_text("\ufeffA;b\nx;1.50\ny;\n", encoding="utf-8")
    assert met(need, files=tmp_path)
    for wrong in (
        "a,b\nx,1.5\ny,\n",
        "a;b\nx;1.5\n",
        "a;b\nx;1.6\ny;\n",
        "a;b\ny;\nx;1.5\n",
        ";a;b\n0;x;1.5\n1;y;\n",
        "",
    ):
        (tmp_path / "t.csv").write_text(wrong)
        assert not met(need, files=tmp_path), wrong


def test_a_workbook_needs_its_sheets_and_numbers(tmp_path: Path) -> None:
    need = Sheets("b.xlsx", {"one": [["a"], [2.5]]})

    def save(title: str, value: object) -> None:
        book = openpyxl.Workbook()
        book.active.title = title
        book.active.append(["a"])
        book.active.append([value])
        book.save(tmp_path / "b.xlsx")

    save("one", 2.5)
    assert met(need, files=tmp_path)
    save("one", "2.5")
    assert not met(need, files=tmp_path)
    save("two", 2.5)
    assert not met(need, files=tmp_path)
    (tmp_path / "b.xlsx").write_text("a\n2.5\n")
    assert not met(need, files=tmp_path)


def test_json_is_compared_with_its_types(tmp_path: Path) -> None:
    need = Json("j.json", {"a": [{"n": 1.5, "t": "x"}]})
    for content, right in [
        ({"a": [{"t": "x", "n": 1.5}]}, True),
        ({"a": [{"t": "x", "n": "1.5"}]}, False),
        ({}, False),
    ]:
        (tmp_path / "j.json").write_text(json.dumps(content))
        assert met(need, files=tmp_path) is right
    (tmp_path / "j.json").write_text("{")
    assert not met(need, files=tmp_path)


def test_lines_are_compared_in_order(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("a \n\nb\n")
    assert met(Lines("l.txt", ["a", "b"]), files=tmp_path)
    assert not met(Lines("l.txt", ["b", "a"]), files=tmp_path)


def test_a_script_must_parse_and_differ(tmp_path: Path) -> None:
    need = Script("s.py", "print(1)")
    for text, right in [("print(2)", True), ("print(1)  # mended", False), ("print(", False), ("", False)]:
        (tmp_path / "s.py").write_text(text)
        assert met(need, files=tmp_path) is right


def test_a_verdict_names_the_first_need_that_is_missing() -> None:
    outcome = Outcome("7", "", "", NOWHERE, 1)
    verdict = judge((Number(7), Word("harbour"), Number(8)), outcome)
    assert (verdict.passed, verdict.reason) == (False, "'harbour' not found")
    assert judge((Number(7),), outcome).passed


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("| a | b |\n|:--|--:|\n| x | 1 |\n", True),
        ("# A title\n\na|b\n---|---\nx|1.0\n", True),
        ("|    | a   |   b |\n|---:|:----|----:|\n|  0 | x   |   1 |\n", True),
        ("| a | b |\n|---|---|\n| x | 2 |\n", False),
        ("| a | b |\n|---|---|\n", False),
        ("| a | b |\n| x | 1 |\n", False),
        ("a,b\nx,1\n", False),
        ("", False),
    ],
)
def test_a_markdown_table_has_its_cells(text: str, right: bool, tmp_path: Path) -> None:
    need = Markdown("t.md", [["a", "b"], ["x", 1]])
    assert not met(need, files=tmp_path)
    (tmp_path / "t.md").write_text(text)
    assert met(need, files=tmp_path) == right

"""What a table's profile says of its columns."""

from __future__ import annotations

import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.interpreter.tables import conversion, profile, read_table, reading_call


def profiled(text: str) -> dict[str, str]:
    table = read_table(text.splitlines())
    assert table is not None
    return dict(line.split(": ", 1) for line in profile(table, 20))


def test_a_column_is_told_by_the_shapes_of_its_values() -> None:
    rows = [f"2024-01-{day:02}" for day in range(1, 21)] + [f"{day}.1.2024" for day in range(10, 19)]
    told = profiled("when,n\n" + "".join(f"{row},{number}\n" for number, row in enumerate(rows)))
    assert told["'when'"] == "20 like '2024-01-01'; 9 like '10.1.2024'"
    assert told["'n'"] == "numbers from 0 to 28"


def test_missing_values_and_odd_ones_are_counted() -> None:
    amounts = [str(n) for n in range(20)] + ["$1,250.50"] * 3 + ["n/a", ""]
    told = profiled("id;amount\n" + "".join(f"{n};{value}\n" for n, value in enumerate(amounts)))
    assert told["'amount'"].startswith("20 numbers like '0'; 3 like '$1,250.50'; 2 missing ('', 'n/a'); convert with: ")


def test_categories_are_listed_with_their_counts() -> None:
    told = profiled("a,b\n" + "x,1\n" * 3 + "y,2\n")
    assert told["'a'"] == "text: 'x' (3), 'y' (1)"


def test_lines_before_the_header_are_counted() -> None:
    table = read_table(["# station", "# unit: C", "day\ttemp", "1\t2", "2\t3"])
    assert table is not None
    assert (table.separator, table.preamble, table.header) == ("\t", 2, ("day", "temp"))


def test_rows_of_another_length_are_counted() -> None:
    table = read_table(["a,b", "1,2", "3", "4,5,6", "7,8"])
    assert table is not None
    assert (len(table.rows), table.ragged) == (2, 2)


def test_the_call_that_reads_a_table_is_told_where_the_plain_one_would_not_do() -> None:
    german = read_table(["# Export", "Tag;Wert", "1.1.;1.180,50", "2.1.;3,5"])
    plain = read_table(["a,b", "1,2"])
    assert german is not None
    assert plain is not None
    assert reading_call(german, "x.csv", "latin-1") == (
        "pd.read_csv('x.csv', sep=';', skiprows=1, encoding='latin-1', decimal=',', thousands='.')"
    )
    assert reading_call(plain, "x.csv", None) is None


@pytest.mark.parametrize(
    ("values", "numbers"),
    [
        (["$1,250.50", "$3.00", "on request"], [1250.5, 3.0, None]),
        (["1.180,50 €", "3,5 €", "7 €"], [1180.5, 3.5, 7.0]),
        (["12 kg", "7.5 kg"], [12.0, 7.5]),
        (["4", "n. a.", "7"], [4.0, None, 7.0]),
        (["EUR 5", "EUR -6.5"], [5.0, -6.5]),
    ],
)
def test_the_conversion_that_is_told_gives_the_numbers(values: list[str], numbers: list[float | None]) -> None:
    call = conversion("amount", values)
    assert call is not None
    got = eval(call, {"pd": pandas, "df": pandas.DataFrame({"amount": values})})
    assert [None if pandas.isna(value) else value for value in got] == numbers


def test_the_conversion_of_dates_in_several_forms_gives_the_days() -> None:
    values = ["18.02.2024", "Mar 10, 2024", "3 April 2024", "05.03.2024"]
    call = conversion("day", values)
    assert call is not None
    got = eval(call, {"pd": pandas, "df": pandas.DataFrame({"day": values})})
    assert [str(value.date()) for value in got] == ["2024-02-18", "2024-03-10", "2024-04-03", "2024-03-05"]


@pytest.mark.parametrize(
    "values",
    [
        ["A026", "B113"],  # article numbers
        ["P0", "P1"],
        ["1", "2.5"],  # numbers already
        ["red", "green"],
        ["2024-03-05", "05.03.2024"],  # pandas would turn the first kind round
        ["2024-03-05", "2024-04-01"],
        ["1,5 €", "2.5 €"],  # two ways of writing decimals
        [],
    ],
)
def test_no_conversion_is_told_where_it_could_be_wrong(values: list[str]) -> None:
    assert conversion("x", values) is None


def test_prose_is_no_table() -> None:
    assert read_table(["One line without anything.", "Another one.", "A third."]) is None
    assert read_table([]) is None


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_lines_can_be_profiled(lines: list[str]) -> None:
    table = read_table(lines)
    if table is not None:
        assert len(profile(table, 5)) <= 6

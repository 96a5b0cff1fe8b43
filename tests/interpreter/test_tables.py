"""What a table's profile says of its columns."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.interpreter.tables import profile, read_table, reading_call


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
    assert told["'amount'"] == "20 numbers like '0'; 3 like '$1,250.50'; 2 missing ('', 'n/a')"


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


def test_prose_is_no_table() -> None:
    assert read_table(["One line without anything.", "Another one.", "A third."]) is None
    assert read_table([]) is None


@given(st.lists(st.text(max_size=40), max_size=30))
def test_any_lines_can_be_profiled(lines: list[str]) -> None:
    table = read_table(lines)
    if table is not None:
        assert len(profile(table, 5)) <= 6

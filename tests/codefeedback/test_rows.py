"""Rows that stages hand to each other."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.codefeedback.rows import Bug, Problem, Query, Solution, Tests
from opencodeinterpreter.errors import InputError

TEXT = st.text(st.characters(codec="utf-8"), max_size=8)
FILLED = TEXT.filter(lambda text: text.strip() != "")
METAS = st.dictionaries(TEXT, st.integers() | TEXT, max_size=2)
TESTS = st.builds(Tests, FILLED, TEXT, st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple))
SOLUTIONS = st.builds(Solution, FILLED, TEXT, TEXT, TEXT, TEXT, TEXT)
QUERIES = st.builds(Query, FILLED, FILLED, TEXT, TEXT, TEXT, TEXT, METAS)
PROBLEMS = st.builds(
    Problem, FILLED, TEXT, TEXT, st.lists(SOLUTIONS, max_size=2).map(tuple), st.none() | TESTS, TEXT,
    st.lists(TEXT, max_size=2).map(tuple), TEXT, TEXT, TEXT, METAS,
)  # fmt: skip
BUGS = st.builds(Bug, FILLED, TEXT, FILLED, FILLED, TEXT, TEXT, st.none() | TESTS, TEXT, TEXT, TEXT, METAS)


@given(row=QUERIES | PROBLEMS | BUGS)
def test_a_row_that_is_stored_is_read_back(row: Query | Problem | Bug) -> None:
    again = type(row).from_json(json.loads(json.dumps(row.to_json())))
    assert again == row
    assert dict(again.meta) == dict(row.meta)


STORED = (
    (
        Query("q", "Was ist π?", "3.14", "python", "a source", "MIT", {"b": 1, "a": [{"z": 1}]}),
        '{"id": "q", "query": "Was ist π?", "answer": "3.14", "language": "python", "source": "a source", '
        '"licence": "MIT", "meta": {"b": 1, "a": [{"z": 1}]}}',
    ),
    (
        Problem(
            "p", "Sum", "Find.", (Solution("1", "python", "O(n)", "O(1)", "text", "note"),),
            Tests("assert f(1) == 2", "f", (("1\n", "2\n"),)), "python", ("array", "hash"), "easy", "a source", "MIT",
            {"k": "v"},
        ),
        '{"id": "p", "title": "Sum", "statement": "Find.", "solutions": [{"code": "1", "language": "python", '
        '"time": "O(n)", "space": "O(1)", "text": "text", "note": "note"}], "tests": {"program": "assert f(1) == 2", '
        '"entry_point": "f", "cases": [["1\\n", "2\\n"]]}, "language": "python", "tags": ["array", "hash"], '
        '"difficulty": "easy", "source": "a source", "licence": "MIT", "meta": {"k": "v"}}',
    ),
    (
        Bug("b", "Add.", "a - b", "a + b", "operator", "It subtracts.", None, "python", "a source", "MIT"),
        '{"id": "b", "statement": "Add.", "buggy": "a - b", "fixed": "a + b", "kind": "operator", "explanation": '
        '"It subtracts.", "tests": null, "language": "python", "source": "a source", "licence": "MIT", "meta": {}}',
    ),
)  # fmt: skip


@pytest.mark.parametrize(("row", "line"), STORED)
def test_the_stored_form_is_fixed_to_the_letter(row: Query | Problem | Bug, line: str) -> None:
    assert json.dumps(row.to_json(), ensure_ascii=False) == line
    assert type(row).from_json(json.loads(line)) == row


@pytest.mark.parametrize(
    ("kind", "row", "reason"),
    [
        (Query, [], "a query must be an object, not a list"),
        (Query, {"id": "1"}, "a query lacks query"),
        (Query, {"id": "1", "query": " \n"}, "query of a query is empty"),
        (Query, {"id": 1, "query": "x"}, "id of a query must be text, not a number"),
        (Query, {"id": "1", "query": "x", "meta": []}, "meta of a query must be an object, not a list"),
        (Problem, {"id": "1", "solutions": [{}]}, "a solution lacks code"),
        (Problem, {"id": "1", "solutions": "x"}, "solutions of a problem must be a list, not text"),
        (Problem, {"id": "1", "tags": [True]}, "tags must be texts"),
        (Problem, {"id": "1", "tests": {}}, "neither a program nor cases"),
        (Problem, {"id": "1", "tests": {"cases": [["1"]]}}, "must be two texts"),
        (Bug, {"id": "1", "buggy": "x", "fixed": None}, "a bug lacks fixed"),
        (Bug, {"id": "1", "buggy": False, "fixed": "x"}, "must be text, not true or false"),
    ],
)
def test_a_row_that_cannot_be_used_is_explained(kind: type[Query], row: Any, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        kind.from_json(row)

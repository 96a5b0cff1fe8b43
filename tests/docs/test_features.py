"""The table of features names tests that exist."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from pages import ROOT

PAGE = ROOT / "docs" / "features.md"
_TEST = re.compile(r"`(tests/[^`:]+)::([^`]+)`")
_STATES = {"yes", "partly", "no", "out of scope"}


def rows(path: Path = PAGE) -> list[list[str]]:
    """Return the cells of each line of each table, without the heads."""
    found = []
    for line in path.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] not in {"feature", "complaint"} and set(line) - set("|-"):
            found.append(cells)
    return found


@cache
def named_in(path: Path) -> frozenset[str]:
    """Return the tests of a file, as pytest names them after the file."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}::{each.name}" for each in node.body if isinstance(each, ast.FunctionDef)}
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found.add(node.name)
    return frozenset(found)


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_what_is_said_to_be_here_names_tests_that_exist(row: list[str]) -> None:
    named = _TEST.findall(row[-1])
    if len(row) == 4:
        assert row[1] in _STATES
        assert named or row[1] in {"no", "out of scope"}
    else:
        assert named
    assert row[-1] == "<br>".join(f"`{file}::{test}`" for file, test in named)
    for file, test in named:
        assert test.rpartition("::")[2].startswith("test_")
        assert test in named_in(ROOT / file), f"{file}::{test}"


def test_the_tables_are_read() -> None:
    sizes = [len(row) for row in rows()]
    assert sizes.count(4) == 55
    assert sizes.count(3) == 25


def test_the_licence_is_apache_2() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["license"] == "Apache-2.0"
    assert "Apache License\n                           Version 2.0" in (ROOT / "LICENSE").read_text(encoding="utf-8")

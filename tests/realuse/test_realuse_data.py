"""The committed data files are what their generator makes, and small."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from benchmarks.realuse.generate import MAKERS, make
from benchmarks.realuse.task import DATA
from benchmarks.realuse.tasks import TASKS


def cells(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    return {sheet.title: list(sheet.iter_rows(values_only=True)) for sheet in openpyxl.load_workbook(path)}


def rows(path: Path) -> list[str]:
    base = sqlite3.connect(path)
    try:
        return list(base.iterdump())
    finally:
        base.close()


@pytest.mark.parametrize("name", MAKERS)
def test_the_generator_makes_the_committed_file(name: str, tmp_path: Path) -> None:
    made = tmp_path / name
    made.write_bytes(make(name))
    # A workbook holds the time of its making, a database the version of its library.
    read = {".xlsx": cells, ".db": rows}.get(made.suffix, Path.read_bytes)
    assert read(made) == read(DATA / name)


def test_every_file_is_made_and_used() -> None:
    committed = {path.name for path in DATA.iterdir()}
    assert committed == set(MAKERS) == {name for task in TASKS for name in task.files}


def test_the_files_are_small() -> None:
    assert sum(path.stat().st_size for path in DATA.iterdir()) < 300_000

"""``ocint data show`` and ``plot``, by their functions' own small program."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from opencodeinterpreter.cli.data_show import add_to
from opencodeinterpreter.dialog import write_dialogs
from opencodeinterpreter.errors import InputError

sys.path.append(str(Path(__file__).parents[1] / "codefeedback"))
from sample_dialogs import sample_dialogs


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "dialogs.jsonl"
    write_dialogs(sample_dialogs(30), path)
    return path


def run(*arguments: str) -> str:
    app = typer.Typer()
    add_to(app)
    result = CliRunner().invoke(app, list(arguments), catch_exceptions=False, standalone_mode=False)
    if result.exception is not None:
        raise result.exception
    return result.output


def test_a_dialog_is_printed(file: Path) -> None:
    shown = run("show", str(file), "--id", "simulation-4")
    for part in (
        "simulation-4  simulation · python · MIT · exercism",
        "› Write a function that gives the mean",
        "def mean(values: list[float]) -> float:",
        "(fails, not to be learned, small)",
        "NameError: name 'total' is not defined",
        "(passed its tests, small)",
    ):
        assert part in shown, part
    assert "Execution result" not in shown
    assert "packing-0" in run("show", str(file))
    assert "packing-3" in run("show", str(file), "--method", "packing", "-n", "2")


def test_what_is_not_there_is_said(file: Path) -> None:
    with pytest.raises(InputError, match="30 dialogs, but none whose id begins with 'x'"):
        run("show", str(file), "--id", "x")


def test_a_list_a_page_and_pictures(file: Path, tmp_path: Path) -> None:
    assert run("show", str(file), "--list", "--most", "3").count("\n") == 4
    page = tmp_path / "out" / "page.html"
    assert "30 dialogs" in run("show", str(file), "--html", str(page))
    assert "<title>dialogs.jsonl</title>" in page.read_text("utf-8")
    run("plot", str(file), "--out", str(tmp_path / "a.svg"))
    assert "30 dialogs" in (tmp_path / "a.svg").read_text("utf-8")
    with pytest.raises(InputError, match=r"\.svg or \.png"):
        run("plot", str(file), "--out", str(tmp_path / "a.gif"))


def test_control_characters_of_a_dialog_do_not_reach_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "d.jsonl"
    row = {
        "id": "a\x1b[2J",
        "messages": [{"role": "user", "content": "\x1b]0;x\x07b"}, {"role": "assistant", "content": "\x1b[31mc"}],
    }
    path.write_text(json.dumps(row) + "\n", encoding="utf-8")
    shown = run("show", str(path))
    assert "\x1b" not in shown
    assert "c" in shown

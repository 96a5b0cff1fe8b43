"""Every ``ocint`` command line in the documents is one that the program takes."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer
from pages import PAGES, blocks, name, ocint_commands

from opencodeinterpreter.cli.commands import COMMANDS
from opencodeinterpreter.cli.main import app
from opencodeinterpreter.config import load_config
from opencodeinterpreter.evaluation.data_files import KNOWN
from opencodeinterpreter.evaluation.protocols import PROTOCOLS, load_protocol
from opencodeinterpreter.evaluation.statistics import SIGNIFICANCE, mcnemar

# Wherever typer has its parser from, the errors of a wrong command line share this base.
UsageError: type[Exception] = next(kind for kind in typer.BadParameter.__mro__ if kind.__name__ == "UsageError")


EVALUATION = next(page for page in PAGES if name(page) == "docs/evaluation/README.md")


def parse(words: list[str]) -> None:
    """Parse a command line without running it.

    Raises:
        UsageError: the program would refuse it.
    """
    command, path = typer.main.get_command(app), "ocint"
    while (
        words
        and words != ["COMMAND"]
        and not words[0].startswith("-")
        and (known := getattr(command, "commands", None))
    ):
        if words[0] not in known:
            raise UsageError(f"there is no command {words[0]}")
        command, path, words = known[words[0]], f"{path} {words[0]}", words[1:]
    if not words or words == ["COMMAND"]:  # a command is named, not called
        return
    try:
        command.make_context(path, words)
    except typer.Exit:  # --help and --version do their work while they are parsed
        return


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_command_lines_are_taken(page: Path) -> None:
    for words in ocint_commands(page):
        try:
            parse(["1" if word == "N" else word for word in words])
        except UsageError as error:
            raise AssertionError(f"{name(page)}: ocint {' '.join(words)}: {error}") from error


@pytest.mark.parametrize(
    "words",
    [
        ["rum", "x"],
        ["run", "x", "--fil", "a"],
        ["sessions", "shwo", "last"],
        ["eval", "run", "-m", "x"],
        ["eval", "compare", "a"],
    ],
)
def test_what_the_program_refuses_is_found(words: list[str]) -> None:
    with pytest.raises(UsageError):
        parse(words)


def test_the_guide_holds_command_lines() -> None:
    guide = next(page for page in PAGES if name(page) == "docs/user-guide.md")
    assert len(list(ocint_commands(guide))) > 40


def test_the_guide_tells_of_every_slash_command() -> None:
    guide = next(page for page in PAGES if name(page) == "docs/user-guide.md")
    told = re.findall(r"^\| `/(\w+)", guide.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(told) == sorted(COMMANDS)


def test_the_guide_to_evaluation_holds_every_command_of_it() -> None:
    lines = [words for words in ocint_commands(EVALUATION) if words[0] == "eval" and len(words) > 2]
    assert len(lines) > 20
    assert {words[1] for words in lines} == {"run", "report", "compare", "regrade", "extract"}


def test_the_guide_to_evaluation_tells_of_every_protocol() -> None:
    told = re.findall(
        r"^\| `([\w-]+)` \| (L[L\d+]*) \| (yes|\*\*no\*\*) \|", EVALUATION.read_text(encoding="utf-8"), re.MULTILINE
    )
    protocols = [load_protocol(each) for each in PROTOCOLS]
    assert sorted(told) == sorted((each.name, each.leakage, "yes" if each.honest else "**no**") for each in protocols)


def test_the_guide_to_evaluation_tells_of_every_file() -> None:
    text = EVALUATION.read_text(encoding="utf-8")
    for known in KNOWN:
        folder = known.address.partition("/")[0]
        assert f"| `{folder}`, {known.version}, `{known.stem}.jsonl.gz` | `{known.sha256}` |" in text


def test_the_guide_to_evaluation_says_what_significance_asks_for() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \|$", EVALUATION.read_text(encoding="utf-8"), re.MULTILINE)
    assert rows
    for broken, fixed in rows:
        assert mcnemar(int(fixed), int(broken)) < SIGNIFICANCE <= mcnemar(int(fixed) - 1, int(broken))


def test_the_settings_file_of_the_guide_is_taken(tmp_path: Path) -> None:
    guide = next(page for page in PAGES if name(page) == "docs/user-guide.md")
    examples = [block for block in blocks(guide) if block.language == "toml"]
    assert examples
    for example in examples:
        path = tmp_path / "config.toml"
        path.write_text(example.text, encoding="utf-8")
        config = load_config(environ={"OCINT_CONFIG": str(path)})
        assert str(path) in config.sources.values()

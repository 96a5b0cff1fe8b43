"""Brings the files that code made to the person: copied to a folder, or named where they lie."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.text import clean, link, one_line, size
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import FileChange

_PICTURES = (".png", ".svg", ".jpg", ".jpeg", ".pdf")


class Delivery:
    """Hands over the files of one session.

    Args:
        output: the folder to copy them to; None leaves them where they are.
        console: where they will be shown.

    Raises:
        InputError: the folder cannot be used.
    """

    def __init__(self, output: Path | None, console: Console) -> None:
        self._output = output
        self._console = console
        self._delivered: dict[str, Path] = {}
        if output is not None:
            _make(output)

    def __call__(self, sandbox: AnySandbox, changes: Sequence[FileChange], figures: Sequence[Path] = ()) -> list[Text]:
        """Hand over files that code made, and figures; return the lines that tell of it.

        Raises:
            InputError: a file cannot be copied.
        """
        if self._output is None:
            if not changes:
                return []
            head = Text("Files in ").append_text(link(sandbox.workspace, self._console)).append(":")
            return [head, *(self._made(sandbox.workspace, change) for change in changes)]
        lines = [self._saved(sandbox.download(change.path, self._target(change.path))) for change in changes]
        if any(change.path.lower().endswith(_PICTURES) for change in changes):
            figures = ()  # the code saved them itself, under names that say more
        for figure in figures:
            target = self._target(str(figure), figure.name)
            try:
                shutil.copyfile(figure, target)
            except OSError as error:
                raise InputError(f"{target} cannot be written: {error.strerror}; the figure is {figure}.") from error
            lines.append(self._saved(target))
        return lines

    def _made(self, workspace: Path, change: FileChange) -> Text:
        style = link(workspace / change.path, self._console).style
        return Text("  ").append(one_line(change.path), style=style).append(f"  {size(change.size)}", style="dim")

    def _saved(self, path: Path) -> Text:
        line = Text("Saved ").append_text(link(path, self._console))
        return line.append(f"  {size(path.stat().st_size)}", style="dim")

    def _target(self, key: str, name: str | None = None) -> Path:
        """Return where to copy to: never over a file that was there, which may be the one that the job was given."""
        assert self._output is not None
        first = self._output / clean(name or Path(key).name)
        target, number = first, 1
        while key not in self._delivered and os.path.lexists(target):
            target = first.with_name(f"{first.stem}-{number}{first.suffix}")
            number += 1
        return self._delivered.setdefault(key, target)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"{folder} cannot be used for the files made: {error.strerror}.") from error
    if not os.access(folder, os.W_OK):
        raise InputError(f"{folder} cannot be used for the files made: it may not be written.")

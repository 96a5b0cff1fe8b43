"""The two consoles: results go to standard output, everything else to standard error."""

from __future__ import annotations

import sys

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.render import UNSANDBOXED, Look
from opencodeinterpreter.config import Config, read_terminal


def out_console() -> Console:
    return Console(file=sys.stdout, highlight=False, markup=False, emoji=False)


def err_console() -> Console:
    return Console(file=sys.stderr, highlight=False, markup=False, emoji=False)


def look(config: Config, quiet: bool = False) -> Look:
    """Return how the terminal is to be written to."""
    terminal = read_terminal()
    light = config.theme == "light" or (config.theme == "auto" and terminal.light)
    return Look(
        code_theme="light" if light else "dark",
        images=terminal.images if config.images == "auto" else config.images,
        quiet=quiet,
    )


def warn_unsandboxed(config: Config, err: Console) -> None:
    """Say loudly that code has all rights of the person who started it, where that is so."""
    if config.backend != "none":
        return
    about = " Code runs with all your rights: it can read, change and send what you can."
    err.print(Text.assemble((UNSANDBOXED, "bold white on red"), (about, "red")), soft_wrap=True)

"""``ocint doctor``: what works here, what does not, and how to mend it."""

from __future__ import annotations

from typing import Annotated

import typer

from opencodeinterpreter.cli import options


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("doctor")(doctor)


def doctor(
    settings: Annotated[bool, typer.Option("--config", help="Show every setting and where it comes from.")] = False,
    online: Annotated[bool, typer.Option("--online", help="Also ask whether models could be fetched.")] = False,
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
    python: options.Python = None,
    kernel: options.Kernel = None,
    model: options.Model = None,
) -> None:
    """Say what works on this machine, what does not, and how to mend it; exit code 1 if something needed fails."""
    from opencodeinterpreter.cli import checkup

    flags = options.flags(python=python, kernel=kernel, model=model)
    shown = checkup.show_settings(flags, json_lines) if settings else checkup.examine(flags, online, json_lines)
    raise typer.Exit(0 if shown else 1)

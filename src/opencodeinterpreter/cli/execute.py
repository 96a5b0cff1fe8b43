"""``ocint exec``: code in the sandbox, without any model."""

from __future__ import annotations

from typing import Annotated

import typer

from opencodeinterpreter.cli import options


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("exec", no_args_is_help=True)(execute)


def execute(
    code: Annotated[str, typer.Argument(metavar="FILE", help="The code; - reads it from standard input.")],
    file: options.Files = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Copy the files made there; else they are dropped."),
    ] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="Write one JSON object a line for each event.")] = False,
    sandbox: options.UseSandbox = None,
    network: options.Network = None,
    python: options.Python = None,
    kernel: options.Kernel = None,
    wall_seconds: options.WallSeconds = None,
    cpu_seconds: options.CpuSeconds = None,
    memory_mb: options.MemoryMb = None,
    processes: options.Processes = None,
    workspace_mb: options.WorkspaceMb = None,
) -> None:
    """Run code in the sandbox, without a model; exit code 1 if it fails."""
    from pathlib import Path

    from opencodeinterpreter.cli.execution import run_file
    from opencodeinterpreter.config import load_config

    flags = options.flags(
        output=output, sandbox=sandbox, network=network, python=python, kernel=kernel, wall_seconds=wall_seconds,
        cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes, workspace_mb=workspace_mb,
    )  # fmt: skip
    raise typer.Exit(run_file(code, list(map(Path, file or [])), load_config(flags), json_lines=json_lines))

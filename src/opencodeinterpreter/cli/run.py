"""``ocint run``: one job, then exit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opencodeinterpreter.cli import options


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("run", no_args_is_help=True)(run)


def run(
    task: Annotated[str, typer.Argument(metavar="TASK", help="What is to be done; - reads it from standard input.")],
    file: options.Files = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Copy the files made there; never over a file."),
    ] = None,
    session: Annotated[
        str | None, typer.Option("--session", metavar="ID", help='Go on with a session; "last" is the latest.')
    ] = None,
    json_lines: Annotated[bool, typer.Option("--json", help="Write one JSON object a line for each event.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show nothing but the answer.")] = False,
    approve: options.Approve = None,
    max_rounds: options.MaxRounds = None,
    model: options.Model = None,
    adapter: options.Adapter = None,
    context: options.Context = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    vision: options.Vision = None,
    sandbox: options.UseSandbox = None,
    network: options.Network = None,
    allow_install: options.AllowInstall = None,
    wheels: options.Wheels = None,
    mcp: options.Mcp = None,
    python: options.Python = None,
    kernel: options.Kernel = None,
    wall_seconds: options.WallSeconds = None,
    cpu_seconds: options.CpuSeconds = None,
    memory_mb: options.MemoryMb = None,
    processes: options.Processes = None,
    workspace_mb: options.WorkspaceMb = None,
) -> None:
    """Do one job: write code, run it, mend it, answer.

    The files made stay in the session (`ocint sessions list`); -o copies them to a folder.
    """
    from opencodeinterpreter.cli.job import do_job
    from opencodeinterpreter.config import load_config

    flags = options.flags(
        output=output, approve=approve, max_rounds=max_rounds, model=model, context=context, max_tokens=max_tokens,
        temperature=temperature, seed=seed, sandbox=sandbox, network=network, python=python, kernel=kernel,
        wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes,
        workspace_mb=workspace_mb, allow_install=allow_install, wheels=wheels, mcp=mcp, vision=vision, adapter=adapter,
    )  # fmt: skip
    code = do_job(
        task, list(map(Path, file or [])), load_config(flags), json_lines=json_lines, quiet=quiet, identity=session
    )
    raise typer.Exit(code)

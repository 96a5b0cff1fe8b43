"""``ocint chat``: a conversation, with one sandbox throughout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from opencodeinterpreter.cli import options


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("chat")(chat)


def chat(
    file: options.Files = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="ID", help='Go on with a session; "last" is the latest.')
    ] = None,
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="FOLDER", help="Copy the files made there; never over a file."),
    ] = None,
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
    """Talk: every message is a task or feedback on what was done; variables and files stay.

    Ctrl-C stops the code, a second one soon after ends the program. /help lists what can be typed.
    """
    flags = options.flags(
        output=output, approve=approve, max_rounds=max_rounds, model=model, context=context, max_tokens=max_tokens,
        temperature=temperature, seed=seed, sandbox=sandbox, network=network, python=python, kernel=kernel,
        wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes,
        workspace_mb=workspace_mb, allow_install=allow_install, wheels=wheels, mcp=mcp, vision=vision, adapter=adapter,
    )  # fmt: skip
    start(flags, file, resume)


def start(flags: dict[str, Any], files: list[Path] | None, identity: str | None) -> None:
    """Begin a conversation, or go on with one."""
    from opencodeinterpreter.cli.conversation import Conversation
    from opencodeinterpreter.config import load_config

    Conversation(load_config(flags)).run(list(map(Path, files or [])), identity)

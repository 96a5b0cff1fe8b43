"""``ocint mcp``: the interpreter as tools for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opencodeinterpreter.cli import options


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("mcp")(mcp)


def mcp(
    http: Annotated[
        bool, typer.Option("--http", help="Streamable HTTP at /mcp instead of standard input and output.")
    ] = False,
    host: Annotated[str, typer.Option("--host", help="With --http: address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="With --http: 0 takes a free one.")] = 8001,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="With --http: keep the token here.", readable=False),
    ] = None,
    max_rounds: options.MaxRounds = None,
    model: options.Model = None,
    context: options.Context = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    vision: options.Vision = None,
    sandbox: options.UseSandbox = None,
    network: options.Network = None,
    wheels: options.Wheels = None,
    mcp: options.Mcp = None,
    adapter: options.Adapter = None,
    python: options.Python = None,
    kernel: options.Kernel = None,
    wall_seconds: options.WallSeconds = None,
    cpu_seconds: options.CpuSeconds = None,
    memory_mb: options.MemoryMb = None,
    processes: options.Processes = None,
    workspace_mb: options.WorkspaceMb = None,
) -> None:
    """Offer tools over the Model Context Protocol: run code in a sandboxed session, files, whole tasks.

    Speaks over standard input and output, as most clients start it. The model is loaded with the first task only.
    """
    flags = options.flags(
        max_rounds=max_rounds, model=model, context=context, max_tokens=max_tokens, temperature=temperature, seed=seed,
        sandbox=sandbox, network=network, python=python, kernel=kernel, wall_seconds=wall_seconds,
        cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes, workspace_mb=workspace_mb, wheels=wheels,
        mcp=mcp, vision=vision, adapter=adapter,
    )  # fmt: skip
    from opencodeinterpreter.cli.serving import Many, ServerFlags, start, start_stdio

    if http:
        start(flags, Many(), ServerFlags(host, port, token_file=token_file), path="/mcp")
    else:
        start_stdio(flags)

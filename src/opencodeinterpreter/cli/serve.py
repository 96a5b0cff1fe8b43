"""``ocint serve``: the HTTP API, for programs and for many users."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opencodeinterpreter.cli import options

_SERVER, _SESSIONS = "Server", "Sessions"


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("serve")(serve)


def serve(
    host: Annotated[
        str, typer.Option("--host", help="Address to listen on; others than loopback are open to the network.",
                          rich_help_panel=_SERVER)
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="0 takes a free one.",
                                      rich_help_panel=_SERVER)] = 8000,
    keys: Annotated[
        Path | None,
        typer.Option("--keys", metavar="FILE", help="API keys and their limits; without it one token is made.",
                     readable=False, rich_help_panel=_SERVER),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option("--token-file", metavar="FILE", help="Keep the token here, so that it stays the same.",
                     readable=False, rich_help_panel=_SERVER),
    ] = None,
    allow_host: Annotated[
        list[str] | None,
        typer.Option("--allow-host", metavar="NAME", help="A name under which the server is reached.",
                     rich_help_panel=_SERVER),
    ] = None,
    allow_origin: Annotated[
        list[str] | None,
        typer.Option("--allow-origin", metavar="URL", help="A page whose scripts may send requests.",
                     rich_help_panel=_SERVER),
    ] = None,
    max_body_mb: Annotated[
        float, typer.Option("--max-body-mb", min=0.001, help="Of one request without files.", rich_help_panel=_SERVER)
    ] = 32.0,
    drain_seconds: Annotated[
        float, typer.Option("--drain-seconds", min=0, help="For what runs, when the server is ended.",
                            rich_help_panel=_SERVER)
    ] = 10.0,
    offer: Annotated[
        list[str] | None,
        typer.Option("--offer", metavar="NAME", help="A further model that can be chosen.", rich_help_panel=_SESSIONS),
    ] = None,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=64, help="Replies the embedded model writes side by side.",
                          rich_help_panel=_SESSIONS)
    ] = 1,
    kernels: Annotated[
        int, typer.Option("--kernels", min=1, help="Sessions that have a kernel at a time.", rich_help_panel=_SESSIONS)
    ] = 16,
    waiting: Annotated[
        int, typer.Option("--waiting", min=1, help="Replies that may wait for the model.", rich_help_panel=_SESSIONS)
    ] = 32,
    park_seconds: Annotated[
        float, typer.Option("--park-seconds", min=1, help="Unused for so long, a session loses its kernel.",
                            rich_help_panel=_SESSIONS)
    ] = 900.0,
    expire_days: Annotated[
        float | None,
        typer.Option("--expire-days", min=0.001, help="Unused for so long, a session is deleted.",
                     rich_help_panel=_SESSIONS),
    ] = None,
    replay: Annotated[
        bool, typer.Option("--replay/--no-replay", help="Run earlier code again when a session gets a new kernel.",
                           rich_help_panel=_SESSIONS)
    ] = True,
    approve: options.Approve = None,
    max_rounds: options.MaxRounds = None,
    model: options.Model = None,
    context: options.Context = None,
    max_tokens: options.MaxTokens = None,
    temperature: options.Temperature = None,
    seed: options.Seed = None,
    sandbox: options.UseSandbox = None,
    network: options.Network = None,
    allow_install: options.AllowInstall = None,
    wheels: options.Wheels = None,
    python: options.Python = None,
    kernel: options.Kernel = None,
    wall_seconds: options.WallSeconds = None,
    cpu_seconds: options.CpuSeconds = None,
    memory_mb: options.MemoryMb = None,
    processes: options.Processes = None,
    workspace_mb: options.WorkspaceMb = None,
) -> None:  # fmt: skip
    """Serve the HTTP API on this machine: OpenAI-compatible, and one of our own with every feature.

    Prints its address and, where no file of keys is given, a token that every request must bear.
    """
    flags = options.flags(
        approve=approve, max_rounds=max_rounds, model=model, context=context, max_tokens=max_tokens,
        temperature=temperature, seed=seed, sandbox=sandbox, network=network, python=python, kernel=kernel,
        wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes,
        workspace_mb=workspace_mb, allow_install=allow_install, wheels=wheels,
    )  # fmt: skip
    # The server is imported only here: the other commands start faster without it.
    from opencodeinterpreter.cli.serving import Many, ServerFlags, start

    many = Many(
        models=offer or (),
        parallel=parallel,
        kernels=kernels,
        waiting=waiting,
        park_seconds=park_seconds,
        expire_seconds=expire_days * 86400 if expire_days is not None else None,
        replay=replay,
    )
    start(
        flags,
        many,
        ServerFlags(host, port, keys, token_file, allow_host or (), allow_origin or (), max_body_mb, drain_seconds),
    )

"""``ocint serve``: the HTTP API, for programs and for many users."""

from __future__ import annotations

import typer

from opencodeinterpreter.cli import options
from opencodeinterpreter.cli import server_options as server


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("serve")(serve)


def serve(
    host: server.Host = "127.0.0.1",
    port: server.Port = 8000,
    keys: server.KeyFile = None,
    token_file: server.TokenFile = None,
    allow_host: server.AllowHost = None,
    allow_origin: server.AllowOrigin = None,
    public_url: server.PublicUrl = None,
    max_body_mb: server.MaxBody = 32.0,
    drain_seconds: server.Drain = 10.0,
    offer: server.Offer = None,
    parallel: server.Parallel = 1,
    kernels: server.Kernels = 16,
    waiting: server.Waiting = 32,
    park_seconds: server.Park = 900.0,
    expire_days: server.Expire = None,
    replay: server.Replay = True,
    approve: options.Approve = None,
    max_rounds: options.MaxRounds = None,
    model: options.Model = None,
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
    adapter: options.Adapter = None,
    python: options.Python = None,
    kernel: options.Kernel = None,
    wall_seconds: options.WallSeconds = None,
    cpu_seconds: options.CpuSeconds = None,
    memory_mb: options.MemoryMb = None,
    processes: options.Processes = None,
    workspace_mb: options.WorkspaceMb = None,
) -> None:
    """Serve the HTTP API on this machine: OpenAI-compatible, and one of our own with every feature.

    Prints its address and, where no file of keys is given, a token that every request must bear.
    """
    flags = options.flags(
        approve=approve, max_rounds=max_rounds, model=model, context=context, max_tokens=max_tokens,
        temperature=temperature, seed=seed, sandbox=sandbox, network=network, python=python, kernel=kernel,
        wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes,
        workspace_mb=workspace_mb, allow_install=allow_install, wheels=wheels, mcp=mcp, vision=vision, adapter=adapter,
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
        ServerFlags(
            host, port, keys, token_file, allow_host or (), allow_origin or (), max_body_mb, drain_seconds, public_url
        ),
    )

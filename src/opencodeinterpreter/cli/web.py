"""``ocint web``: the page in a browser, for the person at this machine."""

from __future__ import annotations

import threading
import webbrowser
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from opencodeinterpreter.cli import options
from opencodeinterpreter.cli import server_options as server

PORT = 8765
_FOR_TERMINALS = frozenset({"elinks", "links", "lynx", "w3m", "www-browser"})


def add_to(app: typer.Typer) -> None:
    """Add the command to the program."""
    app.command("web")(web)


def web(
    browser: server.Browser = True,
    port: Annotated[
        int | None,
        typer.Option("--port", min=0, max=65535, help=f"{PORT} where it is free, else any; 0 takes a free one.",
                     rich_help_panel="Server"),
    ] = None,
    host: server.Host = "127.0.0.1",
    allow_host: server.AllowHost = None,
    token_file: server.TokenFile = None,
    offer: server.Offer = None,
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
) -> None:  # fmt: skip
    """Open the web page: chat, code cells with their output, files, sessions.

    Listens on this machine alone, and only who has the printed link gets in. Ctrl-C ends it; sessions are kept.
    """
    flags = options.flags(
        approve=approve, max_rounds=max_rounds, model=model, context=context, max_tokens=max_tokens,
        temperature=temperature, seed=seed, sandbox=sandbox, network=network, python=python, kernel=kernel,
        wall_seconds=wall_seconds, cpu_seconds=cpu_seconds, memory_mb=memory_mb, processes=processes,
        workspace_mb=workspace_mb, allow_install=allow_install, wheels=wheels, mcp=mcp, vision=vision, adapter=adapter,
    )  # fmt: skip
    start(flags, WebFlags(host, port, browser, token_file, tuple(allow_host or ()), tuple(offer or ())))


@dataclass(frozen=True)
class WebFlags:
    """Where the page is, and who opens it."""

    host: str = "127.0.0.1"
    port: int | None = None
    """None: the usual one, or any where that is taken."""
    browser: bool = True
    token_file: Path | None = None
    hosts: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    """Offered beside the configured one, and those that are on this machine."""


def start(flags: Mapping[str, Any], page: WebFlags) -> None:
    """Serve the page until a signal ends it.

    Raises:
        OcintError: it cannot be begun.
    """
    # Imported only here: the other commands start faster without a server.
    from opencodeinterpreter.cli.consoles import err_console, out_console, warn_unsandboxed
    from opencodeinterpreter.cli.serving import Many, open_hub, token_of
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.errors import InputError
    from opencodeinterpreter.models import list_models
    from opencodeinterpreter.serving.access import Keys, token_key
    from opencodeinterpreter.serving.app import create_app
    from opencodeinterpreter.serving.guard import GuardSettings
    from opencodeinterpreter.serving.page import PUBLIC_PAGES, Tickets, page_routes
    from opencodeinterpreter.serving.server import listen, serve

    config = load_config(flags)
    err = err_console()
    warn_unsandboxed(config, err)
    token = token_of(page.token_file)
    tickets = Tickets(token)
    guard = GuardSettings(hosts=page.hosts, upload_bytes=(config.limits.workspace_mb or 1024) << 20)
    try:
        listener = listen(page.host, PORT if page.port is None else page.port)
    except InputError:
        if page.port is not None:
            raise
        listener = listen(page.host, 0)
    here = [state.entry.name for state in list_models(model_settings(config).sources) if state.path is not None]
    with listener, open_hub(config, err, Many(models=(*page.models, *here))) as hub:
        address = link_base(*listener.getsockname()[:2])

        def told() -> None:
            out = out_console()
            out.print(f"{address}/#token={token}", soft_wrap=True, highlight=False)
            out.file.flush()
            err.print("Whoever has this link can run code here. Ctrl-C ends; sessions are kept.", style="dim")
            if page.browser:
                # In a thread: some browsers are not left until they are closed.
                open_page = threading.Thread(target=_open, args=(f"{address}/#ticket={tickets.issue()}",), daemon=True)
                open_page.start()

        app = create_app(
            hub,
            Keys([token_key(token)]),
            guard=guard,
            pages=page_routes(tickets),
            public_pages=PUBLIC_PAGES,
            on_start=told,
        )
        serve(app, hub, listener, drain_seconds=2.0)


def link_base(host: str, port: int) -> str:
    """Return the beginning of the page's address, for a browser on this machine."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host)  # noqa: S104 - looked at, not listened on
    return f"http://{reached or (f'[{host}]' if ':' in host else host)}:{port}"


def _open(address: str) -> None:
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return
    # They would take the terminal, and cannot show the page.
    if getattr(browser, "basename", "") not in _FOR_TERMINALS:
        browser.open(address)

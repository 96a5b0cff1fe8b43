"""Makes the hub of sessions as the configuration says, and serves it; shared by the commands that serve."""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from rich.console import Console

from opencodeinterpreter.cli.consoles import err_console, out_console, warn_unsandboxed
from opencodeinterpreter.cli.progress import shown_progress
from opencodeinterpreter.cli.workbench import isolation, open_packages, open_tools, place
from opencodeinterpreter.config import Config, load_config, mcp_tables, model_settings
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.interpreter import Session, SessionStore
from opencodeinterpreter.interpreter.tools import tool_servers
from opencodeinterpreter.models import ChatModel, Generation, load_model
from opencodeinterpreter.models.cache import Progress
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.backends import make_sandbox
from opencodeinterpreter.serving.access import Keys, new_token, read_keys, token_key
from opencodeinterpreter.serving.guard import GuardSettings
from opencodeinterpreter.serving.hub import Hub, HubSettings
from opencodeinterpreter.serving.secret_files import kept
from opencodeinterpreter.serving.shelf import ModelShelf

_SERVED_AT_A_TIME = 64
"""Replies asked of a server, or of a script, at a time: such a back-end has a queue of its own."""


@dataclass(frozen=True)
class Many:
    """What matters with many sessions only."""

    models: Sequence[str] = ()
    """Offered beside the configured one."""
    parallel: int = 1
    """Replies that the embedded model generates side by side."""
    kernels: int = 16
    park_seconds: float | None = 900.0
    expire_seconds: float | None = None
    waiting: int = 32
    replay: bool = True


@dataclass(frozen=True)
class ServerFlags:
    """Where is listened, and to whom."""

    host: str = "127.0.0.1"
    port: int = 8000
    keys: Path | None = None
    token_file: Path | None = None
    hosts: Sequence[str] = ()
    origins: Sequence[str] = ()
    body_mb: float = 32.0
    drain_seconds: float = 10.0
    public_url: str | None = None
    """Where others reach it, if that is not where it listens."""


def start(flags: Mapping[str, Any], many: Many, server: ServerFlags, path: str = "") -> None:
    """Serve until a signal ends it.

    Args:
        path: what is printed behind the address.

    Raises:
        OcintError: it cannot be begun.
    """
    from opencodeinterpreter.serving.addresses import page_origin, public_base
    from opencodeinterpreter.serving.app import create_app
    from opencodeinterpreter.serving.logs import log_to_stderr
    from opencodeinterpreter.serving.server import listen, serve

    config = load_config(flags)
    err = err_console()
    warn_unsandboxed(config, err)
    if server.host not in ("127.0.0.1", "::1", "localhost"):
        err.print(f"Who reaches {server.host} reaches this server; nothing is encrypted on the way.", style="yellow")
    token = None if server.keys is not None else token_of(server.token_file)
    keys = read_keys(server.keys) if server.keys is not None else Keys([token_key(token or "")])
    guard = GuardSettings(
        hosts=server.hosts,
        origins=[page_origin(origin) for origin in server.origins],
        public_url=public_base(server.public_url) if server.public_url is not None else "",
        body_bytes=int(server.body_mb * 2**20),
        upload_bytes=(config.limits.workspace_mb or 1024) << 20,
    )
    log_to_stderr()
    with listen(server.host, server.port) as listener, open_hub(config, err, many) as hub:
        address = listener.getsockname()
        shown = f"[{address[0]}]" if ":" in address[0] else address[0]

        def told() -> None:
            out = out_console()
            out.print(f"http://{shown}:{address[1]}{path}", soft_wrap=True)
            if token is not None:
                out.print(f"token: {token}", soft_wrap=True)
            out.file.flush()

        serve(create_app(hub, keys, guard=guard, on_start=told), hub, listener, server.drain_seconds)


def start_stdio(flags: Mapping[str, Any]) -> None:
    """Serve MCP over standard input and output, until the client closes them or a signal comes.

    Raises:
        OcintError: it cannot be begun.
    """
    from opencodeinterpreter.serving.logs import log_to_stderr
    from opencodeinterpreter.serving.mcp_server import make_mcp_server

    config = load_config({**flags, "approve": False})
    err = err_console()
    warn_unsandboxed(config, err)
    log_to_stderr(logging.WARNING)

    with open_hub(config, err, asks=False) as hub:

        def end(code: int) -> NoReturn:
            hub.close()
            # A thread of the SDK's reads standard input, and nothing but its end would end that.
            os._exit(code)

        def ended(number: int, _frame: FrameType | None) -> None:
            threading.Thread(target=end, args=(128 + number,), name="ending", daemon=True).start()

        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, ended)
        make_mcp_server(hub).run("stdio")


def token_of(path: Path | None) -> str:
    """Return the token that is kept in a file, made there if there is none; without a file, a new one.

    Raises:
        ConfigError: it cannot be read or written, or others can read it.
    """
    if path is None:
        return new_token()
    try:
        token = kept(path, lambda: f"{new_token()}\n".encode()).decode("utf-8", "replace").strip()
        if path.stat().st_mode & 0o077:
            raise ConfigError(f"Others can read the token in {path}: chmod 600 {path}")
    except OSError as error:
        raise ConfigError(f"The token in {path} cannot be kept: {error.strerror}.") from error
    if len(token) < 16:
        raise ConfigError(f"The token in {path} is too short; delete the file, and a new one is made.")
    return token


def open_hub(config: Config, err: Console, many: Many | None = None, asks: bool = True) -> Hub:
    """Make the hub; models are loaded when they are first asked for.

    Args:
        asks: whether somebody can answer whether a tool may be called; else only those that are allowed can be.

    Raises:
        OcintError: what cannot be had.
    """
    many = many or Many()
    tool_servers(mcp_tables(config))  # what is wrong with them is said now, and not to each session
    where = place(config)

    def sandbox_of(session: Session) -> AnySandbox:
        logs = session.folder / "logs"
        opening = sum(1 for _ in logs.iterdir()) + 1 if logs.is_dir() else 1  # each sandbox numbers its logs from 1
        (logs / str(opening)).mkdir(parents=True)
        return make_sandbox(
            where,
            limits=config.limits,
            workspace=session.workspace,
            network=config.network,
            python=config.python,
            kernel=config.kernel,
            packages=session.packages if config.kernel is None else None,
            logs=logs / str(opening),
        )

    shelf = ModelShelf(
        [config.model, *many.models],
        lambda name, told: _load(config, err, name, many.parallel, told),
        lambda name: _SERVED_AT_A_TIME if name.startswith(("openai:", "scripted:")) else many.parallel,
    )
    return Hub(
        SessionStore(config.sessions_folder),
        shelf,
        sandbox_of,
        HubSettings(
            approve=config.approve,
            max_rounds=config.max_rounds,
            generation=Generation(config.max_tokens, config.temperature, seed=config.seed),
            limits=config.limits,
            network=config.network,
            isolation=config.backend,
            max_kernels=many.kernels,
            max_waiting=many.waiting,
            park_seconds=many.park_seconds,
            expire_seconds=many.expire_seconds,
            replay=many.replay,
        ),
        lambda session: open_packages(config, session),
        isolation(config),
        lambda _session: open_tools(config, asks),
    )


def _load(config: Config, err: Console, name: str, parallel: int, told: Progress) -> ChatModel:
    with shown_progress(err, name) as shown:

        def progress(done: int, total: int, source: str) -> None:
            shown(done, total, source)
            told(done, total, source)

        return load_model(
            name,
            context_tokens=config.context,
            threads=config.threads,
            # Adapters belong to the model that they were given with, and fit no other.
            adapters=config.adapters if name == config.model else (),
            parallel=parallel,
            settings=model_settings(config),
            progress=progress,
        )

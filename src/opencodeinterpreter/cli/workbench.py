"""Puts model, sandbox, session and interpreter together as the configuration says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass

from rich.console import Console

from opencodeinterpreter.cli.progress import shown_progress
from opencodeinterpreter.config import Config, mcp_tables, model_settings
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.interpreter import Interpreter, Session, SessionStore, Toolbox
from opencodeinterpreter.interpreter.tools import tool_servers
from opencodeinterpreter.models import ChatModel, Generation, load_model
from opencodeinterpreter.sandbox import AnySandbox, SandboxBackend
from opencodeinterpreter.sandbox.backends import load_backend, make_sandbox
from opencodeinterpreter.sandbox.environment import find_python
from opencodeinterpreter.sandbox.packages import PackageFolder


@dataclass
class Workbench:
    """All that a job needs; ``workbench`` makes it and puts it away."""

    config: Config
    store: SessionStore
    session: Session
    interpreter: Interpreter


def open_model(config: Config, err: Console, name: str | None = None) -> ChatModel:
    """Load the configured model, or another one, fetching it first where it is not here.

    Raises:
        ModelError: it cannot be had.
    """
    # Adapters belong to the model that they were given with, and fit no other.
    adapters = config.adapters if name is None else ()
    name = name or config.model
    with shown_progress(err, name) as progress:
        return load_model(
            name,
            context_tokens=config.context,
            threads=config.threads,
            adapters=adapters,
            settings=model_settings(config),
            progress=progress,
        )


def isolation(config: Config) -> SandboxBackend:
    """Return the configured kind of isolation; where code runs on other machines, that of what is left to run here."""
    if config.backend == "docker":
        from opencodeinterpreter.sandbox.docker import DockerBackend

        return DockerBackend(config.docker_program, config.docker_image)
    return load_backend("bubblewrap" if config.backend == "ray" else config.backend)


def place(config: Config) -> SandboxBackend | str:
    """Return where code runs: in an isolation on this machine, or on the workers that a name stands for."""
    return config.backend if config.backend == "ray" else isolation(config)


def open_sandbox(config: Config, session: Session | None = None) -> AnySandbox:
    """Make the configured sandbox.

    Raises:
        SandboxError: it cannot be had.
    """
    return make_sandbox(
        place(config),
        limits=config.limits,
        workspace=session.workspace if session else None,
        network=config.network,
        python=config.python,
        kernel=config.kernel,
        packages=session.packages if session and config.kernel is None else None,
    )


def open_packages(config: Config, session: Session) -> PackageFolder | None:
    """Make what installs packages for a session; None where the configuration does not allow it.

    Raises:
        ConfigError, InputError: the interpreter or the folder of wheels cannot be used.
    """
    if config.kernel is not None or not (config.allow_install or config.wheels):
        return None
    if config.backend == "ray":
        raise ConfigError("Packages cannot be installed for a session on a cluster's machines; install them there.")
    python = find_python(config.python).executable if config.python else None
    return PackageFolder(session.packages, python=python, wheels=config.wheels, index=config.allow_install)


def open_tools(config: Config, asks: bool = True) -> Toolbox | None:
    """Make the tools of the configured MCP servers, which begin to start; None where there are none.

    Raises:
        ConfigError: a server's settings cannot be used.
    """
    servers = tool_servers(mcp_tables(config))
    if not servers:
        return None
    if config.backend not in ("bubblewrap", "none") or config.kernel is not None:
        where = f"in the sandbox {config.backend}" if config.kernel is None else "by a kernel of another make"
        return Toolbox((), [f"The MCP servers are not used: tools cannot be called {where}."])
    return Toolbox(servers, asks=asks)


@contextmanager
def workbench(config: Config, err: Console, identity: str | None = None) -> Iterator[Workbench]:
    """Open everything, and close it at the end; a session in which nothing was asked leaves nothing behind.

    Args:
        identity: the session to go on with; None begins a new one.

    Raises:
        ModelError, SandboxError, SessionError: what cannot be had.
    """
    store = SessionStore(config.sessions_folder)
    session = store.open(identity) if identity else store.create(model=config.model)
    empty = True
    try:
        packages = open_packages(config, session)
        sandbox = open_sandbox(config, session)
        tools = open_tools(config)
        if tools is not None:
            tools.attach(sandbox)  # before its kernel starts
        with session, closing(tools) if tools else nullcontext(), sandbox:
            model = open_model(config, err)
            try:
                generation = Generation(config.max_tokens, config.temperature, seed=config.seed)
                with Interpreter(
                    model,
                    sandbox=sandbox,
                    max_rounds=config.max_rounds,
                    approve=config.approve,
                    session=session,
                    generation=generation,
                    packages=packages,
                    tools=tools,
                ) as interpreter:
                    try:
                        yield Workbench(config, store, session, interpreter)
                    finally:
                        empty = not any(event.get("type") == "turn_started" for event in session.events())
            finally:
                model.close()
    finally:
        session.close()
        if empty and identity is None:
            store.delete(session.id)

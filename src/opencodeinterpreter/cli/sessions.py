"""``ocint sessions``: what was done before, going on with it, forking, exporting and deleting it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from opencodeinterpreter.cli import chat, options

if TYPE_CHECKING:
    from opencodeinterpreter.interpreter import SessionStore

app = typer.Typer(help="List, show, go on with, fork, export and delete sessions.", no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="ID", help='The id, its beginning, or "last".')]


def _store() -> SessionStore:
    from opencodeinterpreter.config import load_config
    from opencodeinterpreter.interpreter import SessionStore

    return SessionStore(load_config().sessions_folder)


@app.command("list")
def list_(
    search: Annotated[str, typer.Argument(metavar="[WORDS]", help="Only sessions whose tasks hold this.")] = "",
    json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show the sessions, the latest first."""
    import time
    from dataclasses import asdict

    from opencodeinterpreter.cli.consoles import err_console, out_console
    from opencodeinterpreter.cli.replay import fork_of
    from opencodeinterpreter.cli.tables import print_table

    infos = _store().infos(search)
    if json_lines:
        for info in infos:
            typer.echo(json.dumps(asdict(info)))
        return
    if not infos:
        err_console().print("There are no sessions yet." if not search else "No session's tasks hold that.")
        return
    rows = [
        [
            info.id,
            time.strftime("%Y-%m-%d %H:%M", time.localtime(info.updated)),
            str(info.turns),
            f"{info.title} ({fork_of(info)})" if info.forked else info.title,
        ]
        for info in infos
    ]
    out = out_console()
    print_table(["session", "last used", "turns", "first task"], rows, out)


@app.command()
def show(identity: Id) -> None:
    """Show a session as it went."""
    from opencodeinterpreter.cli.replay import show_session

    show_session(_store(), identity)


@app.command()
def resume(
    identity: Id,
    file: options.Files = None,
    model: options.Model = None,
    approve: options.Approve = None,
    sandbox: options.UseSandbox = None,
    network: options.Network = None,
    allow_install: options.AllowInstall = None,
    wheels: options.Wheels = None,
    mcp: options.Mcp = None,
    python: options.Python = None,
    kernel: options.Kernel = None,
) -> None:
    """Go on with a session in `ocint chat`."""
    chat.start(
        options.flags(
            model=model, approve=approve, sandbox=sandbox, network=network, python=python, kernel=kernel,
            allow_install=allow_install, wheels=wheels, mcp=mcp,
        ),
        file,
        identity,
    )  # fmt: skip


@app.command()
def fork(
    identity: Id,
    message: Annotated[
        int | None, typer.Option("--message", metavar="N", min=1, help="The last one taken over, 1 is the first.")
    ] = None,
) -> None:
    """Make a session that begins as this one and goes on by itself; write its id.

    The files are copied as they are now. The variables come back by /replay.
    """
    from opencodeinterpreter.config import load_config

    turn = message - 1 if message is not None else None
    with _store().fork(identity, turn, limit_mb=load_config().limits.workspace_mb) as made:
        typer.echo(made.id)


@app.command()
def export(
    identity: Id,
    form: Annotated[
        str | None,
        typer.Option("--to", "-t", metavar="FORM", help="ipynb, md, html, py, or jsonl (a Code-Feedback line)."),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Where to; else standard output.")
    ] = None,
) -> None:
    """Write a session as a notebook, Markdown, one HTML page, a Python file or a Code-Feedback line."""
    from opencodeinterpreter.cli.replay import exported
    from opencodeinterpreter.errors import InputError

    form = form or (output.suffix.lstrip(".") if output else None) or "ipynb"
    text = exported(_store(), identity, form)
    if output is None:
        typer.echo(text, nl=False)
        return
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output} cannot be written: {error.strerror}.") from error


@app.command()
def delete(
    identity: Id,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
) -> None:
    """Delete a session with its files."""
    import sys

    from opencodeinterpreter.errors import InputError

    store = _store()
    folder = store.folder(identity)
    if not yes:
        if not sys.stdin.isatty():
            raise InputError(f"--yes is needed to delete {folder.name} without being asked.")
        if not typer.confirm(f"Delete session {folder.name} and all its files?", err=True):
            raise typer.Exit(1)
    store.delete(folder.name)


@app.command()
def prune(
    older_than: Annotated[
        str, typer.Option("--older-than", metavar="AGE", help="Such as 30d, 12h or 2w; of their last use.")
    ],
) -> None:
    """Delete the sessions that were not used for so long; open ones stay."""
    deleted = _store().prune(_age(older_than))
    for identity in deleted:
        typer.echo(identity)


def _age(text: str) -> float:
    from opencodeinterpreter.errors import InputError

    match = re.fullmatch(r"(\d{1,6})\s*([hdw])", text.strip().lower())
    if not match:
        raise InputError(f"--older-than must be a number with h, d or w after it, such as 30d, not {text!r}.")
    return int(match[1]) * {"h": 3600.0, "d": 86400.0, "w": 604800.0}[match[2]]

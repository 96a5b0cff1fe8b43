"""The command ``ocint``.

Exit codes: 0 the job is done; 1 it is not (rounds spent, the same code again, the last code failed); 2 the command
line, the configuration, the task, a file or a session cannot be used; 3 the model cannot; 4 the sandbox cannot;
130 stopped by Ctrl-C; 129 the terminal was closed; 143 terminated.
"""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Annotated, NoReturn

import typer

from opencodeinterpreter import __version__
from opencodeinterpreter.cli import chat, data, doctor, execute, export, mcp, models, run, serve, sessions, train, web
from opencodeinterpreter.cli import eval as evaluation
from opencodeinterpreter.cli.leaving import leave
from opencodeinterpreter.errors import MissingExtraError, ModelError, OcintError, SandboxError

EXIT_CODES = (
    "Exit codes: 0 the job is done; 1 it is not; 2 something given cannot be used; 3 no model; 4 no sandbox; "
    "130 stopped by Ctrl-C."
)

app = typer.Typer(
    name="ocint",
    help="Say what you want: a language model writes code, a sandbox runs it, feedback refines it.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
run.add_to(app)
chat.add_to(app)
execute.add_to(app)
app.add_typer(models.app, name="models")
app.add_typer(sessions.app, name="sessions")
app.add_typer(evaluation.app, name="eval")
app.add_typer(data.app, name="data")
train.add_to(app)
export.add_to(app)
web.add_to(app)
serve.add_to(app)
mcp.add_to(app)
doctor.add_to(app)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"ocint {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Hold the options that come before a command."""


def main() -> NoReturn:
    """Run the command line and leave with its exit code."""
    for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        signal.signal(number, _leave)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # started with the stream closed
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: PTH123, SIM115
        # A name that the terminal's encoding lacks must not end the program.
        getattr(sys, name).reconfigure(errors="replace")
    code = _run()
    try:
        sys.stdout.flush()
    except OSError:
        _abandon_output()
    sys.exit(code)


def _run() -> int:
    try:
        app()
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    except OcintError as error:
        return report(error)
    except OSError as error:
        if _debugging():
            raise
        if isinstance(error, BrokenPipeError) or not _can_write():
            # Whoever read the output is gone; everything that matters is in the session.
            _abandon_output()
            return 129
        named = f"{error.filename}: " if error.filename else ""
        print(f"ocint: {named}{error.strerror or error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def report(error: OcintError) -> int:
    """Print a person's mistake, or the world's, as one sentence; return the exit code that it means."""
    if _debugging():
        raise error
    from opencodeinterpreter.cli.text import one_line

    try:
        print(f"ocint: {one_line(str(error), 2000)}", file=sys.stderr)  # noqa: T201
    except OSError:
        _abandon_output()
    if isinstance(error, ModelError | MissingExtraError):
        return 3
    return 4 if isinstance(error, SandboxError) else 2


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    leave(128 + number)


def _debugging() -> bool:
    from opencodeinterpreter.config import debug

    return debug()


def _can_write() -> bool:
    try:
        sys.stdout.flush()
        os.fstat(sys.stdout.fileno())
        return not sys.stdout.isatty() or os.tcgetpgrp(sys.stdout.fileno()) >= 0
    except (OSError, ValueError):
        return False


def _abandon_output() -> None:
    """Let what is still to be written go nowhere, or Python complains of it at its very end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(nowhere, stream.fileno())

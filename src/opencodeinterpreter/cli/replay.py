"""Shows and exports stored sessions."""

from __future__ import annotations

import json

from rich.text import Text

from opencodeinterpreter.cli.consoles import out_console
from opencodeinterpreter.cli.output import in_gutter
from opencodeinterpreter.cli.render import fault
from opencodeinterpreter.cli.reply import ReplyPrinter
from opencodeinterpreter.cli.text import clean, visible
from opencodeinterpreter.errors import SessionError
from opencodeinterpreter.interpreter import SessionInfo, SessionStore, export
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.interpreter.recording import history_of
from opencodeinterpreter.interpreter.session_log import read_events
from opencodeinterpreter.sandbox.base import ExecutionResult


def turns_of(store: SessionStore, identity: str) -> list[Turn]:
    """Return the turns of a session, which may be open elsewhere meanwhile.

    Raises:
        SessionError: there is no such session, or it cannot be read.
    """
    folder = store.folder(identity)
    try:
        return history_of(read_events(folder))
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise SessionError(f"The session in {folder} cannot be read: {error}.") from error


def exported(store: SessionStore, identity: str, form: str) -> str:
    """Return a session as the text of a file of this form.

    Raises:
        SessionError, InputError: no such session or form.
    """
    turns, name = turns_of(store, identity), store.folder(identity).name
    info = store.info(name)
    return export(turns, form, identity=name, forked=info.forked if info else None)


def show_session(store: SessionStore, identity: str) -> None:
    """Print a session as it went.

    Raises:
        SessionError: there is no such session.
    """
    out = out_console()
    turns, info = turns_of(store, identity), store.info(store.folder(identity).name)
    if info is not None and info.forked is not None:
        out.print(Text(fork_of(info), style="dim"), soft_wrap=True)
        out.print()
    for turn in turns:
        for line in visible(turn.task).splitlines():
            out.print(Text.assemble(("› ", "bold green"), (line, "bold")), soft_wrap=True)
        if turn.files:
            out.print(Text("  with " + ", ".join(map(json.dumps, turn.files)), style="dim"), soft_wrap=True)
        for round_ in turn.rounds:
            out.print()
            printer = ReplyPrinter(out, "dark")
            printer.feed(round_.reply)
            printer.close()
            if round_.result is not None:
                out.print()
                _result(round_.result)
        if turn.answer is not None and turn.answer.outcome != "answered":
            out.print()
            out.print(Text(clean(turn.answer.text), style="yellow"), soft_wrap=True)
        if turn.rating is not None:
            out.print(Text(f"  rated {turn.rating}", style="dim"))
        out.print()


def fork_of(info: SessionInfo) -> str:
    """Return what is said of a session that is a fork."""
    session, turn = info.forked or ("", 0)
    return f"fork of {session} after message {turn + 1}"


def _result(result: ExecutionResult) -> None:
    out = out_console()
    parts = (result.stdout, ""), (result.stderr, "yellow"), (result.result or "", "bold"), (fault(result), "red")
    for text, style in parts:
        for line in clean(text).rstrip("\n").split("\n") if text.strip() else ():
            out.print(in_gutter(Text(line, style=style)), soft_wrap=True)
    for change in result.files:
        out.print(in_gutter(Text(clean(change.path), style="dim")), soft_wrap=True)

"""``ocint data show`` and ``plot``: a dialog to read in the terminal, all of them as a page, their composition."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from opencodeinterpreter.dialog import Dialog, Message

File = Annotated[Path, typer.Argument(metavar="FILE", help="Dialogs, one a line.")]
Identity = Annotated[str | None, typer.Option("--id", metavar="ID", help="Which dialog; its beginning is enough.")]
Number = Annotated[int, typer.Option("--number", "-n", min=1, help="Which dialog, counted from 1.")]
Listed = Annotated[bool, typer.Option("--list", help="Only a list of the dialogs.")]
Html = Annotated[Path | None, typer.Option("--html", metavar="OUT", help="Write a page to read them all in.")]
Method = Annotated[str | None, typer.Option("--method", metavar="NAME", help="Only dialogs of this method.")]
Most = Annotated[int, typer.Option("--most", min=1, help="Dialogs that a page or a list holds at most.")]
Picture = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=".svg or .png.")]

_MOST = 2000


def add_to(app: typer.Typer) -> None:
    """Add the commands to ``ocint data``."""
    app.command("show", no_args_is_help=True)(show)
    app.command("plot", no_args_is_help=True)(plot)


def show(
    file: File,
    identity: Identity = None,
    number: Number = 1,
    listed: Listed = False,
    html: Html = None,
    method: Method = None,
    most: Most = _MOST,
) -> None:
    """Show a dialog as it is read, or write all as one HTML page."""
    from opencodeinterpreter.cli.consoles import out_console
    from opencodeinterpreter.cli.text import short_path
    from opencodeinterpreter.errors import InputError

    found = _dialogs(file, method)
    if html is not None:
        _write_page(found, html, file.name, most)
    elif listed:
        _list(found, most)
    else:
        given = 0
        for dialog in found:
            given += 1
            chosen = str(dialog.id).startswith(identity) if identity is not None else given == number
            if chosen:
                _print(dialog, out_console())
                return
        which = f"whose id begins with {identity!r}" if identity is not None else f"number {number}"
        raise InputError(f"{short_path(file)} has {given:,} dialogs, but none {which}; --list shows them")


def plot(file: File, out: Picture) -> None:
    """Draw what a data set consists of: methods, languages, code, turns, tokens."""
    from opencodeinterpreter.cli.consoles import out_console
    from opencodeinterpreter.cli.text import short_path
    from opencodeinterpreter.codefeedback.presentation.plots import composition_png, composition_svg
    from opencodeinterpreter.codefeedback.presentation.statistics import count_dialogs
    from opencodeinterpreter.errors import InputError

    if out.suffix.lower() not in (".svg", ".png"):
        raise InputError(f"The name of a picture must end in .svg or .png, not as {out.name}.")
    statistics = count_dialogs(_dialogs(file, None))
    png = out.suffix.lower() == ".png"
    content = composition_png(statistics) if png else composition_svg(statistics).encode("utf-8")
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(content)
    out_console().print(f"written to {short_path(out)}", soft_wrap=True)


def _dialogs(file: Path, method: str | None) -> Iterator[Dialog]:
    from opencodeinterpreter.codefeedback.files.exporting import read_dialog_file

    for dialog in read_dialog_file(file):
        if method is None or dialog.meta.get("method") == method:
            yield dialog


def _write_page(dialogs: Iterator[Dialog], out: Path, title: str, most: int) -> None:
    from opencodeinterpreter.cli.consoles import err_console, out_console
    from opencodeinterpreter.cli.text import count, short_path
    from opencodeinterpreter.codefeedback.presentation.page import dialogs_page

    held = list(islice(dialogs, most))
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(dialogs_page(held, title), encoding="utf-8")
    out_console().print(f"{count(len(held), 'dialog')} → {short_path(out)}", soft_wrap=True)
    if next(dialogs, None) is not None:
        err_console().print(f"Note: there are more than {most:,}; --most lets the page hold more.", soft_wrap=True)


def _list(dialogs: Iterator[Dialog], most: int) -> None:
    from opencodeinterpreter.cli.consoles import out_console
    from opencodeinterpreter.cli.tables import print_table

    rows = [
        [
            str(dialog.id),
            str(dialog.meta.get("method") or ""),
            str(dialog.meta.get("language") or ""),
            str(sum(message.role == "assistant" for message in dialog)),
            next((message.content for message in dialog if message.role == "user"), "")[:70],
        ]
        for dialog in islice(dialogs, most)
    ]
    print_table(["id", "method", "language", "turns", "asked"], rows, out_console())


def _print(dialog: Dialog, out: Console) -> None:
    """Print one dialog: what the person says marked at its beginning, what code printed in a gutter."""
    from rich.text import Text

    from opencodeinterpreter.cli.text import one_line

    meta = dialog.meta
    known = [str(meta[name]) for name in ("method", "language", "licence") if meta.get(name)]
    sources = ", ".join(map(str, meta.get("sources") or ()))
    line = one_line(" · ".join([*known, sources] if sources else known))
    out.print(Text.assemble((one_line(str(dialog.id)), "bold"), (f"  {line}", "dim")), soft_wrap=True)
    for message in dialog:
        out.print()
        _print_message(message, out)


def _print_message(message: Message, out: Console) -> None:
    from rich.text import Text

    from opencodeinterpreter.cli.output import in_gutter
    from opencodeinterpreter.cli.reply import ReplyPrinter
    from opencodeinterpreter.cli.text import clean, visible
    from opencodeinterpreter.codefeedback.verification.executions import FEEDBACK

    if message.role == "assistant":
        printer = ReplyPrinter(out, "dark")
        printer.feed(message.content)
        printer.close()
        if marks := _marks(message):
            out.print(Text(marks, style="red" if message.meta.get("passed") is False else "dim"), soft_wrap=True)
        return
    if message.content.startswith(FEEDBACK):
        failed = message.meta.get("passed") is False or _status(message) not in ("", "ok")
        for line in clean(message.content.removeprefix(FEEDBACK)).rstrip("\n").split("\n"):
            out.print(in_gutter(Text(line, style="red" if failed else "")), soft_wrap=True)
        return
    style = "magenta" if message.meta.get("kind") == "human" else "green"
    for number, line in enumerate(visible(message.content).split("\n")):
        mark = ("  " if number else "› ") if message.role == "user" else "  "
        out.print(Text.assemble((mark, f"bold {style}"), (line, "bold")), soft_wrap=True)


def _status(message: Message) -> str:
    executed = message.meta.get("exec")
    return str(executed.get("status") or "") if isinstance(executed, dict) else ""


def _marks(message: Message) -> str:
    """Say what is known of an assistant's message."""
    meta = message.meta
    passed = None
    if isinstance(meta.get("passed"), bool):
        passed = "passed its tests" if meta["passed"] else "fails"
    elif meta.get("executed") is True:
        passed = "ran, without tests"
    learned = "not to be learned" if meta.get("train") is False else None
    parts = [part for part in (passed, learned, meta.get("model")) if part]
    return f"({', '.join(map(str, parts))})" if parts else ""

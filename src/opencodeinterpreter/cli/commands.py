"""What can be typed after a slash in a conversation."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.consoles import out_console
from opencodeinterpreter.cli.inputs import check_files
from opencodeinterpreter.cli.text import link, one_line, size
from opencodeinterpreter.cli.workbench import Workbench, open_model
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import Event, Rating, export

COMMANDS = {
    "help": ("", "this list"),
    "files": ("", "the files in the workspace"),
    "attach": ("FILE…", "send files with the next message"),
    "undo": ("", "take the last message and its answer back"),
    "retry": ("", "do the last message again"),
    "good": ("", "the last answer is good; once more takes it back"),
    "bad": ("", "the last answer is bad; once more takes it back"),
    "fork": ("[MESSAGE]", "go on in a copy that ends with a message, 1 is the first"),
    "replay": ("", "run the earlier code again, for its variables"),
    "save": ("[FORM] [FILE]", "write it all to a file: ipynb, md, py or jsonl"),
    "model": ("[NAME]", "show the model, or use another"),
    "limits": ("", "what one run may use"),
    "reset": ("", "begin anew: dialog, variables and files"),
    "exit": ("", "end the program; the session is kept"),
}


class Quit(Exception):  # noqa: N818 - not an error
    """The person is done."""


class Reset(Exception):  # noqa: N818 - not an error
    """The person wants to begin anew."""


class Forked(Exception):  # noqa: N818 - not an error
    """The person goes on in another session."""

    def __init__(self, identity: str) -> None:
        super().__init__(identity)
        self.identity = identity


_WORDS = {"save": 2, "model": 1, "fork": 1}
"""How many words a command takes; /attach takes any number, the others none."""


class Commands:
    """Does the commands of one session.

    Args:
        show: shows the events of a turn.
        waiting: the files that go with the next message; /attach adds to them.
    """

    def __init__(
        self,
        bench: Workbench,
        err: Console,
        show: Callable[[Callable[[], Iterator[Event]]], None],
        waiting: list[Path],
    ) -> None:
        self._bench = bench
        self._err = err
        self._out = out_console()
        self._show = show
        self._waiting = waiting

    def do(self, line: str) -> None:
        """Do one command.

        Raises:
            OcintError: it cannot be done.
            Quit, Reset, Forked: what the conversation itself has to do.
        """
        try:
            name, *words = shlex.split(line)
        except ValueError as error:
            raise InputError(f"A quotation mark is missing in /{one_line(line)}.") from error
        except IndexError:
            name, words = "help", []
        if name in ("quit", "q"):
            name = "exit"
        if name not in COMMANDS:
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f"did you mean /{near[0]}?" if near else "/help lists the commands."
            raise InputError(f"There is no command /{one_line(name)}; {hint}")
        if name == "attach":
            self._attach(words)
        else:
            getattr(self, f"_{name}")(*words[: _WORDS.get(name, 0)])

    def _help(self) -> None:
        for name, (words, about) in COMMANDS.items():
            self._out.print(Text(f"  /{name} {words}".ljust(31), style="bold").append(about, style="not bold"))
        self._out.print(Text("  Anything else is a task, or feedback on what was done.", style="dim"))

    def _files(self) -> None:
        workspace = self._bench.session.workspace
        files = self._bench.interpreter.sandbox.files()
        self._out.print(link(workspace, self._out), soft_wrap=True)
        for file in files:
            name = Text(one_line(file.path), style=link(workspace / file.path, self._out).style)
            self._out.print(Text("  ").append_text(name).append(f"  {size(file.size)}", style="dim"), soft_wrap=True)
        if not files:
            self._out.print(Text("  no files yet", style="dim"))

    def _attach(self, words: list[str]) -> None:
        if not words:
            raise InputError("/attach needs the name of a file.")
        self._waiting += check_files([Path(word).expanduser() for word in words], self._bench.config.limits)
        names = ", ".join(one_line(path.name) for path in self._waiting)
        self._err.print(Text(f"With the next message go: {names}", style="dim"), soft_wrap=True)

    def _undo(self) -> None:
        turn = self._bench.interpreter.undo()
        self._err.print(Text(f"Taken back: {one_line(turn.task)}", style="dim"), soft_wrap=True)

    def _retry(self) -> None:
        self._show(self._bench.interpreter.retry)

    def _good(self) -> None:
        self._rate("good")

    def _bad(self) -> None:
        self._rate("bad")

    def _rate(self, rating: Rating) -> None:
        interpreter = self._bench.interpreter
        again = bool(interpreter.turns) and interpreter.turns[-1].rating == rating
        interpreter.rate(None if again else rating)
        told = "The rating is taken back." if again else f"Rated {rating}; kept with the session."
        self._err.print(Text(told, style="dim"), soft_wrap=True)

    def _fork(self, message: str | None = None) -> None:
        if message is not None and not (message.isascii() and message.isdecimal() and int(message[:9]) > 0):
            raise InputError(f"/fork takes the number of a message, 1 is the first, not {one_line(message)}.")
        before, turn = self._bench.session, int(message[:9]) - 1 if message is not None else None
        with self._bench.store.fork(before, turn, limit_mb=self._bench.config.limits.workspace_mb) as fork:
            told = f"This is {fork.id} now, with the files as they are; before: ocint chat --resume {before.id}"
        self._err.print(Text(told, style="dim"), soft_wrap=True)
        raise Forked(fork.id)

    def _replay(self) -> None:
        self._show(self._bench.interpreter.replay)

    def _save(self, form: str = "ipynb", name: str | None = None) -> None:
        if name is None and "." in form:
            form, name = Path(form).suffix.lstrip("."), form
        interpreter, session = self._bench.interpreter, self._bench.session
        info = self._bench.store.info(session.id)
        text = export(interpreter.turns, form, identity=session.id, forked=info.forked if info else None)
        path = Path(name).expanduser() if name else Path(f"{session.id}.{form}")
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
        except FileExistsError:
            raise InputError(f"{path} is there already; name another file.") from None
        except OSError as error:
            raise InputError(f"{path} cannot be written: {error.strerror}.") from error
        self._out.print(Text("Saved ").append_text(link(path, self._out)), soft_wrap=True)

    def _model(self, name: str | None = None) -> None:
        interpreter = self._bench.interpreter
        if name is not None:
            before = interpreter.model
            interpreter.model = open_model(self._bench.config, self._err, name)
            before.close()
        self._out.print(Text(f"{interpreter.model.name}, reads {interpreter.model.context_tokens:,} tokens"))

    def _limits(self) -> None:
        limits = self._bench.config.limits
        for part in fields(limits):
            value = getattr(limits, part.name)
            shown = "no limit" if value is None else f"{value:,.10g}"
            self._out.print(Text(f"  {part.name:<16}{shown}"))

    def _reset(self) -> None:
        raise Reset

    def _exit(self) -> None:
        raise Quit

"""A conversation in the terminal: what ``ocint chat`` is made of."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text

from opencodeinterpreter.cli.approval import Approver, check_can_ask
from opencodeinterpreter.cli.commands import COMMANDS, Commands, Forked, Quit, Reset
from opencodeinterpreter.cli.consoles import err_console, warn_unsandboxed
from opencodeinterpreter.cli.inputs import check_files, read_task
from opencodeinterpreter.cli.job import text_renderer
from opencodeinterpreter.cli.prompting import LinePrompt, TerminalPrompt
from opencodeinterpreter.cli.render import UNSANDBOXED
from opencodeinterpreter.cli.text import one_line
from opencodeinterpreter.cli.turns import show_turn
from opencodeinterpreter.cli.workbench import Workbench, workbench
from opencodeinterpreter.config import Config, debug
from opencodeinterpreter.errors import OcintError
from opencodeinterpreter.interpreter import Event

if TYPE_CHECKING:
    from prompt_toolkit.formatted_text import StyleAndTextTuples


class Conversation:
    """Reads messages and commands until the person is done."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._err = err_console()
        self._bench: Workbench | None = None
        self._waiting: list[Path] = []
        """Files that go with the next message."""
        terminal = sys.stdin.isatty() and sys.stdout.isatty()
        self._prompt = TerminalPrompt(list(COMMANDS), self._toolbar) if terminal else LinePrompt()

    def run(self, files: list[Path], identity: str | None) -> None:
        """Talk until the end.

        Raises:
            OcintError: it could not be begun.
        """
        self._waiting = check_files(files, self._config.limits)
        check_can_ask(self._config)
        warn_unsandboxed(self._config, self._err)
        while True:
            try:
                with workbench(self._config, self._err, identity) as bench:
                    self._bench = bench
                    self._greet(bench, identity is not None)
                    self._talk(bench)
                    self._part(bench)
                return
            except Reset:
                identity = None
            except Forked as fork:
                identity = fork.identity

    def _talk(self, bench: Workbench) -> None:
        renderer = text_renderer(bench, self._err)
        ask = Approver(self._err)

        def show(begin: Callable[[], Iterator[Event]]) -> None:
            self._gap()
            show_turn(bench.interpreter, begin, renderer, ask)

        commands = Commands(bench, self._err, show, self._waiting)
        self._gap()
        while (message := self._prompt.read()) is not None:
            try:
                if message.startswith("/") and not message.startswith("//"):
                    commands.do(message[1:])
                elif message.strip():
                    task = read_task(message, self._config.context) if message.strip() != "-" else message
                    files = list(self._waiting)
                    show(lambda task=task, files=files: bench.interpreter.stream(task, files))  # type: ignore[misc]
                    self._waiting.clear()
            except Quit:
                return
            except OcintError as error:
                if debug():
                    raise
                self._err.print(Text(f"ocint: {one_line(str(error), 2000)}", style="red"), soft_wrap=True)
            self._gap()

    def _gap(self) -> None:
        if self._err.is_terminal:
            self._err.print()

    def _greet(self, bench: Workbench, resumed: bool) -> None:
        if not self._err.is_terminal:
            return
        line = Text("ocint", style="bold").append(f"  {bench.interpreter.model.name}", style="not bold")
        line.append(f" · sandbox: {self._config.backend}", style="dim not bold")
        self._err.print(line, soft_wrap=True)
        self._err.print(Text("/help lists the commands · Ctrl-C stops · Ctrl-D ends", style="dim"))
        if resumed and bench.interpreter.turns:
            last = bench.interpreter.turns[-1]
            self._err.print(Text(f"Going on after: {one_line(last.task)}", style="dim"), soft_wrap=True)
            self._err.print(Text("Variables are gone, files are there; /replay runs the earlier code again.", "yellow"))
        if self._waiting:
            names = ", ".join(one_line(path.name) for path in self._waiting)
            self._err.print(Text(f"With the first message go: {names}", style="dim"), soft_wrap=True)

    def _part(self, bench: Workbench) -> None:
        if bench.interpreter.turns and self._err.is_terminal:
            self._err.print(Text(f"Kept: ocint chat --resume {bench.session.id}", style="dim"), soft_wrap=True)

    def _toolbar(self) -> StyleAndTextTuples:
        bench = self._bench
        if bench is None:
            return []
        parts: StyleAndTextTuples = []
        if self._config.backend == "none":
            parts.append(("bg:ansired fg:ansiwhite bold", UNSANDBOXED))
        text = f" {bench.interpreter.model.name} · {bench.session.id}"
        if self._config.backend != "none":
            text += f" · sandbox: {self._config.backend}"
        if self._config.network:
            text += " · network on"
        if self._config.approve:
            text += " · asks before code runs"
        return [*parts, ("", text + " · Alt-Enter: new line")]

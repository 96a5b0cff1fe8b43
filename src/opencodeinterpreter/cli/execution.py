"""Runs a file of code in the sandbox: what ``ocint exec`` is made of."""

from __future__ import annotations

import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.consoles import err_console, look, out_console, warn_unsandboxed
from opencodeinterpreter.cli.deliver import Delivery
from opencodeinterpreter.cli.inputs import check_files
from opencodeinterpreter.cli.output import Figures, as_text
from opencodeinterpreter.cli.render import JsonRenderer, fault
from opencodeinterpreter.cli.tables import html_table
from opencodeinterpreter.cli.text import Cleaner, clean, count
from opencodeinterpreter.cli.turns import counted_interrupts
from opencodeinterpreter.cli.workbench import open_sandbox
from opencodeinterpreter.config import Config
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import CodeActionStarted, Event, ExecutionFinished, OutputDelta
from opencodeinterpreter.interpreter.execution import execute
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import Display, ExecutionResult

_LARGEST = 10_000_000
"""Bytes of code."""


def run_file(source: str, files: Sequence[Path], config: Config, *, json_lines: bool) -> int:
    """Run the code of a file ("-" is standard input); return the exit code.

    Raises:
        InputError: the code or a file cannot be read.
        SandboxError: the sandbox cannot be had.
    """
    code = _read(source)
    given = check_files(files, config.limits)
    err = err_console()
    delivery = Delivery(config.output, err_console()) if config.output else None
    warn_unsandboxed(config, err)
    with open_sandbox(config) as sandbox, tempfile.TemporaryDirectory(prefix="ocint-") as folder:
        for path in given:
            sandbox.upload(path)
        if json_lines:
            result = _run(sandbox, code, JsonRenderer(sys.stdout))
        else:
            printer = _Printer(Figures(config.output or Path(folder)), config)
            result = _run(sandbox, code, printer)
            printer.finish(result)
        _hand_over(sandbox, result, delivery, err)
    if result.reason == "stopped":
        return 130
    return 0 if result.ok else 1


def _run(sandbox: AnySandbox, code: str, renderer: JsonRenderer | _Printer) -> ExecutionResult:
    stopped = threading.Event()
    with counted_interrupts(stopped.set):
        renderer.show(CodeActionStarted(0, code, sandbox.language, "user"))
        running = execute(sandbox, code, stopped)
        while True:
            try:
                renderer.show(next(running))
            except StopIteration as end:
                result: ExecutionResult = end.value
                renderer.show(ExecutionFinished(0, result))
                return result


class _Printer:
    """Prints output as the program's own: standard output to standard output, errors to standard error."""

    def __init__(self, figures: Figures, config: Config) -> None:
        self._out, self._err = out_console(), err_console()
        self._cleaners = {"stdout": Cleaner(), "stderr": Cleaner()}
        self._figures = figures
        self._saves = config.output is not None
        self._images = look(config).images
        self._open = False
        self._cut = False

    def show(self, event: Event) -> None:
        if not isinstance(event, OutputDelta):
            return
        output = event.output
        if output.display is not None:
            self._display(output.display)
        elif output.stream in self._cleaners:
            console = self._out if output.stream == "stdout" else self._err
            self._text(console, self._cleaners[output.stream].feed(output.text))

    def _text(self, console: Console, text: str) -> None:
        if self._cut and text:
            text, self._cut = text.removeprefix("\n"), False
        console.file.write(text)
        console.file.flush()
        if console is self._out and text:
            self._open = not text.endswith("\n")

    def finish(self, result: ExecutionResult) -> None:
        """Say how it ended, if not well."""
        if problem := fault(result):
            self._err.print(Text(problem, style="red"), soft_wrap=True)

    def _display(self, display: Display) -> None:
        if self._open:
            # It came into the middle of a line, whose own end is then one too many.
            self._text(self._out, "\n")
            self._cut = True
        html = display.data.get("text/html")
        table = html_table(html, self._out) if self._out.is_terminal and isinstance(html, str) else None
        if table is not None:
            self._out.print(table)
            return
        if self._figures.shows(display):
            self._figures.present(display, self._out, self._images, named=self._saves)
            return
        self._out.print(Text(clean(as_text(display.data))), soft_wrap=True)


def _hand_over(sandbox: AnySandbox, result: ExecutionResult, delivery: Delivery | None, err: Console) -> None:
    if not result.files:
        return
    if delivery is None:
        dropped = count(len(result.files), "file was", "files were")
        err.print(f"{dropped} made and dropped; -o FOLDER keeps them.", style="dim")
        return
    for line in delivery(sandbox, result.files):
        err.print(line, soft_wrap=True)


def _read(source: str) -> str:
    if source == "-":
        raw = sys.stdin.buffer.read(_LARGEST + 1)
    else:
        path = Path(source)
        check_files([path], Config().limits)
        with path.open("rb") as file:
            raw = file.read(_LARGEST + 1)
    shown = "The code on standard input" if source == "-" else clean(source)
    if len(raw) > _LARGEST:
        raise InputError(f"{shown} is too long to be code.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{shown} is not text in UTF-8.") from None
    if "\0" in text:
        raise InputError(f"{shown} is not text.")
    if not text.strip():
        raise InputError(f"{shown} is empty.")
    return text

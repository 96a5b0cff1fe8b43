"""Shows the events of a turn: in a terminal, as plain text, or one JSON object a line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.output import Figures, OutputPrinter, in_gutter
from opencodeinterpreter.cli.reply import ReplyPrinter, print_code
from opencodeinterpreter.cli.spinner import Spinner
from opencodeinterpreter.cli.text import clean, count, one_line, seconds, size
from opencodeinterpreter.interpreter.events import (
    Answer,
    ApprovalRequest,
    CodeActionStarted,
    Event,
    ExecutionFinished,
    Failure,
    InstallRequest,
    Notice,
    OutputDelta,
    RoundFinished,
    RoundStarted,
    TextDelta,
    ToolCalled,
    ToolRequest,
)
from opencodeinterpreter.interpreter.feedback import short_traceback
from opencodeinterpreter.sandbox.base import ExecutionResult

UNSANDBOXED = " NOT SANDBOXED "
_NOTICES = {
    "reply cut": "The reply was cut off at its limit; the model is asked for a shorter one.",
    "reformat": "No code could be read in the reply; the model is asked again.",
    "repeated": "The model gave the same code again; it was not run again, and the model was told.",
    "unfinished": "The model stopped before the task was done; it is asked to go on.",
}
"""What a person is told where the notice holds what the model is told."""


class Renderer(Protocol):
    """Shows one event after the other."""

    def show(self, event: Event) -> None: ...

    def tick(self) -> None:
        """Called every tenth of a second while nothing happens."""
        ...

    def tell(self, text: str) -> None:
        """Tell the person something apart from the events."""
        ...


class JsonRenderer:
    """Writes each event as a JSON object on a line of its own."""

    def __init__(self, file: TextIO) -> None:
        self._file = file

    def show(self, event: Event) -> None:
        self.write(event.to_json())

    def write(self, row: dict[str, Any]) -> None:
        # ASCII only: whatever encoding the reader's end has, and no raw control characters.
        self._file.write(json.dumps(row) + "\n")
        self._file.flush()

    def tick(self) -> None:
        pass

    def tell(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)  # noqa: T201


@dataclass(frozen=True)
class Look:
    """How a terminal is written to."""

    code_theme: str = "dark"
    images: str = "none"
    quiet: bool = False
    """Show nothing but the answer."""


class TextRenderer:
    """Shows events to a person: results on ``out``, everything else on ``err``.

    Args:
        figures: keeps the figures that code draws.
        isolation: what code runs in; "none" is shown loudly.
        deliver: gives the files of an answer to the person and returns what to say of each.
    """

    def __init__(
        self,
        out: Console,
        err: Console,
        *,
        figures: Figures,
        look: Look,
        isolation: str,
        deliver: Callable[[Answer], list[Text]],
    ) -> None:
        self._out = out
        self._err = err
        self._figures = figures
        self._look = look
        self._isolation = isolation
        self._deliver = deliver
        self.spinner = Spinner(err)
        self._reply: ReplyPrinter | None = None
        self._output: OutputPrinter | None = None
        self._said = ""
        self._gapped = False

    def show(self, event: Event) -> None:
        """Print what there is to see of an event."""
        self.spinner.clear()
        self._wait(event)
        if self._look.quiet and not isinstance(event, Answer | Failure):
            if isinstance(event, ExecutionFinished):
                self._keep_figures(event.result)
            return
        match event:
            case RoundStarted():
                self._reply, self._said = ReplyPrinter(self._out, self._look.code_theme), ""
            case TextDelta(text) if self._reply is not None:
                self._gapped = False
                self._reply.feed(text)
                self._said += text
                self.spinner.wait_for("writing code" if self._reply.in_code else "writing")
            case ApprovalRequest(code=code, language=language):
                self._code(code, language)
                self._blank()
                self._gapped = False  # the question follows
            case CodeActionStarted():
                self._start(event)
            case OutputDelta(output) if self._output is not None:
                self._gapped = False
                self._output.feed(output)
            case ToolRequest() if self._output is not None:
                self._output.pause()
            case ToolCalled() if self._output is not None:
                self._output.note(_called(event), "dim italic" if event.status == "ok" else "yellow")
            case ExecutionFinished(result=result) if self._output is not None:
                self._finish(self._output, result)
                self._output = None
            case RoundFinished():
                self._end_reply()
                self._blank()
            case Notice(kind=kind, text=text):
                self._end_reply()
                self._blank()
                self._gapped = False
                self._err.print(Text(_NOTICES.get(kind, clean(text)), style="yellow"), soft_wrap=True)
                self._blank()
            case Answer():
                self._answer(event)
            case Failure(message=message):
                self._end_reply()
                self._err.print(Text(f"ocint: {one_line(message, 2000)}", style="red"), soft_wrap=True)

    def tick(self) -> None:
        """Show that something is being waited for, where the cursor is free."""
        if self._free:
            self.spinner.tick()

    def tell(self, text: str) -> None:
        """Print a line of ours on ``err``."""
        self.spinner.clear()
        if not self._free and self._out.is_terminal:
            self._out.print()
        self._gapped = False
        self._err.print(Text(text, style="yellow"), soft_wrap=True)

    @property
    def _free(self) -> bool:
        """Whether the cursor is at the start of a line."""
        return (self._reply is None or self._reply.at_line_start) and (
            self._output is None or self._output.at_line_start
        )

    def _wait(self, event: Event) -> None:
        label = {"round_started": "thinking", "code_action_started": "running", "round_finished": "thinking"}
        if isinstance(event, Answer | Failure | ApprovalRequest | InstallRequest | ToolRequest):
            self.spinner.wait_for("")
        elif event.type in label:
            self.spinner.wait_for(label[event.type])

    def _end_reply(self) -> None:
        if self._reply is not None:
            self._reply.close()

    def _code(self, code: str, language: str) -> None:
        """Show code that is about to run, unless it stands on the screen already."""
        self._end_reply()
        shown = self._reply.blocks if self._reply is not None else []
        if not any(code.strip() == block.strip() for block in shown):
            self._blank()
            self._gapped = False
            print_code(self._out, code, language, self._look.code_theme)
            if self._reply is not None:
                self._reply.blocks.append(code)

    def _start(self, event: CodeActionStarted) -> None:
        self._code(event.code, event.language)
        self._blank()
        if self._isolation == "none":
            self._err.print(Text(UNSANDBOXED, style="bold white on red"))
        self._output = OutputPrinter(self._out, self._figures, self._look.images)

    def _finish(self, output: OutputPrinter, result: ExecutionResult) -> None:
        self._gapped = False
        output.close()
        if problem := fault(result):
            output.note(problem, "red")
        if result.omitted_bytes:
            where = f"; all of it is in {result.log}" if result.log else ""
            output.note(f"… {size(result.omitted_bytes)} of output left out{where} …", "dim italic")
        made = ", ".join(f"{one_line(change.path)} ({size(change.size)})" for change in result.files[:10])
        if made:
            more = f" and {len(result.files) - 10} more" if len(result.files) > 10 else ""
            output.note(f"{made}{more}", "dim")
        if self._out.is_terminal:
            mark = ("✓ ", "green") if result.ok else ("✗ ", "red")
            self._out.print(in_gutter(Text.assemble(mark, (seconds(result.duration), "dim")), "╰ "))
        self._blank()

    def _keep_figures(self, result: ExecutionResult) -> None:
        for display in result.displays:
            self._figures.keep(display)

    def _answer(self, answer: Answer) -> None:
        self._end_reply()
        if self._look.quiet or answer.text.strip() not in self._said:
            self._blank()
            self._gapped = False
            printer = ReplyPrinter(self._out, self._look.code_theme)
            printer.feed(clean(answer.text))
            printer.close()
        lines = self._deliver(answer)
        if self._look.quiet:
            return
        if lines:
            self._blank()
        for line in lines:
            self._gapped = False
            self._out.print(line, soft_wrap=True)
        self._summary(answer)

    def _summary(self, answer: Answer) -> None:
        parts = [count(len(answer.rounds), "round")]
        usage = answer.usage
        if usage is not None and usage.completion_tokens is not None:
            parts.append(count((usage.prompt_tokens or 0) + usage.completion_tokens, "token"))
        spent = (usage.total_seconds or 0) if usage else 0
        spent += sum(round_.result.duration for round_ in answer.rounds if round_.result is not None)
        parts.append(seconds(spent))
        line = Text().append(" · ".join(parts), style="dim")
        if self._isolation == "none":
            line.append(" ").append(UNSANDBOXED, style="bold white on red")
        else:
            line.append(f" · sandbox: {self._isolation}", style="dim")
        self._blank()
        self._gapped = False
        self._err.print(line, soft_wrap=True)

    def _blank(self) -> None:
        """Leave one line free, however many ask for it."""
        if self._out.is_terminal and not self._gapped and not self._look.quiet:
            self._out.print()
            self._gapped = True


def fault(result: ExecutionResult) -> str:
    """Return what went wrong in a run: its error, or what ended it; empty if all is well."""
    if result.reason is None:
        return clean(short_traceback(result.error)) if result.error is not None else ""
    if result.reason == "stopped":
        return f"stopped after {seconds(result.duration)}"
    if result.reason == "kernel died":
        return "the interpreter process ended while the code ran"
    return f"ended after {seconds(result.duration)}: the limit on {result.reason} was met"


def _called(event: ToolCalled) -> str:
    name = one_line(f"{event.server}.{event.tool}", 200)
    if event.status != "ok":
        return f"tool {name} {event.status}: {one_line(event.note, 300)}"
    return f"tool {name}: {size(event.result_bytes)} in {seconds(event.duration)}"

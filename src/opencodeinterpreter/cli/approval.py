"""Asks a person whether code may run."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.text import Text

from opencodeinterpreter.cli.text import clean, one_line
from opencodeinterpreter.config import Config, read_terminal
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import ApprovalRequest, InstallRequest, ToolRequest

_QUESTION = "[a]pprove  [e]dit  [r]eject  [q]uit"
_NOBODY = "nobody is at a terminal to be asked; `allow` in the configuration lets a tool be used without asking"
Asked = ApprovalRequest | InstallRequest | ToolRequest


def check_can_ask(config: Config, advice: str = "") -> None:
    """Check that there is somebody to be asked, where the configuration has something to ask.

    Raises:
        InputError: standard input is not a terminal.
    """
    asking = "--approve" if config.approve else "--allow-install" if config.allow_install else None
    if asking and not sys.stdin.isatty():
        raise InputError(f"{asking} asks at the terminal, and standard input is not one{advice}.")


class Approver:
    """Decides approval requests with the person at the terminal; the code stands on the screen already."""

    def __init__(self, err: Console) -> None:
        self._err = err

    def __call__(self, request: Asked) -> None:
        if isinstance(request, ToolRequest) and not sys.stdin.isatty():
            return request.reject(_NOBODY)
        with _ctrl_c_raises():
            try:
                if isinstance(request, InstallRequest):
                    self._decide_install(request)
                elif isinstance(request, ToolRequest):
                    self._decide_tool(request)
                else:
                    self._decide(request)
            except (KeyboardInterrupt, EOFError):
                self._err.print()
                request.reject()

    def _decide(self, request: ApprovalRequest) -> None:
        while True:
            match self._read(_QUESTION).lower():
                case "a" | "y" | "yes" | "approve":
                    return request.approve()
                case "e" | "edit":
                    edited = edit(request.code)
                    if edited is not None and edited.strip():
                        return request.edit(edited)
                    self._err.print("Nothing was changed.", style="dim")
                case "r" | "n" | "no" | "reject":
                    reason = self._read("Reason, for the model (empty ends the task)")
                    return request.reject(reason)
                case "q" | "quit":
                    return request.reject()

    def _decide_install(self, request: InstallRequest) -> None:
        question = f"install {request.package} from the package index, for this session only?  [y]es  [n]o"
        if self._read(question).lower() in {"y", "yes", "a", "approve"}:
            request.approve()
        else:
            request.reject()

    def _decide_tool(self, request: ToolRequest) -> None:
        about = f"{one_line(request.about, 200)}\n" if request.about else ""
        self._err.print(Text(f"{about}{clean(request.arguments)}", style="dim"), soft_wrap=True)
        name = one_line(f"{request.server}.{request.tool}", 200)
        question = f"let the code use the tool {name}, from now on in this session?  [y]es  [n]o"
        if self._read(question).lower() in {"y", "yes", "a", "approve"}:
            request.approve()
        else:
            request.reject(self._read("Reason, for the code and the model (may be empty)"))

    def _read(self, question: str) -> str:
        self._err.print(Text("? ", style="bold yellow").append(question, style="not bold"), end=" › ", soft_wrap=True)
        self._err.file.flush()
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.strip()


def decide_by_json(request: Asked) -> None:
    """Decide by a line on standard input: ``{"decision": "approve" | "edit" | "reject", "text": "..."}``.

    Raises:
        InputError: the line is not such an object.
    """
    line = sys.stdin.readline()
    try:
        row = json.loads(line) if line.strip() else {"decision": "reject"}
        decision, text = row["decision"], row.get("text", "")
        known = ("approve", "edit", "reject") if isinstance(request, ApprovalRequest) else ("approve", "reject")
        if not isinstance(text, str) or decision not in known:
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError):
        request.reject()
        raise InputError(
            'An approval must be a line such as {"decision": "approve"}, or "edit" or "reject" with a "text".'
        ) from None
    if decision == "approve":
        request.approve()
    elif decision == "edit" and isinstance(request, ApprovalRequest):
        request.edit(text)
    else:
        request.reject(text)


def edit(code: str) -> str | None:
    """Let the person change ``code``, in their editor or here; None if they leave it."""
    editor = read_terminal().editor
    if editor is None:
        return _edit_here(code)
    with tempfile.TemporaryDirectory(prefix="ocint-") as folder:
        path = Path(folder) / "code.py"
        path.write_text(code, encoding="utf-8")
        try:
            finished = subprocess.run([*shlex.split(editor), str(path)], check=False)
        except (OSError, ValueError):
            return _edit_here(code)
        return path.read_text(encoding="utf-8") if finished.returncode == 0 else None


def _edit_here(code: str) -> str | None:
    from prompt_toolkit import prompt
    from prompt_toolkit.lexers import PygmentsLexer
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]

    text: str = prompt(
        "",
        default=code,
        multiline=True,
        lexer=PygmentsLexer(PythonLexer),
        bottom_toolbar=" Esc Enter: run it · Ctrl-C: leave it ",
    )
    return text


@contextmanager
def _ctrl_c_raises() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)

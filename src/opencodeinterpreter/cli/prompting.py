"""Reads what a person types in a conversation."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from opencodeinterpreter.config import history_path

if TYPE_CHECKING:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.formatted_text import StyleAndTextTuples

_AGAIN_SECONDS = 2.0


class LinePrompt:
    """Reads messages where standard input is not a terminal: one a line."""

    def read(self) -> str | None:
        """Return the next message, or None at the end."""
        line = sys.stdin.readline()
        return line.rstrip("\n") if line else None


class TerminalPrompt:
    """Reads messages with history, completion of commands, and more than one line.

    Args:
        commands: what can be typed after a slash.
        toolbar: returns what is shown at the bottom.
    """

    def __init__(self, commands: Sequence[str], toolbar: Callable[[], StyleAndTextTuples]) -> None:
        self._session = _session(commands, toolbar)
        self._interrupted = float("-inf")

    def read(self) -> str | None:
        """Return the next message, or None where the person is done."""
        while True:
            try:
                return self._session.prompt()
            except EOFError:
                return None
            except KeyboardInterrupt:
                now = time.monotonic()
                if now - self._interrupted < _AGAIN_SECONDS:
                    return None
                self._interrupted = now
                print("Ctrl-C again, or Ctrl-D, ends the program.", file=sys.stderr)  # noqa: T201


def _session(commands: Sequence[str], toolbar: Callable[[], StyleAndTextTuples]) -> PromptSession[str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import WordCompleter
    from prompt_toolkit.filters import Condition
    from prompt_toolkit.history import FileHistory, History, InMemoryHistory
    from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
    from prompt_toolkit.styles import Style

    keys = KeyBindings()

    @keys.add("enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @keys.add("escape", "enter")
    @keys.add("c-j")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text("\n")

    path = history_path()
    history: History = InMemoryHistory()
    if _usable(path):
        history = FileHistory(str(path))
    session: PromptSession[str] = PromptSession(
        [("class:prompt", "› ")],
        history=history,
        multiline=True,
        key_bindings=keys,
        prompt_continuation="  ",
        completer=WordCompleter([f"/{name}" for name in commands], sentence=True),
        complete_while_typing=Condition(lambda: session.default_buffer.text.startswith("/")),
        bottom_toolbar=toolbar,
        style=Style.from_dict({"prompt": "ansigreen bold", "bottom-toolbar": "noreverse ansibrightblack"}),
        reserve_space_for_menu=0,
    )
    return session


def _usable(path: Path) -> bool:
    """Whether history can be kept there; a conversation is possible without."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.touch(mode=0o600)
    except OSError:
        return False
    return True

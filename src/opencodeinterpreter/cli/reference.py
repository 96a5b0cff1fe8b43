"""Writes ``docs/commands.md`` from the program itself: ``python -m opencodeinterpreter.cli.reference``."""

from __future__ import annotations

import sys
from typing import Any

import typer

from opencodeinterpreter.config import SETTINGS, Config

_HEAD = """# Commands

This page is written by the program itself: `python -m opencodeinterpreter.cli.reference > docs/commands.md`.
"""
_EXIT = """## Exit codes

| code | meaning |
|---:|---|
| 0 | the job is done |
| 1 | it is not: the rounds are spent, the model repeats itself, the last code failed, a person rejected the code |
| 2 | the command line, the configuration, the task, a file or a session cannot be used |
| 3 | the model cannot be had, or failed |
| 4 | the sandbox cannot be had, or failed |
| 129, 143 | the terminal was closed; the program was terminated |
| 130 | stopped by Ctrl-C |
"""
_SETTINGS = """## Settings

One TOML file, `config.toml` in the folder `opencodeinterpreter` of your configuration folder (on Linux
`~/.config`), or the file that `OCINT_CONFIG` names. A value is taken from, each beating the one before: the defaults,
the file, the environment, the flags. `ocint doctor --config` shows what holds and where it comes from. In the file
the limits stand in a table, `[limits]`. Where "none" is allowed, it switches the setting off.

| setting | environment | default | meaning |
|---|---|---|---|
"""


def reference() -> str:
    """Return the whole page."""
    from opencodeinterpreter.cli.main import app

    parts = [_HEAD]
    _describe(typer.main.get_command(app), "ocint", parts)
    return "\n".join([*parts, _EXIT, _SETTINGS + "".join(_setting(*item) for item in Config().items())])


def _describe(command: Any, name: str, parts: list[str]) -> None:
    """Add a command and those below it."""
    arguments = [part for part in command.params if part.param_type_name == "argument"]
    found = [part for part in command.params if part.param_type_name == "option" and part.name not in _HIDDEN]
    commands = getattr(command, "commands", {})
    usage = [name, *(part.metavar or part.name for part in arguments), "COMMAND" if commands else ""]
    if arguments:
        usage += [f"{part.opts[0]} {part.metavar or part.name}" for part in found if part.required]
    parts.append(f"## `{' '.join(word for word in usage if word)}`\n")
    parts.append((command.help or "").strip() + "\n")
    if arguments or found:
        parts.append("| | |\n|---|---|")
        parts += [f"| `{part.metavar or part.name}` | {_cell(part.help)} |" for part in arguments]
        parts += [_option(part) for part in found]
        parts.append("")
    for each in commands.values():
        _describe(each, f"{name} {each.name}", parts)


_HIDDEN = ("help", "install_completion", "show_completion")


def _option(part: Any) -> str:
    names = ", ".join([*part.opts, *part.secondary_opts])
    value = f" {_cell(part.metavar)}" if part.metavar and not part.is_flag else ""
    return f"| `{names}{value}` | {_cell(part.help)} |"


def _setting(key: str, value: Any) -> str:
    setting = SETTINGS[key]
    shown = "none" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if key == "sessions_folder":
        shown = "`sessions` in the data folder"
    elif key == "models_folder":
        shown = "`models` in the cache folder"
    about = setting.about + (f" ({', '.join(setting.choices)})" if setting.choices else "")
    return f"| `{key}` | `{setting.variable}` | {shown} | {_cell(about)} |\n"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


if __name__ == "__main__":
    sys.stdout.write(reference())

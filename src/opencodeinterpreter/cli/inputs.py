"""Checks tasks and files before anything slow is started."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Sequence
from pathlib import Path

from opencodeinterpreter.cli.text import one_line, size
from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.base import Limits

_CHARACTERS_PER_TOKEN = 6
"""More than any tokenizer packs into a token on average, so what fails this test fails the model's too."""


def read_task(task: str, context: int) -> str:
    """Return the task's text; "-" stands for standard input.

    Raises:
        InputError: it is empty, not text, or longer than any model with this context can read.
    """
    if task == "-":
        try:
            task = sys.stdin.buffer.read().decode("utf-8")
        except UnicodeDecodeError as error:
            raise InputError("The task on standard input is not text in UTF-8.") from error
    # What the shell handed over that is not UTF-8 arrives as lone surrogates, which no model can be sent.
    task = task.encode("utf-8", "surrogateescape").decode("utf-8", "replace").replace("\0", "")
    if not task.strip():
        raise InputError("The task is empty; say what is to be done.")
    if len(task) > context * _CHARACTERS_PER_TOKEN:
        raise InputError(
            f"The task has {len(task):,} characters, far more than the {context:,} tokens of context that the model "
            "reads; put the long part into a file and name the file with -f."
        )
    return task


def check_files(files: Sequence[Path], limits: Limits) -> list[Path]:
    """Return the files, each checked to be one that can be taken into the workspace.

    Raises:
        InputError: naming the first one that cannot.
    """
    total = 0
    for path in files:
        shown = one_line(os.fsencode(path).decode("utf-8", "replace"), 300)
        total += _size(path, shown)
        room = limits.workspace_mb
        if room is not None and total > room << 20:
            raise InputError(
                f"{shown} is too big: the files take {size(total)}, and the workspace holds {size(room << 20)} "
                "(--workspace-mb sets how much)."
            )
    return list(files)


def _size(path: Path, shown: str) -> int:
    try:
        state = path.stat()
        if stat.S_ISDIR(state.st_mode):
            raise InputError(f"{shown} is a folder; name the files in it.")
        if not stat.S_ISREG(state.st_mode):
            raise InputError(f"{shown} is not an ordinary file.")
        with path.open("rb"):
            return state.st_size
    except FileNotFoundError:
        raise InputError(f"There is no file {shown}.") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a valid name"
        raise InputError(f"{shown} cannot be read: {reason}.") from error

"""Runs the real program in processes of its own, but with its imports done once, before they fork.

Most of what a short command costs is importing. A run here has its own arguments, environment, folder, files and
limits, and ends by itself, as one that was started afresh; what depends on the start is tested with a fresh one.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

IMPORTED = (
    "opencodeinterpreter.cli.job",
    "opencodeinterpreter.cli.output",
    "opencodeinterpreter.cli.workbench",
    "opencodeinterpreter.interpreter.sessions",
    "opencodeinterpreter.models.scripted",
    "opencodeinterpreter.sandbox.backends",
    "opencodeinterpreter.sandbox.bubblewrap",
    "opencodeinterpreter.sandbox.kernel",
    "jupyter_client.blocking",
    "pydantic",
    "rich.markdown",
    "rich.syntax",
)


@dataclass
class ReadyProgram:
    """A process that waits for commands, and becomes the program, in a fork, for each."""

    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def run(self, words: list[str], **given: Any) -> int:
        """Run it to its end with what ``given`` says, see ``_become``, and return how it ended."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps({"words": words, **given}) + "\n")
            self._process.stdin.flush()
            return int(self._process.stdout.readline())

    def close(self) -> None:
        self._process.communicate()


def _wait(child: int, seconds: float) -> int:
    watch = threading.Timer(seconds, os.kill, (child, signal.SIGKILL))
    watch.start()
    _, status = os.waitpid(child, 0)
    watch.cancel()
    watch.join()
    return os.waitstatus_to_exitcode(status)


def _become(given: dict[str, Any]) -> None:
    """Take the place of a fresh start: files for the streams, environment, folder, limits, arguments."""
    os.chdir(given["folder"])
    os.environ.clear()
    os.environ.update(given["env"])
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        opened = os.open(given[name], flags if number else os.O_RDONLY)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, buffering, encoding="utf-8", closefd=False)  # noqa: SIM115
        for number, mode, buffering in ((0, "r", -1), (1, "w", -1), (2, "w", 1))
    )
    if (most := given.get("file_bytes")) is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    sys.argv = ["opencodeinterpreter", *given["words"]]


def _serve() -> bool:
    """Answer requests until there are no more; in a fork, return True to become the program."""
    import importlib

    for name in IMPORTED:
        importlib.import_module(name)
    while line := sys.stdin.readline():
        given = json.loads(line)
        if not (child := os.fork()):
            _become(given)
            return True
        print(_wait(child, given["seconds"]), flush=True)
    return False


if __name__ == "__main__":
    sys.path.remove(str(Path(__file__).parent))
    from opencodeinterpreter.cli.main import main

    if _serve():
        main()

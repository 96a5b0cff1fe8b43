"""The real program, run in folders of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ready_program import ReadyProgram

PROGRAM = [sys.executable, "-m", "opencodeinterpreter"]
_SECONDS = 240
"""Within which a command has to end, on a machine that has other things to do."""


@dataclass
class Ended:
    """How a run of the program ended."""

    code: int
    out: str
    err: str

    @property
    def events(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


class Program:
    """Runs the real program in folders of its own."""

    def __init__(self, folder: Path, ready: ReadyProgram | None = None) -> None:
        self.folder = folder
        self._ready = ready
        self.work = folder / "work"
        self.work.mkdir()
        self.config = folder / "config" / "opencodeinterpreter" / "config.toml"
        self.data = folder / "data" / "opencodeinterpreter"
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            "PROMPT_TOOLKIT_NO_CPR": "1",
            "HF_HUB_OFFLINE": "1",
            **{f"XDG_{name.upper()}_HOME": str(folder / name) for name in ("config", "data", "cache", "state")},
        }

    def __call__(self, *words: str, stdin: str | bytes = "", file_bytes: int | None = None, **env: str) -> Ended:
        """Run the program to its end; with ``file_bytes`` no file that it writes can be longer."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        if self._ready is None or any(not name.startswith("OCINT_") for name in env):
            ended = self._fresh(words, given, file_bytes, env)
        else:
            ended = self._forked(self._ready, words, given, file_bytes, env)
        assert "Traceback (most recent call last)" not in ended.err
        return ended

    def _fresh(self, words: Sequence[str], given: bytes, file_bytes: int | None, env: Mapping[str, str]) -> Ended:
        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        done = subprocess.run(
            [*PROGRAM, *words],
            input=given,
            capture_output=True,
            cwd=self.work,
            env={**self.env, **env},
            timeout=_SECONDS,
            preexec_fn=limit if file_bytes else None,
            check=False,
        )
        return Ended(done.returncode, done.stdout.decode(), done.stderr.decode())

    def _forked(
        self, ready: ReadyProgram, words: Sequence[str], given: bytes, file_bytes: int | None, env: Mapping[str, str]
    ) -> Ended:
        # Beside the folder that the program works in, and its home.
        with tempfile.TemporaryDirectory() as folder:
            files = {name: Path(folder) / name for name in ("stdin", "stdout", "stderr")}
            files["stdin"].write_bytes(given)
            code = ready.run(
                list(words), folder=str(self.work), env={**self.env, **env}, file_bytes=file_bytes, seconds=_SECONDS,
                **{name: str(path) for name, path in files.items()},
            )  # fmt: skip
            return Ended(code, files["stdout"].read_bytes().decode(), files["stderr"].read_bytes().decode())

    def script(self, *replies: str, **options: object) -> str:
        """Return the name of a model that gives these replies."""
        path = self.folder / f"script-{len(list(self.folder.glob('script-*')))}.json"
        path.write_text(json.dumps({"replies": replies, **options}))
        return f"scripted:{path}"

    def set(self, text: str) -> None:
        """Write the configuration file."""
        self.config.parent.mkdir(parents=True, exist_ok=True)
        self.config.write_text(text)

    def file(self, name: str, content: str | bytes = "a,b\n1,2\n") -> str:
        """Write a file into the working folder and return its name."""
        (self.work / name).write_bytes(content.encode() if isinstance(content, str) else content)
        return name

    def sessions(self) -> list[Path]:
        return sorted(path.parent for path in (self.data / "sessions").glob("*/events.jsonl"))


def code(text: str) -> str:
    """Return a reply with a code action."""
    return f"Running it.\n```python\n{text}\n```"

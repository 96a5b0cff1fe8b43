"""The real program, run in folders of its own."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

PROGRAM = [sys.executable, "-m", "opencodeinterpreter"]


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

    def __init__(self, folder: Path) -> None:
        self.folder = folder
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

        def limit() -> None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (file_bytes, file_bytes))

        done = subprocess.run(
            [*PROGRAM, *words],
            input=given,
            capture_output=True,
            cwd=self.work,
            env={**self.env, **env},
            timeout=60,
            preexec_fn=limit if file_bytes else None,
            check=False,
        )
        ended = Ended(done.returncode, done.stdout.decode(), done.stderr.decode())
        assert "Traceback (most recent call last)" not in ended.err
        return ended

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

"""``ocint web`` in a process of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from scripts_of_page import SCRIPTS

PROGRAM = Path(__file__).with_name("page_program.py")


class PageServer:
    """``ocint web`` in a process of its own, offering a scripted model for each test.

    Args:
        folder: for everything that it keeps.
        browser: a program that it starts as the person's browser; without one, none is started.
        words: further words of the command line.
        guarded: whether it is killed for asking for an Internet socket.
        environment: of the program, beside what it has always.
    """

    def __init__(
        self,
        folder: Path,
        browser: Path | None = None,
        words: Sequence[str] = (),
        guarded: bool = True,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        models = [folder / f"{name}.json" for name in SCRIPTS]
        for path, script in zip(models, SCRIPTS.values(), strict=True):
            path.write_text(json.dumps(script))
        first, *others = (f"scripted:{path}" for path in models)
        # The sandbox's prepared fonts lie in a folder that is kept, on purpose, until the program ends.
        warnings = ["-W", "error", "-W", "ignore:Implicitly cleaning up:ResourceWarning"]
        program = [str(PROGRAM)] if guarded else ["-m", "opencodeinterpreter"]
        command = [sys.executable, *warnings, *program, "web", "--port", "0", "-m", first, *words]
        command += [word for name in others for word in ("--offer", name)]
        environment = {
            **(environment or {}),
            "PATH": os.environ["PATH"],
            "LANG": "C.UTF-8",
            "NO_COLOR": "1",
            "HOME": str(folder),
        }
        environment |= {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
        environment |= {"BROWSER": f"{browser} %s"} if browser else {}
        command += [] if browser else ["--no-browser"]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
        )
        assert self.process.stdout is not None
        self.link = self.process.stdout.readline().strip()
        assert self.link.startswith("http://127.0.0.1:"), self.process.communicate()[1]

    @property
    def origin(self) -> str:
        return self.link.split("/#")[0]

    @property
    def token(self) -> str:
        return self.link.split("#token=")[1]

    @property
    def sessions(self) -> Path:
        return next(self.folder.glob("data/**/index.sqlite")).parent

    def model(self, name: str) -> str:
        return f"scripted:{self.folder / name}.json"

    def end(self) -> str:
        """End it as Ctrl-C does, and return what it wrote to stderr."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.communicate(timeout=30)[1]
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.communicate()[1]

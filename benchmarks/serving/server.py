"""``ocint serve`` as a process of its own, in folders of its own, and what it takes of the machine."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.memory import proportional
from opencodeinterpreter.sandbox.processes import cpu, descendants

START_SECONDS = 120.0
END_SECONDS = 60.0


@dataclass(frozen=True)
class Memory:
    """MiB, a page that several processes share being divided among them."""

    server: float
    jails: float

    @property
    def whole(self) -> float:
        return self.server + self.jails


class Server:
    """A server that was started by the program's own command line; use it in a ``with`` block, or end it.

    Args:
        model: its first model.
        words: further words of the command line.
    """

    def __init__(self, model: str, words: Sequence[str] = ()) -> None:
        # Below the system's own, for its path is short enough for a socket's address.
        self.folder = Path(tempfile.mkdtemp(prefix="serving-"))
        self._closed = False
        for name in ("sessions", "tmp"):
            (self.folder / name).mkdir()
        (self.folder / "config.toml").touch()
        self._log = (self.folder / "log").open("w")
        command = [sys.executable, "-m", "opencodeinterpreter", "serve", "--port", "0", "-m", model, *words]
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("OCINT_")},
            "OCINT_CONFIG": str(self.folder / "config.toml"),
            "OCINT_SESSIONS_FOLDER": str(self.folder / "sessions"),
            "TMPDIR": str(self.folder / "tmp"),
        }
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=self._log, text=True, env=environment)
        try:
            self.url, self.token = self._address()
        except BaseException:
            self.end()
            raise

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.end()

    def memory(self) -> Memory:
        """Return what the server and its jails hold now."""
        return Memory(proportional(self.process.pid), sum(map(_proportional, self.jailed())))

    def cpu_seconds(self) -> float:
        """Return what the server and its living jails have used of the processors."""
        return cpu(descendants(self.process.pid))

    def jailed(self) -> list[int]:
        """Return the processes that the server started."""
        return descendants(self.process.pid)[1:]

    def faults(self) -> list[str]:
        """Return the lines of the log that tell of a failure: of requests refused, and of the program itself."""
        found = []
        for line in (self.folder / "log").read_text(encoding="utf-8").splitlines():
            row = _row(line)
            status = row.get("status", 200)
            if row.get("level") not in ("info", "debug") or not isinstance(status, int) or status >= 400:
                found.append(line)
        return found

    def left(self) -> list[str]:
        """Return what still stands of sessions that were all deleted: processes, folders, sockets, pipes."""
        found = [f"process {pid}" for pid in self.jailed()]
        found += [f"session {path.name}" for path in (self.folder / "sessions").iterdir() if path.is_dir()]
        for root in (self.folder / "tmp").glob("ocint-*"):
            if root.is_dir() and not root.name.startswith("ocint-engine-"):  # the model's stays as long as the model
                found += [str(path.relative_to(self.folder)) for path in root.iterdir()]
        return found

    def end(self) -> list[str]:
        """End it as an operator does, by SIGTERM; return what then still stands, and how it ended if that was wrong."""
        if self._closed:
            return []
        self._closed = True
        pids = self.jailed()
        self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        found = [f"exit code {code}"] * (code != 0)
        found += [f"process {pid}" for pid in pids if Path(f"/proc/{pid}").exists()]
        found += [str(path) for path in (self.folder / "tmp").rglob("*")]
        found += [line.split()[-1] for line in _sockets() if str(self.folder) in line]
        assert self.process.stdout is not None
        self.process.stdout.close()
        self._log.close()
        shutil.rmtree(self.folder, ignore_errors=True)
        return found

    def _address(self) -> tuple[str, str]:
        assert self.process.stdout is not None
        deadline = time.monotonic() + START_SECONDS
        lines: list[str] = []
        while len(lines) < 2 and time.monotonic() < deadline:
            line = self.process.stdout.readline()
            if not line:
                raise RuntimeError(f"the server did not start:\n{(self.folder / 'log').read_text(encoding='utf-8')}")
            lines.append(line.strip())
        return lines[0], lines[1].removeprefix("token: ")


def _row(line: str) -> dict[str, object]:
    with contextlib.suppress(ValueError):
        row = json.loads(line)
        if isinstance(row, dict):
            return row
    return {}


def _sockets() -> Iterator[str]:
    with Path("/proc/net/unix").open(encoding="utf-8") as lines:
        yield from lines


def _proportional(pid: int) -> float:
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended since it was listed
        return proportional(pid)
    return 0.0

"""Runs programs one after the other, each in a fresh folder, and leaves nothing of them; a cell of the kernel.

``run`` starts ``program_main.py`` once for each text of standard input, ends what takes too long or writes too much,
and afterwards ends every process and removes every file that the programs left. It tells whether that was possible.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

_SUBREAPER = 36  # PR_SET_CHILD_SUBREAPER of prctl(2): orphans become ours, and so are found
_LOOK_SECONDS = 0.02
_FLOOD = 20
"""Times the output that is kept, after which a program is ended."""


def run(job: dict[str, Any]) -> None:
    """Do a job and print what it gave, as JSON."""
    ctypes.CDLL(None).prctl(_SUBREAPER, 1, 0, 0, 0)
    place = Path.cwd()
    results: list[dict[str, Any]] = []
    try:
        for given in job["inputs"]:
            results.append(_program(job, given, place / "run"))
            if results[-1]["status"] != 0 or results[-1]["ended"]:
                break
    finally:
        clean = _end_processes() and _empty([place, *map(Path, job["emptied"])])
        os.chdir(place)
    print(json.dumps({"results": results, "clean": clean}))  # noqa: T201


def _program(job: dict[str, Any], given: str, folder: Path) -> dict[str, Any]:
    home = folder.with_name("home")
    for path in (folder, home):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
    for name, text in job["parts"]:
        (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
    env = {**os.environ, **job["env"], "HOME": str(home), "TMPDIR": str(home)}
    reader, writer = os.pipe()
    command = [sys.executable, "-s", "-B", "-c", job["main"], str(writer), *(name for name, _ in job["parts"])]
    with contextlib.ExitStack() as stack:
        stdin, stdout, stderr = (stack.enter_context(tempfile.TemporaryFile(dir=folder.parent)) for _ in range(3))
        stdin.write(given.encode("utf-8", "surrogatepass"))
        stdin.seek(0)
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=env,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            pass_fds=(writer,),
            start_new_session=True,
        )
        os.close(writer)
        try:
            ended = _wait(process, started + job["wall_seconds"], (stdout, stderr), job["output_bytes"] * _FLOOD)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            _end_processes()
        return {
            "status": process.returncode,
            "ended": ended,
            "seconds": time.monotonic() - started,
            "stdout": _text(stdout, job["output_bytes"]),
            "stderr": _text(stderr, job["output_bytes"]),
            "told": _told(reader),
        }


def _wait(process: subprocess.Popen[bytes], deadline: float, outputs: tuple[IO[bytes], ...], most: int) -> str:
    """Return why the program has to be ended; empty if it has ended by itself."""
    while True:
        try:
            process.wait(_LOOK_SECONDS)
            return ""
        except subprocess.TimeoutExpired:
            if time.monotonic() > deadline:
                return "wall time"
            if sum(os.fstat(file.fileno()).st_size for file in outputs) > most:
                return "output"


def _text(file: IO[bytes], most: int) -> str:
    """Return head and tail of what was written."""
    size = os.fstat(file.fileno()).st_size
    file.seek(0)
    if size <= most:
        return file.read().decode("utf-8", "replace")
    head = file.read(most * 2 // 3).decode("utf-8", "replace")
    file.seek(size - most // 3)
    return f"{head}\n[... {size - most:,} bytes left out ...]\n{file.read().decode('utf-8', 'replace')}"


def _told(reader: int) -> list[Any]:
    """Read what the program's process told; every other end of the pipe is closed by now."""
    with open(reader, "rb") as file:
        lines = file.read(1 << 20).splitlines()
    told = []
    for line in lines:
        with contextlib.suppress(ValueError):  # written by the program itself, into a descriptor that is not its own
            told.append(json.loads(line))
    return [row for row in told if isinstance(row, dict)]


def _end_processes() -> bool:
    """End all our descendants; return whether none is left."""
    for _ in range(100):
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG) != (0, 0):
                pass
        left = _descendants()
        if not left:
            return True
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return False


def _descendants() -> set[int]:
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, ValueError):
                parents[int(entry.name)] = int(
                    (entry / "stat").read_text("utf-8", "replace").rpartition(")")[2].split()[1]
                )
    found = {os.getpid()}
    while more := {pid for pid, parent in parents.items() if parent in found and pid not in found}:
        found |= more
    return found - {os.getpid()}


def _empty(folders: list[Path]) -> bool:
    """Remove all that is in the folders; return whether that was possible."""
    for folder in folders:
        for entry in folder.iterdir() if folder.is_dir() else ():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                with contextlib.suppress(OSError):
                    entry.unlink()
    return not any(any(folder.iterdir()) for folder in folders if folder.is_dir())

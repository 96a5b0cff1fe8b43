"""Reads a file in a jail of its own, which lives for that file alone.

The jail has no network and small limits, and sees the file, the programs of ``inside`` and the installed packages.
Whatever a file makes its reader do ends with it. It gives one JSON file, which is read as data that anyone could
have written.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path

from pydantic import ValidationError

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.base import IsolatedProcess, LaunchSpec, Limits, SandboxBackend
from opencodeinterpreter.sandbox.environment import find_python
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.previews.shape import Converted

LIMITS = Limits(wall_seconds=30, memory_mb=768, processes=32, open_files=256, workspace_mb=64)
_MOST_BYTES = 24_000_000
"""Of the answer."""
_LOOK_SECONDS = 0.03
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from inside.main import convert; "
    "convert(sys.argv[2], int(sys.argv[3]), *sys.argv[4:])"
)


def read_in_jail(backend: SandboxBackend, form: str, start: int, copy_to: Callable[[Path], object]) -> Converted:
    """Return what is in a file.

    Args:
        backend: the isolation.
        form: how it is read, one of ``kinds.FORMS``.
        start: the first page or row.
        copy_to: puts the file where it is told to.

    Raises:
        InputError: the file is not there (from ``copy_to``).
        SandboxError: there can be no jail.
    """
    folder = runtime.new_folder()
    try:
        workspace, run = folder / "work", folder / "run"
        (workspace / "program" / "inside").mkdir(parents=True, mode=0o700)
        run.mkdir(mode=0o700)
        for name, text in _programs().items():
            (workspace / "program" / "inside" / name).write_bytes(text)
        copy_to(workspace / "file")
        spec = _spec(backend, workspace, run, form, start)
        process = backend.launch(spec)
        try:
            reason = _wait(process)
        finally:
            process.kill()
        return Converted(reason="too long" if reason == "time" else "too large") if reason else _answer(workspace)
    finally:
        runtime.remove(folder)


@cache
def _programs() -> dict[str, bytes]:
    folder = files("opencodeinterpreter.serving.previews").joinpath("inside")
    return {each.name: each.read_bytes() for each in folder.iterdir() if each.name.endswith(".py")}


def _spec(backend: SandboxBackend, workspace: Path, run: Path, form: str, start: int) -> LaunchSpec:
    python = find_python()
    executable = "python3" if backend.name == "docker" else str(python.executable)
    spec = LaunchSpec(
        argv=(),
        workspace=workspace,
        runtime=run,
        env={
            "PATH": f"{python.executable.parent}:/usr/local/bin:/usr/bin:/bin",
            "HOME": "/tmp",  # noqa: S108 - the jail's own
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
            "OPENBLAS_NUM_THREADS": "1",
            "OMP_NUM_THREADS": "1",
            "ARROW_NUM_THREADS": "1",
        },
        readable=() if backend.name == "docker" else python.folders,
        limits=LIMITS,
    )
    places = [f"{backend.inside(spec, workspace)}/{name}" for name in ("program", "file", "answer.json")]
    argv = (executable, "-I", "-B", "-c", _START, places[0], form, str(start), *places[1:])
    return LaunchSpec(**{**spec.__dict__, "argv": argv})


def _wait(process: IsolatedProcess) -> str:
    """Wait for the end; return what it was ended for, or nothing."""
    assert LIMITS.wall_seconds is not None
    assert LIMITS.memory_mb is not None
    deadline = time.monotonic() + LIMITS.wall_seconds
    while process.poll() is None:
        if time.monotonic() > deadline:
            return "time"
        if process.usage()[0] > LIMITS.memory_mb << 20:
            return "memory"
        time.sleep(_LOOK_SECONDS)
    return ""


def _answer(workspace: Path) -> Converted:
    try:
        content = Workspace(workspace).read("answer.json", _MOST_BYTES + 1)
    except InputError:  # it died before it could say anything
        return Converted(reason="broken")
    if len(content) > _MOST_BYTES:
        return Converted(reason="too large")
    try:
        return Converted.model_validate_json(content)
    except ValidationError:
        return Converted(reason="broken")

"""The container engine's command line, ``docker`` or ``podman``: is there one, what does it have, what has it left."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import platform
import secrets
import shlex
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import files
from pathlib import Path

import psutil

from opencodeinterpreter.errors import SandboxUnavailableError

PROGRAMS = ("docker", "podman")
LABEL = "opencodeinterpreter.sandbox"
_NAME = "ocint"
_SECONDS = 60.0
"""For an engine's answer; a busy machine takes its time."""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Engine:
    """A container engine that answers."""

    program: Path
    podman: bool

    def call(self, *arguments: str) -> str:
        """Return what a command of the engine's prints.

        Raises:
            EngineError: it failed; the text is the last line of what it said.
        """
        return _call(self.program, *arguments)

    def remove(self, *names: str) -> None:
        """Remove containers, running or not; what is gone already is no fault."""
        with contextlib.suppress(EngineError):
            self.call("rm", "--force", *names)

    def has_image(self, image: str) -> bool:
        try:
            self.call("image", "inspect", "--format", "{{.Id}}", image)
        except EngineError:
            return False
        return True

    def sweep(self) -> None:
        """Remove the containers that programs on this machine have left which no longer live.

        Raises:
            EngineError: they cannot be listed.
        """
        listed = self.call("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()
        if left := [name for name in listed if _is_left(name)]:
            self.remove(*left)

    def init_pid(self, name: str, mark: str) -> int | None:
        """Return this machine's pid of a container's first process, None where it runs in a virtual machine."""
        try:
            pid = int(self.call("inspect", "--format", "{{.State.Pid}}", name))
            # Of a container in a virtual machine it is a number there, and here some other process's.
            return pid if mark.encode() in Path(f"/proc/{pid}/cmdline").read_bytes() else None
        except (EngineError, ValueError, OSError):
            return None


class EngineError(Exception):
    """A command of the engine's failed."""


def find_engine(wanted: str | None = None) -> Engine:
    """Return the engine asked for, else Docker if it is installed, else Podman.

    Raises:
        SandboxUnavailableError: it is not there or does not answer; says what to do.
    """
    names = [wanted] if wanted else PROGRAMS
    found = [path for name in names if (path := shutil.which(name))]
    if not found:
        missing = f'"{wanted}" is not' if wanted else "neither Docker nor Podman is"
        raise SandboxUnavailableError(
            f'The sandbox "docker" needs a container engine, and {missing} installed: install Docker or Podman.'
        )
    failures = []
    for path in found:
        try:
            told = _call(Path(path), "version")
        except EngineError as error:
            failures.append(f"{path} does not answer ({error})")
            continue
        return Engine(Path(path), "podman" in told.partition("Server")[0].lower())
    raise SandboxUnavailableError(
        f'The sandbox "docker" needs a container engine, and {" and ".join(failures)}: '
        "start it, and see that this user may use it."
    )


def default_image() -> str:
    """Return the name of the image that comes with this version."""
    try:
        tag = version("opencodeinterpreter")
    except PackageNotFoundError:  # run from its source alone
        tag = "latest"
    return f"opencodeinterpreter-sandbox:{tag}"


def build_command(program: Path, image: str) -> str:
    """Return the line that builds the image that comes with this package, for a shell."""
    folder = files("opencodeinterpreter.sandbox").joinpath("image")
    return shlex.join([program.name, "build", "--tag", image, str(folder)])


def new_name() -> str:
    """Return a name for a container that says which program of which machine it belongs to."""
    me = psutil.Process()
    return "-".join(
        [_NAME, _machine(), str(me.pid), str(int(me.create_time())), str(next(_numbers)), secrets.token_hex(4)]
    )


def _is_left(name: str) -> bool:
    """Return whether a container is of a program of this machine that has ended."""
    parts = name.split("-")
    if len(parts) != 6 or parts[:2] != [_NAME, _machine()] or not (parts[2] + parts[3]).isdigit():
        return False
    try:
        return bool(abs(psutil.Process(int(parts[2])).create_time() - int(parts[3])) > 2)
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:  # another user's, and alive
        return False


def _machine() -> str:
    return hashlib.sha256(f"{platform.node()}\n{os.getuid()}".encode()).hexdigest()[:12]


def _call(program: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=_SECONDS,
            stdin=subprocess.DEVNULL, check=False, start_new_session=True,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise EngineError(f"no answer within {_SECONDS:.0f} seconds") from error
    except OSError as error:
        raise EngineError(error.strerror or str(error)) from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip() or f"exit status {done.returncode}").splitlines()
        raise EngineError(lines[-1][-500:])
    return done.stdout

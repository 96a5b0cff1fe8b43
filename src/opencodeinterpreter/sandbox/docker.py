"""The ``docker`` backend: code in a container of Docker or Podman, driven by their command line.

The workspace is all of the host that a container sees. The kernel's sockets and pipes lie in memory inside, and go
through the container's stdin and stdout (``docs/decisions/0005-a-relay-into-containers.md``).
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from opencodeinterpreter.errors import ConfigError, SandboxUnavailableError
from opencodeinterpreter.sandbox import jail, seccomp
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.docker_container import BOOT, faults, options, sources, start_order, told
from opencodeinterpreter.sandbox.docker_engine import (
    Engine,
    EngineError,
    build_command,
    default_image,
    find_engine,
    new_name,
)
from opencodeinterpreter.sandbox.docker_link import Link
from opencodeinterpreter.sandbox.environment import KernelCommand, image_command
from opencodeinterpreter.sandbox.identity import UidLease, give_away, is_host_root
from opencodeinterpreter.sandbox.processes import descendants

_START_SECONDS = 120.0
_END_SECONDS = 5.0


class ContainerProcess:
    """The main process of a container and all that it starts.

    Args:
        engine: that runs it.
        name: of the container.
        process: the command line that is attached to it.
        link: to its first process.
        on_end: called once, when nothing of the container is left.
    """

    def __init__(
        self, engine: Engine, name: str, process: subprocess.Popen[bytes], link: Link, on_end: Callable[[], None]
    ) -> None:
        self._engine = engine
        self.name = name
        self._process = process
        self._link = link
        self._on_end: Callable[[], None] | None = on_end
        self._init: int | None = None
        self._asked = False
        self._lock = threading.RLock()

    def poll(self) -> int | None:
        return self._link.poll()

    def output(self) -> str:
        """Return the end of what was written to the stdout and stderr of the start: why a start failed."""
        return self._link.log()

    def pids(self) -> Sequence[int]:
        """Return the host pids of every living process inside, none where the container is in a virtual machine."""
        if not self._asked and sys.platform == "linux" and self.poll() is None:
            self._init = self._engine.init_pid(self.name, self.name)
            self._asked = True
        return [] if self._init is None else descendants(self._init)[1:]

    def usage(self) -> tuple[int, float]:
        """Return (bytes of memory, seconds of CPU) over every process inside, as its first process measures it."""
        memory, cpu = self._link.usage
        return sys.maxsize if self._link.memory_kills else memory, cpu

    def interrupt(self) -> None:
        self._link.send(b"I")

    def kill(self) -> None:
        """End everything inside at once and wait until it is gone; safe to call twice."""
        with self._lock:
            if self._on_end is None:
                return
            self._link.let_go()
            try:
                ended = self._process.wait(_END_SECONDS) >= 0
            except subprocess.TimeoutExpired:
                ended = False
            if not ended:  # the container, or the command line alone, was ended in a rough way
                self._engine.remove(self.name)
                self._process.kill()
                self._process.wait()
            self._link.close()
            on_end, self._on_end = self._on_end, None
            on_end()


class DockerBackend:
    """Starts processes in containers; see ``docs/security.md`` for what they hold and what they do not.

    Args:
        program: "docker", "podman" or the path of one; None for the first of them that answers.
        image: with Python and ipykernel; None for the one that this package brings the recipe for.
    """

    name = "docker"
    takes_calls = False
    """The kernel's folder lies in the container, where no socket of ours can wait."""

    def __init__(self, program: Path | str | None = None, image: str | None = None) -> None:
        self._program = None if program is None else str(program)
        self._image = image or default_image()

    def check(self) -> None:
        """Return if an engine answers and has the image; remembered. Removes what dead programs have left.

        Raises:
            SandboxUnavailableError: with the way out.
        """
        self._engine()

    def describe(self) -> dict[str, str]:
        """Return what a user may want to know of the isolation on this machine, after ``check()``."""
        engine = self._engine()
        return {
            "program": str(engine.program),
            "way": f"{'Podman' if engine.podman else 'Docker'}, image {self._image}",
            "namespaces": "the engine's",
            "capabilities": "none, and none to be gained",
            "system call filter": "the engine's, and this package's",
            "limits": "sums by control groups, per process by the kernel",
        }

    def command(self, python: Path | str | None, kernel: str | None, packages: Path | None) -> KernelCommand:
        """Return the start of the kernel, whose interpreter is the image's.

        Raises:
            ConfigError: if another is asked for.
        """
        if python is not None or kernel is not None:
            raise ConfigError(
                'The sandbox "docker" runs the Python of its image, and no interpreter of this machine: name an image '
                "that has yours (docker_image), or leave out --python and --kernel."
            )
        return image_command(packages)

    def inside(self, spec: LaunchSpec, path: Path) -> str:
        return jail.inside(spec, path)

    def launch(self, spec: LaunchSpec) -> ContainerProcess:
        """Start ``spec.argv`` in a new container; "python3" as the program is the image's own.

        Started by root on Linux, the workspace becomes the property of the session's uid.

        Raises:
            SandboxUnavailableError: if the isolation asked for cannot be had; never anything weaker.
        """
        jail.refuse_own_environment(spec)
        if spec.files:
            raise SandboxUnavailableError("In a container there is no place for files that exist inside only.")
        engine = self._engine()
        if sys.platform != "linux" or not is_host_root():
            return _start(engine, self._image, spec, os.getuid(), os.getgid(), lambda: None)
        lease = UidLease.take(preferred=spec.workspace.stat().st_uid)
        try:
            give_away(spec.workspace, lease.uid)
            return _start(engine, self._image, spec, lease.uid, lease.uid, lease.release)
        except BaseException:
            lease.release()
            raise

    def _engine(self) -> Engine:
        key = self._program, self._image
        with _cache_lock:
            if key not in _cache:
                engine = find_engine(self._program)
                if not engine.has_image(self._image):
                    raise SandboxUnavailableError(_no_image(engine, self._image))
                with contextlib.suppress(EngineError):  # what is left does not keep new sessions from starting
                    engine.sweep()
                _cache[key] = engine
            return _cache[key]


_cache: dict[tuple[str | None, str], Engine] = {}
_cache_lock = threading.Lock()


def _no_image(engine: Engine, image: str) -> str:
    if image == default_image():
        line = build_command(engine.program, image)
        return f'The sandbox "docker" needs its image {image}, which has not been built yet: {line}'
    return f"{engine.program.name} has no image {image}: build or pull it first."


def _start(
    engine: Engine, image: str, spec: LaunchSpec, uid: int, gid: int, on_end: Callable[[], None]
) -> ContainerProcess:
    name = new_name()
    argv = [str(engine.program), "run", *options(engine, name, spec, uid, gid), image]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [*argv, "-I", "-c", BOOT, jail.RUNTIME, name],
                bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise SandboxUnavailableError(f"{engine.program} cannot be started: {error.strerror}.") from error
        link = Link(process, spec.runtime)
        started = ContainerProcess(engine, name, process, link, on_end)
        try:
            link.send_raw(sources())
            link.greeted.wait(_START_SECONDS)
            if link.confinement is None:
                errors.seek(0)
                said = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
                raise SandboxUnavailableError(f"The container did not start: {said or 'it said nothing'}")
            if found := faults(link.confinement, spec.network):
                raise SandboxUnavailableError(f"The container would be weaker than it must be: {'; '.join(found)}.")
            machine = told(link.confinement, "machine ")[0]
            link.send(b"S", start_order(spec, seccomp.program(spec.network, machine)))
        except BaseException:
            started.kill()
            raise
    return started

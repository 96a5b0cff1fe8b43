"""The ``docker`` backend: code in a container of Docker or Podman, driven by their command line.

The workspace is all of the host that a container sees. The kernel's sockets and pipes lie in memory inside, and go
through the container's stdin and stdout (``docs/decisions/0004-a-relay-into-containers.md``).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from opencodeinterpreter.errors import ConfigError, SandboxUnavailableError
from opencodeinterpreter.sandbox import jail, rlimits, seccomp
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.docker_engine import (
    LABEL,
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
_MB = 1 << 20
_RELAY_MB = 64
"""Of memory, for the container's first process and what the system counts beside the code's own."""
_RUNTIME_MB = 64
_DEFAULT_SCRATCH_MB = 1024
_ULIMITS = {
    resource.RLIMIT_CORE: "core",
    resource.RLIMIT_NOFILE: "nofile",
    resource.RLIMIT_FSIZE: "fsize",
    resource.RLIMIT_MEMLOCK: "memlock",
    resource.RLIMIT_DATA: "data",
    **({resource.RLIMIT_MSGQUEUE: "msgqueue"} if hasattr(resource, "RLIMIT_MSGQUEUE") else {}),
}
_MOST_PROCESSES = 4096
"""Where the limit on them is off."""
_BOOT = """
import json, os, sys, types
def read(size):
    data = b""
    while len(data) < size:
        data += os.read(0, size - len(data)) or os._exit(0)
    return data
sources = json.loads(read(int.from_bytes(read(4), "big")))
for name, source in sources.items():
    module = sys.modules[name] = types.ModuleType(name)
    exec(compile(source, name + ".py", "exec"), module.__dict__)
sys.modules["relay"].main(sys.argv[1], sys.modules["processes"])
"""
"""What the image's Python runs: it takes the relay from its stdin, so that any image with Python will do."""
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


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
    argv = [str(engine.program), "run", *_options(engine, name, spec, uid, gid), image]
    with tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(
                [*argv, "-I", "-c", _BOOT, jail.RUNTIME, name],
                bufsize=0, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, start_new_session=True,
            )  # fmt: skip
        except OSError as error:
            raise SandboxUnavailableError(f"{engine.program} cannot be started: {error.strerror}.") from error
        link = Link(process, spec.runtime)
        started = ContainerProcess(engine, name, process, link, on_end)
        try:
            link.send_raw(_sources())
            link.greeted.wait(_START_SECONDS)
            if link.confinement is None:
                errors.seek(0)
                told = errors.read().decode(errors="replace").strip().rpartition("\n")[2]
                raise SandboxUnavailableError(f"The container did not start: {told or 'it said nothing'}.")
            if faults := _faults(link.confinement, spec.network):
                raise SandboxUnavailableError(f"The container would be weaker than it must be: {'; '.join(faults)}.")
            machine = _told(link.confinement, "machine ")[0]
            link.send(b"S", _start_order(spec, seccomp.program(spec.network, machine)))
        except BaseException:
            started.kill()
            raise
    return started


def _options(engine: Engine, name: str, spec: LaunchSpec, uid: int, gid: int) -> Iterator[str]:
    """Yield what the engine is told but for the image and the command."""
    limits = spec.limits
    yield from ("--rm", "--interactive", "--name", name, "--label", f"{LABEL}=1", "--hostname", jail.USER)
    yield from ("--pull", "never", "--log-driver", "none", "--entrypoint", "python3")
    yield from ("--user", f"{uid}:{gid}", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
    yield from ("--read-only", "--workdir", jail.WORKSPACE)
    if engine.podman:
        # Else the host's proxy settings, which may hold a password, its names of other hosts, and more places to
        # write would come along.
        yield from ("--http-proxy=false", "--no-hosts", "--read-only-tmpfs=false")
        if uid == os.getuid() != 0:
            yield "--userns=keep-id"
    if not spec.network:
        yield from ("--network", "none")
    yield from ("--mount", _mount(spec.workspace, jail.WORKSPACE))
    for path in spec.readable:
        yield from ("--mount", _mount(path, str(path)) + ",readonly")
    scratch = max(16, (limits.memory_mb or 2 * _DEFAULT_SCRATCH_MB) // 4)
    yield from ("--tmpfs", f"/tmp:rw,nosuid,nodev,mode=1777,size={scratch}m")  # noqa: S108 - the container's own
    yield from ("--tmpfs", f"{jail.RUNTIME}:rw,nosuid,nodev,mode=1777,size={_RUNTIME_MB}m")
    yield from ("--shm-size", f"{scratch}m")
    yield from _limits(spec, engine.podman, own_uid=uid != os.getuid())


def _limits(spec: LaunchSpec, podman: bool, own_uid: bool) -> Iterator[str]:
    wanted = rlimits.wanted(spec.limits)
    ulimits = {word: wanted[kind] for kind, word in _ULIMITS.items() if kind in wanted}
    if podman and sys.platform == "linux":
        # It starts containers as children of ours, and where root lacks a right, limits can only be lowered.
        hard = {word: resource.getrlimit(kind)[1] for kind, word in _ULIMITS.items()}
        ulimits = {
            word: value if hard[word] == resource.RLIM_INFINITY else min(value, hard[word])
            for word, value in ulimits.items()
        }
    if own_uid:
        # Counted per uid. Without a number Podman sets one of its own, higher than it may be allowed to.
        ulimits["nproc"] = _MOST_PROCESSES if spec.limits.processes is None else spec.limits.processes + 1
    for word, value in ulimits.items():
        yield from ("--ulimit", f"{word}={value}:{value}")
    if spec.limits.memory_mb is not None:
        # A little above what the watcher and the limit on each process hold, which are gentler.
        most = wanted[resource.RLIMIT_DATA] + _RELAY_MB * _MB
        yield from ("--memory", f"{most}b", "--memory-swap", f"{most}b")
    if spec.limits.processes is not None:
        yield from ("--pids-limit", str(spec.limits.processes + 1))


def _mount(source: Path, target: str) -> str:
    """Return a bind mount in the form of a line of comma-separated values, quoted where that is needed."""
    parts = ["type=bind", f"source={source}", f"target={target}"]
    return ",".join('"' + part.replace('"', '""') + '"' if {",", '"'} & set(part) else part for part in parts)


def _sources() -> bytes:
    package = files("opencodeinterpreter.sandbox")
    # Each after what it imports.
    names = {"processes": "", "frames": "inside/", "confinement": "inside/", "relay": "inside/"}
    sources = {
        name: package.joinpath(f"{folder}{name}.py").read_text(encoding="utf-8") for name, folder in names.items()
    }
    body = json.dumps(sources).encode()
    return len(body).to_bytes(4, "big") + body


def _start_order(spec: LaunchSpec, program: bytes) -> bytes:
    """Return the start of the kernel, with its filter and the files of its folder, which the container does not see."""
    content = {
        path.relative_to(spec.runtime).as_posix(): base64.b64encode(path.read_bytes()).decode()
        for path in sorted(spec.runtime.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }
    order = {
        "argv": [*spec.argv],
        "env": dict(spec.env),
        "cwd": jail.WORKSPACE,
        "files": content,
        "address_space": rlimits.wanted(spec.limits).get(resource.RLIMIT_AS),  # an engine takes none
        "filter": base64.b64encode(program).decode(),
    }
    return json.dumps(order).encode()


def _told(text: str, word: str) -> list[str]:
    return [line.removeprefix(word) for line in text.splitlines() if line.startswith(word)] or [""]


def _faults(text: str, network: bool) -> list[str]:
    """Return what does not hold of how a container's first process says it is confined, in words."""
    status, mounts = {}, {}
    for line in text.splitlines():
        fields = line.split()
        if len(fields) > 6 and fields[0].isdigit():
            mounts[fields[4]] = fields[5].split(",")
        elif ":\t" in line:
            key, _, value = line.partition(":\t")
            status[key] = value.strip()
    expected = {
        "code in it keeps capabilities": all(int(status.get(name, "f"), 16) == 0 for name in _CAPABILITIES),
        "code in it could gain rights by executing a file": status.get("NoNewPrivs") == "1",
        "no system call filter is active": status.get("Seccomp") == "2",
        "code in it runs as root": status.get("Uid", "0").split()[0] != "0",
        "its root is open for writing": "ro" in mounts.get("/", []),
        "it sees the network": network or _told(text, "interface ") == ["lo"],
        "the workspace cannot be written in it": "workspace open" in text.splitlines(),
    }
    return [fault for fault, holds in expected.items() if not holds]

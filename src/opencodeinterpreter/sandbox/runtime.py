"""Folders that live as long as this program, and the removal of those that an earlier one left when it was killed."""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import itertools
import logging
import os
import secrets
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path

_SOCKET_PATH_BYTES = 107
"""The longest path that a unix socket can have (``sun_path``)."""
_LONGEST_BELOW = len("/12345678/k-5")
_LOG = logging.getLogger(__name__)
_lock = threading.Lock()
_roots: dict[Path, _Root] = {}


class _Root:
    """This program's folder below ``base``; the lock on the file beside it says that the program lives."""

    def __init__(self, base: Path) -> None:
        self.pid = os.getpid()
        self._numbers = itertools.count(1)
        self._prefix = f"ocint-{os.getuid()}-"
        _sweep(base, self._prefix)
        while True:
            name = self._prefix + secrets.token_hex(4)
            # Kept open, and thereby locked, until the program ends, however it ends.
            self._held = os.open(base / f"{name}.lock", os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600)
            if _try_lock(self._held) and (base / f"{name}.lock").exists():
                break
            os.close(self._held)  # a sweep came between creation and lock
        self.path = base / name
        self.path.mkdir(mode=0o700)
        atexit.register(self._end)

    def _end(self) -> None:
        """Leave nothing behind at an orderly end, not even of what was never closed."""
        if os.getpid() == self.pid:
            remove(self.path)
            self.path.with_suffix(".lock").unlink(missing_ok=True)

    def new(self) -> Path:
        folder = self.path / str(next(self._numbers))
        folder.mkdir(mode=0o700)
        return folder


def new_folder(base: Path | None = None) -> Path:
    """Make an empty private folder, to be given back with ``remove``.

    Args:
        base: where; by default the system's folder for temporary files. One whose path leaves no room for the
            name of a unix socket is not used.
    """
    chosen = (base or Path(tempfile.gettempdir())).resolve()
    if len(os.fsencode(chosen)) + len("/ocint-4294967295-12345678") + _LONGEST_BELOW > _SOCKET_PATH_BYTES:
        chosen = Path("/tmp")  # noqa: S108 - the folder made in it is private
    with _lock:
        root = _roots.get(chosen)
        if root is None or root.pid != os.getpid() or not root.path.exists():
            chosen.mkdir(parents=True, exist_ok=True)
            root = _roots[chosen] = _Root(chosen)
        return root.new()


def remove(folder: Path) -> None:
    """Remove a folder in which untrusted code may have left anything; nothing that lives may still write to it."""
    if not folder.is_symlink() and not folder.exists():
        return
    with contextlib.suppress(OSError, RecursionError):
        shutil.rmtree(folder)
        return
    # Folders without permissions, or nested deeper than Python's own removal goes.
    for command in (["chmod", "-R", "u+rwx"], ["rm", "-rf"]):
        subprocess.run([*command, "--", str(folder)], check=False, capture_output=True)
    if folder.exists():
        _LOG.warning("%s could not be removed", folder)


def _sweep(base: Path, prefix: str) -> None:
    """Remove what programs that no longer live have left."""
    for lock_file in base.glob(f"{prefix}*.lock"):
        try:
            descriptor = os.open(lock_file, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            continue  # another sweep was faster, or it is not ours
        try:
            if _try_lock(descriptor):
                remove(lock_file.with_suffix(""))
                lock_file.unlink(missing_ok=True)
        finally:
            os.close(descriptor)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True

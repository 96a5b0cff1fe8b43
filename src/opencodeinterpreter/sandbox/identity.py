"""Whose rights the code inside has on the host: the ordinary user's, or an otherwise unused uid's.

A jail started by real root must not run as root even with every capability gone: files below ``/proc/sys``
open for uid 0, and limits on processes do not hold for it. Each such session gets a uid of its own.
"""

from __future__ import annotations

import os
import random
import socket
import sys
from dataclasses import dataclass
from pathlib import Path

from opencodeinterpreter.errors import SandboxUnavailableError

_FIRST_UID = 0x70000000
"""Above what distributions, directory services and container managers give out."""
_UIDS = 4096
_WHOLE_RANGE = 0xFFFFFFFF
_RESERVED_AT_END = 64
"""Of a container's uids the last is often "nobody"."""


def is_host_root() -> bool:
    """Return True for root with uids to give away; a lone root of a user namespace counts as a plain user."""
    return os.geteuid() == 0 and bool(_available_uids())


def _available_uids() -> range:
    """Return the uids that sessions may have, empty if this process's user namespace has none to spare."""
    first, size = 0, 0
    for line in Path("/proc/self/uid_map").read_text().splitlines():
        inside, _, count = map(int, line.split())
        if count > size:
            first, size = inside, count
    if size >= _WHOLE_RANGE:
        return range(_FIRST_UID, _FIRST_UID + _UIDS)
    end = first + size - _RESERVED_AT_END
    return range(max(first + 1, end - _UIDS), end) if size > 2 * _RESERVED_AT_END else range(0)


@dataclass(frozen=True)
class UidLease:
    """A uid that no other session on this machine has until ``release()`` or the end of this program."""

    uid: int
    _lock: socket.socket

    @classmethod
    def take(cls, preferred: int | None = None) -> UidLease:
        """Take ``preferred`` if it is free and one of ours, else any other.

        Raises:
            SandboxUnavailableError: if all are taken.
        """
        uids = _available_uids()
        start = random.randrange(len(uids))  # noqa: S311 - spreads sessions, guards nothing
        rest = [*uids[start:], *uids[:start]]
        for uid in [preferred, *rest] if preferred in uids else rest:
            assert uid is not None
            lock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            try:
                # An abstract name is held by one socket at a time and goes with it: nothing to clean up.
                lock.bind(f"\0opencodeinterpreter-uid-{uid}")
            except OSError:
                lock.close()
                continue
            return cls(uid, lock)
        raise SandboxUnavailableError(f"All {len(uids)} user ids for sandboxes are in use: close some sessions.")

    def release(self) -> None:
        self._lock.close()


def give_away(folder: Path, uid: int) -> None:
    """Make ``uid`` the owner of ``folder`` and all in it, links themselves rather than what they point to.

    Raises:
        SandboxUnavailableError: if the folder is one that others need too.
    """
    _refuse_shared(folder)
    os.chown(folder, uid, uid)
    for _, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in folders + files:
            status = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
            if (status.st_uid, status.st_gid) != (uid, uid):
                os.chown(name, uid, uid, dir_fd=descriptor, follow_symlinks=False)


def match_owner(path: Path, folder: Path) -> None:
    """Give ``path``, newly put into ``folder`` by this program, to whoever owns ``folder``.

    Without this, code in a sandbox started by root can read a file that was uploaded, but not change it.
    """
    owner = folder.stat()
    if os.geteuid() == 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _refuse_shared(folder: Path) -> None:
    """Refuse to give away what holds this program, a home or a part of the system."""
    real = folder.resolve()
    needed = (Path.home(), Path(sys.prefix), Path(sys.base_prefix), Path(__file__), Path("/usr"), Path("/etc"))
    if len(real.parts) < 3 or any(other.resolve().is_relative_to(real) for other in needed):
        raise SandboxUnavailableError(
            f"{folder} cannot be a workspace when started as root, for it would be given to the sandbox's user: "
            "choose a folder made for it, or start as an ordinary user."
        )

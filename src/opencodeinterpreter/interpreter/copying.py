"""Copies a folder in which code may have put anything: what is no file is left out, and no link is followed."""

from __future__ import annotations

import os
import shutil
import stat
from pathlib import Path

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.workspace import OPEN_FOLDER

_DEEPEST = 60
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
# Without O_NONBLOCK a named pipe would make us wait for ever.
_OLD = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def copy_folder(source: Path, target: Path, limit_mb: int | None = None) -> None:
    """Copy the files and folders below ``source``; links, pipes and devices are left out.

    No link is followed, not even one that takes a folder's place while we copy.

    Args:
        target: made if it is not there.
        limit_mb: of all files together; a file with holes counts as if it had none. None for no limit.

    Raises:
        InputError: the files are larger, or lie in too many folders.
        OSError: they cannot be copied.
    """
    target.mkdir(mode=0o700, exist_ok=True)
    opened = os.open(source, OPEN_FOLDER)
    try:
        made = os.open(target, OPEN_FOLDER)
        try:
            _Copy(limit_mb).folder(opened, made, 0)
        finally:
            os.close(made)
    finally:
        os.close(opened)


class _Copy:
    """One copy, which counts what it has copied."""

    def __init__(self, limit_mb: int | None) -> None:
        self._limit_mb = limit_mb
        self._bytes = 0

    def folder(self, source: int, target: int, depth: int) -> None:
        """Copy what is in one open folder into another."""
        if depth > _DEEPEST:
            raise InputError("The session's folders lie too deep in one another to be copied; delete some first.")
        with os.scandir(source) as entries:
            for entry in entries:
                mode = entry.stat(follow_symlinks=False).st_mode
                if stat.S_ISDIR(mode):
                    self._inner(source, target, entry.name, depth)
                elif stat.S_ISREG(mode):
                    self._file(source, target, entry.name)
        _same(os.fstat(source), target)

    def _inner(self, source: int, target: int, name: str, depth: int) -> None:
        inner = os.open(name, OPEN_FOLDER, dir_fd=source)
        try:
            os.mkdir(name, 0o700, dir_fd=target)
            made = os.open(name, OPEN_FOLDER, dir_fd=target)
            try:
                self.folder(inner, made, depth + 1)
            finally:
                os.close(made)
        finally:
            os.close(inner)

    def _file(self, source: int, target: int, name: str) -> None:
        with os.fdopen(os.open(name, _OLD, dir_fd=source), "rb") as reader:
            info = os.fstat(reader.fileno())
            if not stat.S_ISREG(info.st_mode):  # it was one a moment ago
                return
            self._bytes += info.st_size
            if self._limit_mb is not None and self._bytes > self._limit_mb << 20:
                raise InputError(
                    f"The session's files are too large to be copied: {self._limit_mb:,} MB in all at most; "
                    "delete some first."
                )
            with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=target), "wb") as writer:
                shutil.copyfileobj(reader, writer, 1 << 20)
                writer.flush()
                _same(info, writer.fileno())


def _same(info: os.stat_result, made: int) -> None:
    """Give a copy the owner, the rights and the time of what it is a copy of."""
    if os.geteuid() == 0:  # code runs as another user then, who must be able to change its files
        os.fchown(made, info.st_uid, info.st_gid)
    os.fchmod(made, stat.S_IMODE(info.st_mode) & 0o777)
    os.utime(made, ns=(info.st_atime_ns, info.st_mtime_ns))

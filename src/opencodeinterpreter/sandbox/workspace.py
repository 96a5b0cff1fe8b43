"""The folder that code works in, seen from outside, where every name and link in it may be a trap."""

from __future__ import annotations

import itertools
import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox import runtime
from opencodeinterpreter.sandbox.base import FileChange

_IGNORED = frozenset({"__pycache__", ".ipynb_checkpoints", ".cache", ".mypy_cache", ".pytest_cache"})
"""Folders that programs fill by the way; no one asked for what is in them."""
_MOST_ENTRIES = 20_000
_MOST_WALKED = 200_000
_DEEPEST = 40
OPEN_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NAME_BYTES = 255

Stamp = tuple[int, int, int, int]
"""Of a file: when its content and when its state changed, in nanoseconds; its bytes; its inode."""


@dataclass(frozen=True)
class FileInfo:
    """A file in the workspace."""

    path: str
    """Relative to the workspace, with "/" between its parts."""
    size: int
    """In bytes."""
    modified: float
    """Seconds since 1970."""


@dataclass(frozen=True)
class Snapshot:
    """What the workspace held at one moment."""

    entries: dict[str, os.stat_result] = field(default_factory=dict)
    """Path → state of every regular file that counts as the user's, up to a bound."""
    disk: int = 0
    """Bytes on disk, of everything."""
    files: int = 0
    """Files and folders, of everything."""

    def stamps(self) -> dict[str, Stamp]:
        """Return what of each file of the user's changes whenever the file does."""
        return {path: stamp_of(info) for path, info in self.entries.items()}


class Workspace:
    """The only folder that code may write to and that lasts.

    Args:
        folder: kept when the workspace is closed; None makes a private one that is removed then.
        limit_mb: an upload past it is refused.
    """

    def __init__(self, folder: Path | None = None, limit_mb: int | None = None) -> None:
        self._private = folder is None
        if folder is None:
            self.path = runtime.new_folder()
        else:
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise InputError(f'The workspace "{folder}" cannot be made: {error.strerror}.') from error
            self.path = folder.resolve()
        self._limit_mb = limit_mb

    def close(self) -> None:
        if self._private:
            runtime.remove(self.path)

    def snapshot(self) -> Snapshot:
        return snapshot(self.path)

    def disk(self) -> int:
        """Return the bytes on disk."""
        return self.snapshot().disk

    def changes(self, before: Snapshot, after: Snapshot) -> tuple[FileChange, ...]:
        """Return the files made or changed between two snapshots, in the order of their names."""
        found = []
        for path, info in sorted(after.entries.items()):
            old = before.entries.get(path)
            if old is None:
                found.append(FileChange(_text(path), info.st_size, "created"))
            elif stamp_of(old) != stamp_of(info):
                found.append(FileChange(_text(path), info.st_size, "modified"))
        return tuple(found)

    def files(self) -> list[FileInfo]:
        entries = self.snapshot().entries
        return [FileInfo(_text(path), info.st_size, info.st_mtime) for path, info in sorted(entries.items())]

    def upload(self, source: Path, name: str | None = None) -> FileInfo:
        """Copy a file in; one that is there already is not replaced, the new one gets a number.

        Raises:
            InputError: if it is no regular file, cannot be read, or is larger than the limit leaves room for.
        """
        target = _safe_name(name if name is not None else source.name)
        with _opened(source) as descriptor:
            info = os.fstat(descriptor)
            self._check_room(source, info.st_size)
            folder = os.open(self.path, OPEN_FOLDER)
            try:
                target, copy = _create(folder, target)
                try:
                    with open(descriptor, "rb", closefd=False) as reader, os.fdopen(copy, "wb") as writer:
                        shutil.copyfileobj(reader, writer, 1 << 20)
                        give(writer.fileno(), folder)
                        size = writer.tell()
                except OSError as error:
                    os.unlink(target, dir_fd=folder)
                    raise InputError(f"{_shown(source)} could not be copied: {error.strerror}.") from error
            finally:
                os.close(folder)
        return FileInfo(target, size, info.st_mtime)

    def download(self, name: str, to: Path) -> Path:
        """Copy a file out, to a folder or a file name, and return where it is now.

        Raises:
            InputError: if there is no such regular file in the workspace, or it cannot be written there.
        """
        target = to / PurePosixPath(name).name if to.is_dir() else to
        with self.opened(name) as descriptor:
            try:
                with open(descriptor, "rb", closefd=False) as reader, target.open("wb") as writer:
                    shutil.copyfileobj(reader, writer, 1 << 20)
            except OSError as error:
                raise InputError(f'"{name}" could not be written to "{target}": {error.strerror}.') from error
        return target

    def read(self, name: str, limit: int) -> bytes:
        """Return the first ``limit`` bytes of a file.

        Raises:
            InputError: if there is no such regular file in the workspace.
        """
        with self.opened(name) as descriptor, open(descriptor, "rb", closefd=False) as file:
            return file.read(limit)

    @contextmanager
    def opened(self, name: str) -> Iterator[int]:
        """Open a file one folder at a time: code may swap any of them for a link while we look.

        Raises:
            InputError: if there is no such regular file in the workspace.
        """
        parts = PurePosixPath(name).parts
        if not parts or PurePosixPath(name).is_absolute() or ".." in parts or "\0" in name:
            raise InputError(f'"{name}" is not the name of a file in the workspace.')
        held = [os.open(self.path, OPEN_FOLDER)]
        try:
            for part in parts[:-1]:
                held.append(os.open(part, OPEN_FOLDER, dir_fd=held[-1]))
            # Without O_NONBLOCK a named pipe would make us wait for ever.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            held.append(os.open(parts[-1], flags, dir_fd=held[-1]))
            if not stat.S_ISREG(os.fstat(held[-1]).st_mode):
                raise InputError(f'"{name}" is not a regular file.')
            yield held[-1]
        except FileNotFoundError as error:
            raise InputError(f'There is no file "{name}" in the workspace.') from error
        except OSError as error:
            raise InputError(f'"{name}" is a link or cannot be read.') from error
        finally:
            for descriptor in held:
                os.close(descriptor)

    def _check_room(self, source: Path, size: int) -> None:
        if self._limit_mb is None:
            return
        room = (self._limit_mb << 20) - self.disk()
        if size > room:
            raise InputError(
                f"{_shown(source)} ({size / 2**20:,.1f} MB) does not fit: of the workspace's limit of "
                f"{self._limit_mb:,} MB, {max(room, 0) / 2**20:,.1f} MB are free."
            )


_Entry = tuple[str, os.stat_result, bool]
"""(path, state, whether it counts as the user's)"""


def _walk(folder: int, prefix: str, kept: bool, depth: int) -> Iterator[_Entry]:
    """Yield everything below an open folder, which is closed at the end; follows no link, waits for nothing."""
    try:
        with os.scandir(folder) as entries:
            for entry in itertools.islice(entries, _MOST_WALKED):
                try:
                    info = entry.stat(follow_symlinks=False)
                except OSError:
                    continue  # gone since it was listed
                path, keep = prefix + entry.name, kept and entry.name not in _IGNORED
                yield path, info, keep
                if stat.S_ISDIR(info.st_mode) and depth < _DEEPEST:
                    try:
                        inner = os.open(entry.name, OPEN_FOLDER, dir_fd=folder)
                    except OSError:
                        continue  # gone, or closed to us
                    yield from _walk(inner, path + "/", keep, depth + 1)
    finally:
        os.close(folder)


def snapshot(folder: Path) -> Snapshot:
    """Look at all that a folder holds."""
    entries: dict[str, os.stat_result] = {}
    disk = files = 0
    linked: set[int] = set()
    try:
        opened = os.open(folder, OPEN_FOLDER)
    except OSError:  # the code inside cannot remove it, but whoever owns it can
        return Snapshot()
    for path, info, kept in _walk(opened, "", True, 0):
        files += 1
        if info.st_nlink < 2 or stat.S_ISDIR(info.st_mode) or info.st_ino not in linked:
            linked.add(info.st_ino)
            disk += info.st_blocks * 512
        if kept and stat.S_ISREG(info.st_mode) and len(entries) < _MOST_ENTRIES:
            entries[path] = info
    return Snapshot(entries, disk, files)


def stamp_of(info: os.stat_result) -> Stamp:
    return info.st_mtime_ns, info.st_ctime_ns, info.st_size, info.st_ino


def give(descriptor: int, folder: int, mode: int = 0o666) -> None:
    """Let the code inside, which may run as another user, change what we put into ``folder`` as it may change that."""
    if os.geteuid() != 0:
        return
    owner = os.fstat(folder)
    os.fchmod(descriptor, mode)  # who may come here at all, the folder says
    os.fchown(descriptor, owner.st_uid, owner.st_gid)


@contextmanager
def _opened(source: Path) -> Iterator[int]:
    """Open a regular file of the host for reading."""
    shown = _shown(source)
    try:
        descriptor = os.open(source, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError as error:
        raise InputError(f"There is no file {shown}.") from error
    except (OSError, ValueError) as error:
        raise InputError(f"{shown} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    try:
        mode = os.fstat(descriptor).st_mode
        if stat.S_ISDIR(mode):
            raise InputError(f"{shown} is a folder; name the files in it.")
        if not stat.S_ISREG(mode):
            raise InputError(f"{shown} is not a regular file.")
        yield descriptor
    finally:
        os.close(descriptor)


def _create(folder: int, name: str) -> tuple[str, int]:
    """Create a new file in an open folder, under a numbered name if need be; return (name, descriptor)."""
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - Path takes some odd names apart differently
    for number in itertools.count():
        target = f"{stem}-{number}{suffix}" if number else name
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            return target, os.open(target, flags, 0o644, dir_fd=folder)
        except FileExistsError:
            continue
        except OSError as error:
            raise InputError(f'"{name}" cannot be written to the workspace: {error.strerror}.') from error
    raise AssertionError


def _safe_name(name: str) -> str:
    """Return a name that can be written in one line and in code, else as it was."""
    if "/" in name or name in ("", ".", ".."):
        raise InputError(f'"{name}" is not the name of a file.')
    cleaned = "".join(c if c.isprintable() else "_" for c in name)
    stem, suffix = os.path.splitext(cleaned)  # noqa: PTH122
    room = _NAME_BYTES - 8 - len(suffix.encode())
    if room < 1:
        stem, suffix, room = cleaned, "", _NAME_BYTES - 8
    return stem.encode()[:room].decode("utf-8", "ignore") + suffix


def _text(path: str) -> str:
    """Return a path as text that can be stored: names need not be UTF-8."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _shown(path: Path) -> str:
    """Return a path for a message, whatever is in its name."""
    return '"' + "".join(c if c.isprintable() else "?" for c in str(path)) + '"'

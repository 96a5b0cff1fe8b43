"""Two copies of one folder, here and on another machine: what has changed in the one is carried over to the other.

A copy holds the regular files that count as the user's (as ``Workspace.files`` does), with their contents and times.
Links, empty folders and permissions are not carried. Neither side trusts names: code may have laid a link anywhere.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import IO

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.workspace import OPEN_FOLDER, Stamp, Workspace, give, stamp_of

PIECE_BYTES = 4 << 20
"""Carried at a time, so that no file need fit into memory."""
_PART = ".ocint-part-"
"""Begins the name of a file that has not arrived as a whole."""


@dataclass(frozen=True)
class Piece:
    """A file, or a part of one; the parts of a file follow each other."""

    path: str
    data: bytes
    first: bool
    last: bool
    modified: int
    """In nanoseconds since 1970."""


@dataclass(frozen=True)
class Parcel:
    """What is carried at a time: many small files, or a piece of a large one."""

    pieces: tuple[Piece, ...]
    done: bool
    """Whether it is the last."""


class Copy:
    """One of the copies, on the machine that it is on; used by one thread at a time.

    Args:
        workspace: the folder.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._workspace = workspace
        self._arriving: _Arriving | None = None

    def stamps(self) -> dict[str, Stamp]:
        """Return the files that there are; a file whose stamp is another than before has changed."""
        found = self._workspace.snapshot().stamps()
        return {path: stamp for path, stamp in found.items() if not PurePosixPath(path).name.startswith(_PART)}

    def parcels(self, paths: Iterable[str]) -> Iterator[Parcel]:
        """Yield files, as large as they were when they were opened; those that cannot be read are left out."""
        pieces: list[Piece] = []
        size = 0
        for path in paths:
            for piece in self._pieces(path):
                pieces.append(piece)
                size += len(piece.data)
                if size >= PIECE_BYTES:
                    yield Parcel(tuple(pieces), done=False)
                    pieces, size = [], 0
        yield Parcel(tuple(pieces), done=True)

    def unpack(self, parcel: Parcel) -> dict[str, Stamp]:
        """Put files in their places; return the stamps of those that are now complete.

        Raises:
            InputError: one cannot be written.
        """
        complete = {}
        for piece in parcel.pieces:
            try:
                if piece.first or self._arriving is None:
                    self.drop()
                    self._arriving = _Arriving(self._workspace, piece.path)
                self._arriving.add(piece.data)
                if piece.last:
                    complete[piece.path] = self._arriving.finish(piece.modified)
                    self._arriving = None
            except OSError as error:
                self.drop()
                raise InputError(f'"{_shown(piece.path)}" cannot be written: {error.strerror}.') from error
        return complete

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files, as far as they are there."""
        for path in paths:
            with contextlib.suppress(OSError), _folder_of(self._workspace, path, make=False) as (folder, name):
                os.unlink(name, dir_fd=folder)

    def drop(self) -> None:
        """Forget the file that has arrived in part."""
        arriving, self._arriving = self._arriving, None
        if arriving is not None:
            arriving.drop()

    def _pieces(self, path: str) -> Iterator[Piece]:
        try:
            with self._workspace.opened(path) as descriptor, open(descriptor, "rb", closefd=False) as file:
                info = os.fstat(descriptor)
                left = info.st_size
                first = True
                while first or left > 0:
                    data = file.read(min(PIECE_BYTES, left))
                    left = left - len(data) if data else 0
                    yield Piece(path, data, first, left == 0, info.st_mtime_ns)
                    first = False
        except InputError:  # gone since it was listed, or closed to us
            return


class _Arriving:
    """A file under another name, which takes its own when it is complete: nobody sees half of it."""

    def __init__(self, workspace: Workspace, path: str) -> None:
        self._stack = contextlib.ExitStack()
        self._folder, self._name = self._stack.enter_context(_folder_of(workspace, path, make=True))
        self._part = _PART + secrets.token_hex(4)
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
            self._file: IO[bytes] = os.fdopen(os.open(self._part, flags, 0o644, dir_fd=self._folder), "wb")
        except BaseException:
            self._stack.close()
            raise

    def add(self, data: bytes) -> None:
        self._file.write(data)

    def finish(self, modified: int) -> Stamp:
        give(self._file.fileno(), self._folder)
        self._file.flush()
        os.utime(self._file.fileno(), ns=(modified, modified))
        try:
            self._rename()
        except IsADirectoryError:  # the other copy has a file where here an empty folder was left
            os.rmdir(self._name, dir_fd=self._folder)
            self._rename()
        stamp = stamp_of(os.fstat(self._file.fileno()))
        self._file.close()
        self._stack.close()
        return stamp

    def drop(self) -> None:
        with contextlib.suppress(OSError):
            os.unlink(self._part, dir_fd=self._folder)
        with contextlib.suppress(OSError):  # a full disk, told already
            self._file.close()
        self._stack.close()

    def _rename(self) -> None:
        os.rename(self._part, self._name, src_dir_fd=self._folder, dst_dir_fd=self._folder)


def changed(before: Mapping[str, Stamp], now: Mapping[str, Stamp]) -> tuple[list[str], list[str]]:
    """Return (paths made or changed, paths gone), each in order."""
    new = sorted(path for path in now if before.get(path) != now[path])
    return new, sorted(path for path in before if path not in now)


@contextlib.contextmanager
def _folder_of(workspace: Workspace, path: str, make: bool) -> Iterator[tuple[int, str]]:
    """Open the folder of a file, one after the other and through no link; yield it and the file's name."""
    parts = PurePosixPath(path).parts
    if not parts or PurePosixPath(path).is_absolute() or ".." in parts or "\0" in path:
        raise InputError(f'"{_shown(path)}" is not the name of a file in the workspace.')
    held = os.open(workspace.path, OPEN_FOLDER)
    try:
        for part in parts[:-1]:
            made = make and _made(part, held)
            inner = os.open(part, OPEN_FOLDER, dir_fd=held)
            if made:
                give(inner, held, 0o777)
            os.close(held)
            held = inner
        yield held, parts[-1]
    finally:
        os.close(held)


def _made(name: str, folder: int) -> bool:
    try:
        os.mkdir(name, 0o755, dir_fd=folder)
    except FileExistsError:
        return False
    return True


def _shown(path: str) -> str:
    return "".join(c if c.isprintable() else "?" for c in path)

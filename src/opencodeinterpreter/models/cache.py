"""Model files on this machine: where they lie, whether they are whole, and who may write them."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Protocol

from opencodeinterpreter.errors import DownloadError, ModelFileError

CHECKING = "checking"
"""The source that is told while a whole file is read for its hash."""
FETCHED_BY_ANOTHER = "waiting for another program that fetches the same model"
"""The source that is told while another program holds the file."""


class Progress(Protocol):
    """Is told how far a long step is; ``total`` is 0 while it is not known.

    ``source`` is where the bytes come from, ``CHECKING`` or ``FETCHED_BY_ANOTHER``.
    """

    def __call__(self, done: int, total: int, source: str) -> None: ...


def no_progress(done: int, total: int, source: str) -> None:
    """Tell nobody."""


def sha256_of(path: Path, progress: Progress = no_progress) -> str:
    """Return the hash of a file's bytes, read anew."""
    digest, done, total = hashlib.sha256(), 0, path.stat().st_size
    with path.open("rb") as file:
        while block := file.read(1 << 22):
            digest.update(block)
            done += len(block)
            progress(done, total, CHECKING)
    return digest.hexdigest()


def record_path(path: Path) -> Path:
    """Return where the result of the last full check of ``path`` is kept."""
    return path.with_name(path.name + ".verified.json")


def remember(path: Path, sha256: str) -> None:
    """Record that the file, as it is now, has this hash, so that a start need not read all of it."""
    state = path.stat()
    row = {"size": state.st_size, "mtime_ns": state.st_mtime_ns, "sha256": sha256}
    # The record only saves time, and a cache that cannot be written is still a cache.
    with contextlib.suppress(OSError):
        record_path(path).write_text(json.dumps(row), encoding="utf-8")


def remembered(path: Path) -> str | None:
    """Return the hash found by the last full check; None if the file has been written since, or never checked."""
    row = _record(path)
    try:
        state = path.stat()
    except OSError:
        return None
    unchanged = (row.get("size"), row.get("mtime_ns")) == (state.st_size, state.st_mtime_ns)
    return recorded(path) if unchanged else None


def recorded(path: Path) -> str | None:
    """Return the hash that the file had when it was last found right, written since or not; None if it never was."""
    found = _record(path).get("sha256")
    return found if isinstance(found, str) else None


def _record(path: Path) -> dict[str, Any]:
    """Return what was kept of the last check; nothing where there is no record, or none of ours."""
    try:
        row = json.loads(record_path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return row if isinstance(row, dict) else {}


def _distrust(path: Path, sha256: str) -> None:
    """Record that the file, which had this hash, is to be read again before it is used."""
    with contextlib.suppress(OSError):
        record_path(path).write_text(json.dumps({"sha256": sha256}), encoding="utf-8")


def check(path: Path, sha256: str | None, *, fully: bool = False, progress: Progress = no_progress) -> str:
    """Return the file's hash, after comparing it with the pinned one if there is one.

    Args:
        path: the file.
        sha256: the hash that it must have; None accepts any.
        fully: read the file even if it was checked before and has not been written since.
        progress: told how much has been read.

    Raises:
        ModelFileError: if the hash is another one.
    """
    found = None if fully else remembered(path)
    if found is None:
        found = sha256_of(path, progress)
    if sha256 is not None and found != sha256:
        _distrust(path, sha256)
        raise ModelFileError(
            f"{path} is damaged: its SHA-256 is {found[:12]}…, not {sha256[:12]}…; delete it and fetch it again"
        )
    remember(path, found)
    return found


@contextlib.contextmanager
def lock(path: Path, progress: Progress = no_progress) -> Iterator[None]:
    """Hold the right to write ``path``; a second program waits here until the first has finished.

    Raises:
        DownloadError: if the folder cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.with_name(path.name + ".lock").open("a+b")
    except OSError as error:
        raise unwritable(path.parent, error) from error
    with file:
        _wait_for(file, progress)
        # The file stays: removing it would let a third program lock a new one beside a waiting second.
        yield


def _wait_for(file: IO[bytes], progress: Progress) -> None:
    try:
        import fcntl
    except ImportError:
        # No such locks on this platform; the final rename is still atomic, so only work is lost.
        return
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        progress(0, 0, FETCHED_BY_ANOTHER)
        fcntl.flock(file, fcntl.LOCK_EX)
    except OSError:
        # Some network file systems have no locks; as above, only work is lost.
        return


def unwritable(folder: Path, error: OSError) -> DownloadError:
    """Return the error for a model folder that cannot be written."""
    reason = (error.strerror or str(error)).lower()
    return DownloadError(
        f"the model folder {folder} cannot be written ({reason}); give another one by OCINT_MODELS_FOLDER"
    )

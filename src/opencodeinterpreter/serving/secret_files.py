"""A secret in a file that only this user can read, made when it is first asked for."""

from __future__ import annotations

import contextlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def kept(path: Path, make: Callable[[], bytes]) -> bytes:
    """Return what a file holds; where there is none, what ``make`` gives is put there first.

    The file is there whole or not at all, and the first one stays: servers that start together have the same secret.

    Raises:
        OSError: it cannot be read or made.
    """
    with contextlib.suppress(FileNotFoundError):
        return path.read_bytes()
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    partial = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(make())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(partial)  # a rename would take the place of one that was made meanwhile
    finally:
        partial.unlink()
    return path.read_bytes()

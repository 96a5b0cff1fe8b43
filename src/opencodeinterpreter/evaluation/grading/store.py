"""Results kept on disk under a key that holds all that decides them; each file is whole, and checked when read."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any


def key_of(*parts: str | bytes) -> str:
    """Return a key that is the same for the same parts, and for no others."""
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(data)}:".encode())
        digest.update(data)
    return digest.hexdigest()


class Store:
    """A folder of JSON documents.

    Args:
        folder: made when something is first kept; None keeps nothing.
    """

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def get(self, key: str) -> Any:
        """Return what was kept under ``key``, or None if there is nothing, or nothing that is whole."""
        if self._folder is None:
            return None
        try:
            checksum, _, body = self._path(key).read_bytes().partition(b"\n")
            return json.loads(body) if checksum.decode("ascii", "replace") == key_of(key, body) else None
        except (OSError, ValueError):
            return None

    def put(self, key: str, document: Any) -> None:
        """Keep a document; a folder that cannot be written only costs the time to grade again."""
        if self._folder is None:
            return
        # Outputs may be a hundred megabytes: bytes are written at once, while a text would be encoded piece by piece.
        body = json.dumps(document).encode("ascii")
        path = self._path(key)
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as file:
                try:
                    file.write(f"{key_of(key, body)}\n".encode())
                    file.write(body)
                    file.close()
                    os.replace(file.name, path)  # noqa: PTH105
                except OSError:
                    Path(file.name).unlink(missing_ok=True)

    def _path(self, key: str) -> Path:
        assert self._folder is not None
        return self._folder / key[:2] / f"{key}.json"

"""Texts as vectors of length one, by a model of choice, kept on disk so that no text is ever embedded twice."""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from opencodeinterpreter.codefeedback.pipeline.stage import Quiet, Told

Vectors: TypeAlias = NDArray[np.float32]
"""One row a text, each of length one (or zero, for a text without any word)."""

BLOCK: Final = 1024
"""Texts that are embedded and stored together: what a kill can cost at most. It is fixed because the last bits of a
vector depend on the texts beside it, and a run that was taken up again must give the same bytes."""
_KEY_BYTES: Final = 16


class Embedder(Protocol):
    """Turns texts into vectors."""

    @property
    def identity(self) -> str:
        """The model's name and whatever else decides the vectors."""
        ...

    @property
    def dimensions(self) -> int: ...

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector of length one for each text, in their order."""
        ...


class EmbeddingStore:
    """The vectors of one embedder on disk, by the hash of the text.

    Two files lie in a folder of the embedder's own: the keys, 16 bytes each, and the vectors, in the same order. A
    torn end, as a kill leaves it, is cut off when the store is opened. Only one program writes at a time; a second one
    waits.

    Args:
        folder: for the stores of all embedders.
        embedder: whose vectors these are.
    """

    def __init__(self, folder: Path, embedder: Embedder) -> None:
        short = re.sub(r"[^\w.-]+", "-", embedder.identity)[:40]
        digest = hashlib.sha256(embedder.identity.encode()).hexdigest()[:16]
        self._folder = folder / f"{short}-{digest}"
        self._embedder = embedder
        self._row_bytes = 4 * embedder.dimensions
        self._places: dict[bytes, int] = {}
        self._folder.mkdir(parents=True, exist_ok=True)

    def embed(self, texts: Iterable[str], told: Told | None = None) -> Vectors:
        """Return the vectors of all texts, in their order; the texts themselves are not kept in memory.

        Args:
            texts: read once.
            told: is told of each text, whether it was embedded now or before.
        """
        told = told or Quiet()
        places: list[int] = []
        remaining = iter(texts)
        with self._open() as (keys, vectors):
            waiting: dict[bytes, str] = {}
            while block := list(islice(remaining, BLOCK)):
                for text in block:
                    key = _key_of(text)
                    if key not in self._places:
                        # Its place is known already: behind all that wait before it.
                        self._places[key] = len(self._places)
                        waiting[key] = text
                    places.append(self._places[key])
                    if len(waiting) == BLOCK:
                        self._store(waiting, keys, vectors)
                told.advance(len(block))
            self._store(waiting, keys, vectors)
        return self._gathered(np.array(places, dtype=np.int64))

    @contextlib.contextmanager
    def _open(self) -> Iterator[tuple[IO[bytes], IO[bytes]]]:
        with (self._folder / "keys").open("a+b") as keys, (self._folder / "vectors").open("a+b") as vectors:
            _lock(keys)
            keys.seek(0, 2)
            vectors.seek(0, 2)
            whole = min(keys.tell() // _KEY_BYTES, vectors.tell() // self._row_bytes)
            keys.truncate(whole * _KEY_BYTES)
            vectors.truncate(whole * self._row_bytes)
            keys.seek(0)
            data = keys.read()
            self._places = {data[n * _KEY_BYTES : (n + 1) * _KEY_BYTES]: n for n in range(whole)}
            yield keys, vectors

    def _store(self, waiting: dict[bytes, str], keys: IO[bytes], vectors: IO[bytes]) -> None:
        if not waiting:
            return
        found = self._embedder.embed(list(waiting.values()))
        # Vectors first: a key without its vector would be believed, a vector without its key is cut off.
        vectors.write(np.ascontiguousarray(found, dtype=np.float32).tobytes())
        vectors.flush()
        keys.write(b"".join(waiting))
        keys.flush()
        waiting.clear()

    def _gathered(self, places: NDArray[np.int64]) -> Vectors:
        dimensions = self._embedder.dimensions
        if not len(places):
            return np.empty((0, dimensions), np.float32)
        stored: Vectors = np.memmap(self._folder / "vectors", np.float32, mode="r").reshape(-1, dimensions)
        found: Vectors = np.asarray(stored[places], dtype=np.float32)
        return found


def unit(vectors: NDArray[Any]) -> Vectors:
    """Return each row at the length of one; a row of zeros stays one."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    scaled: Vectors = np.asarray(vectors / np.where(lengths > 0, lengths, 1), dtype=np.float32)
    return scaled


def _key_of(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=_KEY_BYTES).digest()


def _lock(file: IO[bytes]) -> None:
    try:
        import fcntl
    except ImportError:
        # No such locks on this platform; two programs with one store are the exception.
        return
    with contextlib.suppress(OSError):  # some network file systems have no locks, as above
        fcntl.flock(file, fcntl.LOCK_EX)

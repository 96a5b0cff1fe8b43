"""Reads GGUF files for the ``transformers`` library in a fraction of the time.

The library opens a file once each for the configuration, the tokenizer and the weights, and the package ``gguf`` makes
several objects of the slow kind ``numpy.memmap`` for every one of some hundred thousand words of a vocabulary.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

_lock = threading.Lock()


@contextlib.contextmanager
def quick_gguf() -> Iterator[None]:
    """Let whatever asks for ``gguf.GGUFReader`` in this block have one that reads each file once, and quickly.

    What it gives is the same. Where the package is not installed, nothing happens: the library says so itself.
    """
    try:
        import gguf
    except ImportError:
        yield
        return
    with _lock:
        original = gguf.GGUFReader
        gguf.GGUFReader = functools.lru_cache(maxsize=1)(_plain(original))
        try:
            yield
        finally:
            gguf.GGUFReader = original


def _plain(reader: type[Any]) -> type[Any]:
    import numpy as np

    class PlainReader(reader):  # type: ignore[misc]
        """The reader, over the same mapped memory as an ordinary array."""

        @property
        def data(self) -> Any:
            return self._data

        @data.setter
        def data(self, mapped: Any) -> None:
            self._data = np.asarray(mapped)

    return PlainReader

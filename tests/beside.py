"""Which tests run beside others: all but those marked `alone`.

Several workers (pytest-xdist) share the machine. A test that measures time, or counts what the whole machine holds,
would see the others' work: it is marked `alone`, and waits until no other test runs. So do tests of the embedded
model: its threads take every core, and wait for each other by spinning where one is taken from them.
"""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

ALONE = ("alone", "model")


@contextmanager
def locked(path: Path, *, shared: bool) -> Iterator[None]:
    """Hold a file's lock, with others that share it or alone."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


class Turns:
    """Lets tests of several workers run beside each other, or one alone.

    Attributes:
        folder: Where the workers' lock files lie.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @pytest.hookimpl(wrapper=True, tryfirst=True)  # before the clock of pytest-timeout starts
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Wait for the test's turn."""
        # Who waits for all others to end holds the gate meanwhile, or new ones would begin before it for ever.
        gate = locked(self.folder / "gate", shared=False)
        room = locked(self.folder / "room", shared=not any(item.get_closest_marker(name) for name in ALONE))
        with ExitStack() as held:
            with gate:
                held.enter_context(room)
            return (yield)

"""Progress of long steps, such as the loading and fetching of a model, on standard error."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opencodeinterpreter.cli.text import seconds, size
from opencodeinterpreter.models.cache import CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from opencodeinterpreter.models.cache import Progress


@contextmanager
def shown_progress(console: Console, name: str) -> Iterator[Progress]:
    """Yield what is to be told of the progress: a bar in a terminal, a line for every tenth elsewhere."""
    if not console.is_terminal:
        yield _Lines(console, name)
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    waiting = Progress(SpinnerColumn(), TextColumn("{task.description}"), console=console, transient=True)
    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True, elapsed_when_finished=True),
        console=console,
        transient=True,
    )
    waiting.add_task(f"loading {name}", total=None)
    bar = _Bar(waiting, bars, name)
    began = time.monotonic()
    waiting.start()
    try:
        yield bar
        if bar.fetched:
            bars.stop()
            console.print(f"{name}: {size(bar.fetched)} fetched in {seconds(time.monotonic() - began)} and checked")
    finally:
        waiting.stop()
        bars.stop()


class _Bar:
    """One bar for each source, since each begins anew."""

    def __init__(self, waiting: Bars, bars: Bars, name: str) -> None:
        self._waiting = waiting
        self._bars = bars
        self._name = name
        self._source = ""
        self._task: TaskID | None = None
        self.fetched = 0
        """Bytes that came from elsewhere."""

    def __call__(self, done: int, total: int, source: str) -> None:
        if source != CHECKING:
            self.fetched = done
        if self._task is None or source != self._source:
            self._waiting.stop()
            self._bars.start()
            if self._task is not None:
                self._bars.remove_task(self._task)
            self._source = source
            # What was there already is not counted into the rate, since the task begins with it.
            self._task = self._bars.add_task(f"{self._name} · {source}", total=total or None, completed=done)
        self._bars.update(self._task, completed=done, total=total or None)


class _Lines:
    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._source = ""
        self._tenth = -1

    def __call__(self, done: int, total: int, source: str) -> None:
        if source == CHECKING:
            return
        if source != self._source:
            self._source, self._tenth = source, -1
        tenth = done * 10 // total if total else done // 100_000_000
        if tenth != self._tenth:
            self._tenth = tenth
            share = f"{tenth * 10} % of {size(total)}" if total else size(done)
            self._console.print(f"{self._name} ({source}): {share}", soft_wrap=True)

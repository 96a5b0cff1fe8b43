"""How far a stage of the data set builder is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opencodeinterpreter.cli.text import seconds

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

_LINE_SECONDS = 30.0
"""Between two lines where there is no terminal."""
_BAR_SECONDS = 0.1
"""Between two looks at a bar: a fast stage does tens of thousands of rows a second."""


class Count:
    """Rows done, what came of them, and how fast it goes."""

    def __init__(self, console: Console, name: str) -> None:
        self._console, self._name = console, name
        self.total: int | None = None
        self.done = self.made = self.kept = self.dropped = 0
        self.what = ""
        self._began = self._said = time.monotonic()

    def begin(self, total: int | None, what: str = "", done: int = 0) -> None:
        self.total, self.what, self.done, self.made = total, what, done, 0
        self.kept = self.dropped = 0
        self._began = time.monotonic()

    def advance(self, number: int = 1, kept: int = 0, dropped: int = 0) -> None:
        self.done += number
        self.made += number
        self.kept += kept
        self.dropped += dropped
        self.tick()

    def tick(self) -> None:
        """Show that time passes."""

    @property
    def numbers(self) -> str:
        """How many are done, of how many: ``120 of 4,535 rows``."""
        of = "" if self.total is None else f" of {self.total:,}"
        return f"{self.done:,}{of} {self.what}".rstrip()

    @property
    def outcome(self) -> str:
        return f"{self.kept:,} kept, {self.dropped:,} dropped" if self.kept or self.dropped else ""

    @property
    def pace(self) -> str:
        """How fast it goes and how long it will take, by this run alone."""
        if not self.made:
            return ""
        each = (time.monotonic() - self._began) / self.made
        speed = f"{seconds(each)} each" if each >= 1 else f"{1 / max(each, 1e-9):,.0f} a second"
        left = "" if self.total is None else f", {seconds(each * max(0, self.total - self.done))} left"
        return speed + left


class _Bar(Count):
    def __init__(self, bars: Bars, task: TaskID, name: str) -> None:
        super().__init__(bars.console, name)
        self._bars, self._task = bars, task

    def begin(self, total: int | None, what: str = "", done: int = 0) -> None:
        super().begin(total, what, done)
        self._show()

    def tick(self) -> None:
        if time.monotonic() - self._said >= _BAR_SECONDS:
            self._show()

    def end(self) -> None:
        self._show()

    def _show(self) -> None:
        self._said = time.monotonic()
        told = " · ".join(part for part in (self.numbers, self.outcome, self.pace) if part)
        self._bars.update(self._task, total=self.total, completed=self.done, told=told)


class _Lines(Count):
    def begin(self, total: int | None, what: str = "", done: int = 0) -> None:
        super().begin(total, what, done)
        if done:
            self._console.print(f"{self._name}: {self.numbers} are done already", soft_wrap=True)

    def tick(self) -> None:
        if time.monotonic() - self._said >= _LINE_SECONDS:
            self._said = time.monotonic()
            told = " · ".join(part for part in (self.numbers, self.outcome, self.pace) if part)
            self._console.print(f"{self._name}: {told}", soft_wrap=True)


@contextmanager
def shown_stage(console: Console, name: str) -> Iterator[Count]:
    """Yield what is to be told of the progress of a stage."""
    if not console.is_terminal:
        yield _Lines(console, name)
        return
    from rich.progress import BarColumn, Progress, TextColumn

    bars = Progress(
        TextColumn("{task.description}"), BarColumn(bar_width=24), TextColumn("{task.fields[told]}"), console=console
    )
    with bars:
        bar = _Bar(bars, bars.add_task(name, total=None, told=""), name)
        yield bar
        bar.end()

"""How far an evaluation is: a bar in a terminal, a line now and then elsewhere."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.text import Text

from opencodeinterpreter.cli.text import one_line, seconds
from opencodeinterpreter.evaluation.protocols.leakage import marked_leaks

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from opencodeinterpreter.evaluation.records import ProblemRecord

_LINE_SECONDS = 30.0
"""Between two lines where there is no terminal."""


class Count:
    """Problems done, how many of them pass, and how fast it goes."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.total = self.done = self.base = self.plus = self.graded = self.made = 0
        self._began = time.monotonic()

    def begin(self, records: Sequence[ProblemRecord], total: int) -> None:
        self.total, self._began = total, time.monotonic()
        for record in records:
            self._count(record)

    def add(self, record: ProblemRecord) -> None:
        self.made += 1
        self._count(record)
        for leak in marked_leaks(record):
            # At once: nobody should find this out at the end of hours. As a text, for a style would colour the bar too.
            self._console.print(Text(f"LEAK: {one_line(str(leak), 300)}", "bold red"), soft_wrap=True)

    def _count(self, record: ProblemRecord) -> None:
        self.done += 1
        grade = record.answer.grade
        # A harness error is no failure of the model.
        if grade is not None and "harness error" not in (grade.base.verdict, grade.plus.verdict):
            self.graded += 1
            self.base += grade.base.passed
            self.plus += grade.plus.passed

    @property
    def rate(self) -> str:
        """How many pass, in per cent, so far: ``pass@1 61.6 (57.3)``."""
        if not self.graded:
            return ""
        return f"pass@1 {100 * self.base / self.graded:.1f} ({100 * self.plus / self.graded:.1f})"

    @property
    def pace(self) -> str:
        """How fast it goes and how long it will take, by this run alone."""
        if not self.made:
            return ""
        each = (time.monotonic() - self._began) / self.made
        speed = f"{seconds(each)} each" if each >= 1 else f"{1 / each:.1f} a second"
        return f"{speed}, {seconds(each * (self.total - self.done))} left"


class _Bar(Count):
    def __init__(self, bars: Bars, task: TaskID) -> None:
        super().__init__(bars.console)
        self._bars, self._task = bars, task

    def begin(self, records: Sequence[ProblemRecord], total: int) -> None:
        super().begin(records, total)
        self.tick()

    def add(self, record: ProblemRecord) -> None:
        super().add(record)
        self.tick()

    def tick(self) -> None:
        self._bars.update(self._task, total=self.total, completed=self.done, rate=self.rate, pace=self.pace)


class _Lines(Count):
    def __init__(self, console: Console, name: str) -> None:
        super().__init__(console)
        self._name, self._said = name, time.monotonic()

    def begin(self, records: Sequence[ProblemRecord], total: int) -> None:
        super().begin(records, total)
        if records:
            self._console.print(f"{self._name}: {self.done} of {self.total} are done already", soft_wrap=True)

    def add(self, record: ProblemRecord) -> None:
        super().add(record)
        if self.done == self.total:
            self._say()

    def tick(self) -> None:
        if time.monotonic() - self._said >= _LINE_SECONDS:
            self._say()

    def _say(self) -> None:
        self._said = time.monotonic()
        parts = [f"{self.done} of {self.total}", self.rate, self.pace]
        self._console.print(f"{self._name}: {' · '.join(part for part in parts if part)}", soft_wrap=True)


@contextmanager
def shown_run(console: Console, name: str) -> Iterator[_Bar | _Lines]:
    """Yield what is to be told of the progress of a run."""
    if not console.is_terminal:
        yield _Lines(console, name)
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    bars = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=24),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TextColumn("[dim]{task.fields[pace]}"),
        console=console,
    )
    with bars:
        yield _Bar(bars, bars.add_task(name, total=None, rate="", pace=""))

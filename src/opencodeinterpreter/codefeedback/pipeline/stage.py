"""What a stage of the builder is. How one is run, resumed and written down is in ``running``."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

Row: TypeAlias = dict[str, Any]
"""One JSON object of a row file."""


@dataclass(frozen=True)
class Drop:
    """A row that goes no further, and why."""

    reason: str
    """a few plain words that are the same for all such rows, since they are counted: ``score below 4``"""
    detail: str = ""
    """what is worth knowing about this one"""
    row: Mapping[str, Any] | None = None
    """the row; None stands for the input row of a map stage"""


@dataclass(frozen=True)
class Outcome:
    """What became of one input row."""

    rows: tuple[Row, ...] = ()
    drops: tuple[Drop, ...] = ()
    notes: Mapping[str, Any] = field(default_factory=dict)
    """numbers, and mappings of numbers by text, to any depth: added up over all rows, and kept in the manifest"""


Process: TypeAlias = Callable[[Row], Outcome]
"""What a map stage does to one row. Called from several threads at once.

It may raise an ``InputError`` for a row that is not what the stage reads: the row is set aside as a bad record. Any
other error ends the run; what was done is kept.
"""


class MapStage(Protocol):
    """A stage that turns each input row into rows of its own, knowing nothing of the others."""

    @property
    def name(self) -> str:
        """As the command is called: ``simulate``."""
        ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """Everything that decides the result besides the input, as JSON values; known before ``prepare``.

        Three keys have a meaning of their own in the manifest: ``seed`` (a number), ``prompts`` (the version of the
        prompts) and ``models`` (for each part a model plays an object with ``name`` and ``identity``).
        """
        ...

    def prepare(self) -> AbstractContextManager[Process]:
        """Open what the stage needs (models, sandboxes, caches), and give the function that does the work.

        The block is left when the last row is done or the run is ended. The stage object itself may be sent to another
        process before (by pickle), so whatever cannot be pickled is opened here.
        """
        ...

    def stop(self) -> None:
        """End what ``process`` is doing in all threads, from any thread; it may raise there. May do nothing."""
        ...


@runtime_checkable
class Summarising(Protocol):
    """A stage that has more to say of a whole run than the sums of its notes."""

    def summary(self, notes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the manifest's notes have besides the sums."""
        ...


class Rows(Protocol):
    """All input rows of a table stage. Each iteration reads the files anew, so that they need not be kept."""

    def __iter__(self) -> Iterator[Row]: ...

    def __len__(self) -> int: ...


class Told(Protocol):
    """Is told how far a table stage is."""

    def begin(self, total: int, what: str = "") -> None:
        """Start to count to ``total``; ``what`` is being counted (``queries embedded``)."""
        ...

    def advance(self, number: int = 1) -> None: ...


class Quiet:
    """Shows nothing."""

    def begin(self, total: int, what: str = "") -> None: ...

    def advance(self, number: int = 1) -> None: ...


@dataclass(frozen=True)
class Table:
    """What a table stage works on."""

    rows: Rows
    folder: Path
    """made for this stage, input and settings: what is kept here survives a kill, and is there when the same stage is
    run again; removed when the stage is done"""
    told: Told = field(default_factory=Quiet)


class TableStage(Protocol):
    """A stage that has to know all rows before it can give the first one. It keeps no more of them than it needs.

    It may have a method ``check(row)`` too: a row for which that raises an ``InputError`` is set aside as a bad record,
    with its file and line, and ``build`` does not see it.
    """

    @property
    def name(self) -> str: ...

    @property
    def settings(self) -> Mapping[str, Any]:
        """As those of a map stage."""
        ...

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield the output rows in their order, the drops (each with its row) and the notes.

        Raises:
            InputError: for a row that is not what the stage reads.
        """
        ...

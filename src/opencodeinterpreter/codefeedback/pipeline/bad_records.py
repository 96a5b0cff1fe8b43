"""Records that cannot be used: set aside one by one, until there are so many that something else is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.codefeedback.files.jsonl import Record
from opencodeinterpreter.codefeedback.pipeline.entries import Entry
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome
from opencodeinterpreter.errors import ConfigError, InputError

BAD: Final = "bad record"
"""The reason under which bad records are counted."""
_ENOUGH: Final = 100
"""Records that have to be read before a share of them means anything."""


def bad_entry(index: int, record: Record, fault: str) -> Entry:
    """Return what stands for a record that cannot be used."""
    row = record.row if record.row is not None else {"text": record.text}
    return Entry(index, Outcome(drops=(Drop(BAD, f"{record.place}: {fault}", row),)), bad=True)


@dataclass(frozen=True)
class MaxBad:
    """How many bad records a run bears: more than both limits, where there are two, end it."""

    count: int | None = 100
    percent: float | None = 5.0

    @classmethod
    def parse(cls, text: str) -> MaxBad:
        """Read ``20`` or ``3%``.

        Raises:
            ConfigError: if it is neither.
        """
        try:
            if text.strip().endswith("%"):
                limit = cls(None, float(text.strip()[:-1]))
                usable = 0 <= (limit.percent or 0) <= 100
            else:
                limit = cls(int(text), None)
                usable = (limit.count or 0) >= 0
        except ValueError as error:
            raise ConfigError(f"--max-bad must be a number such as 20, or a share such as 3%, not {text!r}") from error
        if not usable:
            raise ConfigError(f"--max-bad must not be below 0 or above 100%, not {text!r}")
        return limit

    def __str__(self) -> str:
        limits = [] if self.count is None else [str(self.count)]
        return " and ".join(limits if self.percent is None else [*limits, f"{self.percent:g}%"])

    def check(self, bad: int, seen: int, latest: str, *, at_end: bool = False) -> None:
        """End a run that has more bad records than it bears, or nothing but bad ones.

        Args:
            bad: records that could not be used so far.
            seen: records so far, the bad ones too.
            latest: what is wrong with the latest, with its place.
            at_end: there are no more.

        Raises:
            InputError: if there are too many.
        """
        example = f", the latest {latest}" if latest else ""
        if at_end and bad and bad == seen:
            raise InputError(
                f"none of the {seen} records can be used: look into them, or at how they are read{example}"
            )
        if not bad or (self.count is not None and bad <= self.count):
            return
        if self.percent is not None and (bad <= self.percent / 100 * seen or (seen < _ENOUGH and not at_end)):
            return
        raise InputError(
            f"{bad} of {seen} records cannot be used{example}; more than --max-bad allows ({self}): mend the input, "
            "or allow more"
        )

"""What a format of records is: how it is recognised, and how one record becomes a row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from opencodeinterpreter.codefeedback.fields import Fields
from opencodeinterpreter.codefeedback.languages import language_of
from opencodeinterpreter.codefeedback.pipeline.stage import Drop
from opencodeinterpreter.codefeedback.rows import Bug, Problem, Query

UNKNOWN = "unknown"
"""The licence of a row of which nobody has said it."""

Made: TypeAlias = Query | Problem | Bug | Drop


@dataclass(frozen=True)
class Given:
    """One record, and what is known of it besides its fields."""

    row: Mapping[str, Any]
    id: str
    """that tells it from all others: the file's name and a number"""
    source: str
    licence: str
    language: str = ""
    """of all records of the source, where a person has said it"""
    joined: Mapping[str, Problem] = field(default_factory=dict)
    """problems of another source by their name, which bring statements and tests"""

    def fields(self, what: str) -> Fields:
        """Return the checked fields; ``what`` names the record in the sentence that says what is wrong."""
        return Fields(self.row, what)

    def named(self, name: str) -> str:
        """Return the id of a record that has a name of its own: ``leetcodedataset/two-sum``."""
        return f"{self.source.lower().replace(' ', '-')}/{name}"

    def query(self, query: str, answer: str, told: str = "", **meta: Any) -> Query:
        """Return a query; its language is what a person said, else the record's field, else what its text shows."""
        language = self.language or language_of(query, answer, told)
        return Query(self.id, query, answer, language, self.source, self.licence, meta)


@dataclass(frozen=True)
class Format:
    """A layout of records."""

    name: str
    about: str
    """one line for the help"""
    fields: frozenset[str]
    """a record of this format has them all"""
    read: Callable[[Given], Made]
    """raises an ``InputError`` for a record that lacks what it needs"""
    source: str = ""
    """the data set that has this layout; empty if many have"""
    licence: str = ""
    """of that data set"""
    evaluation: str = ""
    """why its rows must not be trained on; empty if they may"""
    fits: Callable[[Mapping[str, Any]], bool] = field(default=lambda _: True)
    """what else a record of this format has"""

    def recognises(self, row: Mapping[str, Any]) -> bool:
        return self.fields <= row.keys() and self.fits(row)

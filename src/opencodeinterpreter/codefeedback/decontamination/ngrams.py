"""First layer: runs of words and of program tokens that a row shares with a problem, weighted by their rarity.

Raw runs of words are of little use on code: a table of dynamic programming or a loop over prefixes hits everywhere. So
a shared run counts by how rare it is in a background of 6,337 rows of public code and instructions
(``background.json``, counts of hashes only), and what counts is the share of the problem's whole weight that a row
holds, not one run alone.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, Final

from opencodeinterpreter.codefeedback.decontamination.references import Reference
from opencodeinterpreter.codefeedback.decontamination.texts import code_of, grams, program_tokens, words_of

STATEMENT_WORDS: Final = 4
PROGRAM_TOKENS: Final = 7


@dataclass(frozen=True)
class Background:
    """In how many rows of ordinary data something occurs."""

    rows: int = 0
    statements: Mapping[int, int] = field(default_factory=dict)
    """by the hash of a run of words"""
    programs: Mapping[int, int] = field(default_factory=dict)
    """by the hash of a run of program tokens"""
    literals: Mapping[str, int] = field(default_factory=dict)
    names: Mapping[str, int] = field(default_factory=dict)

    def rarity(self, count: int) -> float:
        """Return 1 for what never occurs, 0 for what occurs in every row: the logarithm of the inverse frequency."""
        if not self.rows:
            return 1.0
        return math.log((self.rows + 1) / (count + 1)) / math.log(self.rows + 1)


@lru_cache(maxsize=1)
def shipped_background() -> Background:
    """Return the background that is part of the package."""
    file = resources.files("opencodeinterpreter.codefeedback.decontamination") / "background.json"
    given: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return Background(
        rows=given["rows"],
        statements={int(key, 16): count for key, count in given["statements"].items()},
        programs={int(key, 16): count for key, count in given["programs"].items()},
        literals=given["literals"],
        names=given["names"],
    )


@dataclass(frozen=True)
class Share:
    """How much of a problem a row holds."""

    share: float
    """0 to 1: the weight of the shared runs by the weight of all runs of the problem"""
    weight: float
    """of the shared runs; a run that occurs nowhere else weighs 1"""


class SharedRuns:
    """Finds the problems of whose runs a row holds some.

    Args:
        runs: the runs of each problem.
        counts: in how many rows of the background each occurs.
        background: for the rarity.
    """

    def __init__(self, runs: Sequence[set[int]], counts: Mapping[int, int], background: Background) -> None:
        self._weights: dict[int, float] = {}
        self._holders: dict[int, list[int]] = {}
        for number, problem in enumerate(runs):
            for run in problem:
                if run not in self._weights:
                    # Squared, so that many half-rare runs do not add up to a rare one.
                    self._weights[run] = background.rarity(counts.get(run, 0)) ** 2
                self._holders.setdefault(run, []).append(number)
        self._whole = [sum(self._weights[run] for run in problem) or 1.0 for problem in runs]

    def of(self, runs: set[int]) -> dict[int, Share]:
        """Return the problems that share runs with a row, by number."""
        shared: dict[int, float] = {}
        for run in runs & self._weights.keys():
            for number in self._holders[run]:
                shared[number] = shared.get(number, 0.0) + self._weights[run]
        return {number: Share(weight / self._whole[number], weight) for number, weight in shared.items()}


def statement_runs(text: str) -> set[int]:
    return grams(words_of(text), STATEMENT_WORDS)


def program_runs(code: str) -> set[int]:
    return grams(program_tokens(code), PROGRAM_TOKENS)


def shared_statements(references: Iterable[Reference], background: Background) -> SharedRuns:
    """Compare the words of a prompt; its examples are left to the second layer."""
    return SharedRuns([statement_runs(each.statement) for each in references], background.statements, background)


def shared_programs(references: Iterable[Reference], background: Background) -> SharedRuns:
    return SharedRuns([program_runs(each.solution) for each in references], background.programs, background)


def row_runs(query: str, answer: str) -> tuple[set[int], set[int]]:
    """Return the runs of words and of program tokens of a row.

    Prompts are copied into answers and programs into queries, so both are looked at for both; runs do not go across.
    """
    words = statement_runs(query) | statement_runs(answer)
    return words, program_runs(code_of(query)) | program_runs(code_of(answer))

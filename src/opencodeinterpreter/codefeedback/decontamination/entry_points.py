"""Second layer: the names of entry points, and the inputs and outputs of examples.

A statement that was translated or told anew often keeps its examples; a program whose text was changed often keeps its
name. Both count by how telling they are: ``separate_paren_groups`` more than ``reverse_words``,
``[15, -73, 14, -15]`` more than ``[1, 2, 3]``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from opencodeinterpreter.codefeedback.decontamination.ngrams import Background
from opencodeinterpreter.codefeedback.decontamination.references import Reference
from opencodeinterpreter.codefeedback.decontamination.texts import literal_key, literals_in

_NAME: Final = re.compile(r"[^\W\d]\w+")
_ATOM: Final = re.compile(r"'[^']*'|-?\d+(?:\.\d+)?|[^\W\d]\w*")
_TELLING_LETTERS: Final = 16
_TELLING_PARTS: Final = 3
"""A name of so many words is found by chance in no program about something else."""


class EntryPoints:
    """Finds the problems whose name or examples stand in a row.

    Args:
        references: the problems.
        background: how common names and literals are.
    """

    def __init__(self, references: Sequence[Reference], background: Background) -> None:
        self._names: dict[str, list[tuple[int, float]]] = {}
        self._literals: dict[str, list[tuple[int, float]]] = {}
        for number, reference in enumerate(references):
            telling = name_weight(reference.entry_point, background)
            self._names.setdefault(reference.entry_point, []).append((number, telling))
            for key in dict.fromkeys(literal_key(literal) for literal in reference.literals):
                if weight := literal_weight(key, background):
                    self._literals.setdefault(key, []).append((number, weight))

    def of(self, *texts: str) -> dict[int, tuple[float, float, list[str]]]:
        """Return by problem how telling the name and the examples found are, and which they were."""
        names: dict[int, float] = {}
        examples: dict[int, float] = {}
        evidence: dict[int, list[str]] = {}
        words = {word for text in texts for word in _NAME.findall(text)}
        for name in sorted(words & self._names.keys()):
            for number, weight in self._names[name]:
                names[number] = weight
                evidence.setdefault(number, []).append(name)
        keys = {key for text in texts for key in literals_in(text)}
        for key in sorted(keys & self._literals.keys()):
            for number, weight in self._literals[key]:
                examples[number] = examples.get(number, 0.0) + weight
                evidence.setdefault(number, []).append(key)
        return {n: (names.get(n, 0.0), examples.get(n, 0.0), found) for n, found in evidence.items()}


def name_weight(name: str, background: Background) -> float:
    """Return 0 to 1: how telling an identifier is, by its number of words and its rarity."""
    parts = len([part for part in re.split(r"_+|(?<=[a-z])(?=[A-Z])", name) if part])
    return min(1.0, parts / _TELLING_PARTS) * background.rarity(background.names.get(name, 0)) ** 2


def _steady(atoms: list[str]) -> bool:
    """Return whether these are numbers that go up or down by the same step nearly everywhere, as in most examples."""
    try:
        values = [float(atom) for atom in atoms]
    except ValueError:
        return False
    steps = [round(after - before, 9) for before, after in pairwise(values)]
    return bool(steps) and max(steps.count(step) for step in steps) >= 0.75 * len(steps)


def literal_weight(key: str, background: Background) -> float:
    """Return 0 to 1: how telling a value is, by the number of values in it and its rarity."""
    atoms = _ATOM.findall(key)
    letters = sum(len(atom) for atom in atoms if atom.startswith("'"))
    if _steady([atom for atom in atoms if not atom.startswith("'")]) and letters < _TELLING_LETTERS:
        return 0.0
    size = max(len(set(atoms)) - 1, 0) / 4 + letters / 40
    if key.startswith("'"):
        size = max(0.0, (len(key) - 5) / 15)
    return min(1.0, size) * background.rarity(background.literals.get(key, 0)) ** 2

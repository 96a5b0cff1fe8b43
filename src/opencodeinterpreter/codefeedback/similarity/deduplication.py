"""Exact and near duplicates, across all sources: the first one is kept.

Exact means the same words in the same order, whatever their case, spaces and Unicode form. Near means that the sets of
runs of three words (shingles) have a Jaccard index (size of the intersection by size of the union) of at least the
threshold. Candidates come from MinHash signatures and locality-sensitive hashing (Broder 1997, "On the resemblance and
containment of documents"; Leskovec, Rajaraman and Ullman, "Mining of Massive Datasets", chapter 3); each candidate is
then compared by its true Jaccard index, so that no row is dropped for a collision of signatures.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from opencodeinterpreter.codefeedback.pipeline.stage import Drop, Outcome, Row, Table
from opencodeinterpreter.codefeedback.similarity.row_texts import answer_of, must_have_texts, question_of
from opencodeinterpreter.errors import ConfigError, MissingExtraError

Compared = Literal["query", "query and answer"]

SHINGLE_WORDS: Final = 3
_PERMUTATIONS: Final = 128
_CERTAIN: Final = 0.99
"""How likely a pair just at the threshold is to become a candidate; a needless candidate costs one comparison."""
_WORD: Final = re.compile(r"[^\W_]+|[^\w\s]|_")
# Writing systems without spaces between words: a character is what comes nearest to a word.
_UNSPACED: Final = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff])")
_MULTIPLIERS: Final = np.array([0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9], dtype=np.uint64)


@dataclass(frozen=True)
class Duplicate:
    """A text that was there before."""

    of: str
    """the key of the first one"""
    similarity: float
    """the Jaccard index of the shingles; 1 for an exact one"""
    exact: bool


class Deduplicator:
    """Knows all texts that were kept so far.

    Args:
        threshold: the least Jaccard index of near duplicates, above 0 and at most 1; None finds exact ones only.

    Raises:
        ConfigError: if the threshold is none.
        MissingExtraError: if ``datasketch`` is not installed.
    """

    def __init__(self, threshold: float | None = 0.8) -> None:
        if threshold is not None and not 0 < threshold <= 1:
            raise ConfigError(f"the threshold of near duplicates must be above 0 and at most 1, not {threshold}")
        self._threshold = threshold
        self._keys: list[str] = []
        self._exact: dict[bytes, int] = {}
        self._shingles: list[NDArray[np.uint32]] = []
        if threshold is not None:
            try:
                from datasketch import MinHash, MinHashLSH
            except ImportError as error:
                raise MissingExtraError("finding near duplicates", "data") from error
            self._index = MinHashLSH(num_perm=_PERMUTATIONS, params=_bands(threshold))
            # Each signature begins as a copy of this one, which spares drawing the permutations for every text.
            self._blank = MinHash(num_perm=_PERMUTATIONS, seed=1, hashfunc=int)

    def __len__(self) -> int:
        return len(self._keys)

    def add(self, key: str, text: str) -> Duplicate | None:
        """Keep the text, or return which earlier one it is a duplicate of (the most similar one, the first of equals).

        Args:
            key: names the text in a later ``Duplicate``; need not be unique.
            text: an empty one (no word at all) is a duplicate of nothing.
        """
        words = words_of(text)
        digest = hashlib.blake2b(" ".join(words).encode("utf-8", "surrogatepass"), digest_size=16).digest()
        if words and digest in self._exact:
            return Duplicate(self._keys[self._exact[digest]], 1.0, exact=True)
        number = len(self._keys)
        if words and self._threshold is not None:
            shingles = _shingles(words)
            signature = self._blank.copy()
            signature.update_batch(shingles.tolist())
            near = self._nearest(self._index.query(signature), shingles, self._threshold)
            if near is not None:
                return near
            self._index.insert(number, signature, check_duplication=False)
            self._shingles.append(shingles)
        else:
            self._shingles.append(np.empty(0, np.uint32))
        self._exact[digest] = number
        self._keys.append(key)
        return None

    def _nearest(self, numbers: list[int], shingles: NDArray[np.uint32], least: float) -> Duplicate | None:
        best: tuple[float, int] | None = None
        for number in sorted(numbers):
            similarity = _jaccard(shingles, self._shingles[number])
            if similarity >= least and (best is None or similarity > best[0]):
                best = similarity, number
        return None if best is None else Duplicate(self._keys[best[1]], best[0], exact=False)


class DeduplicationStage:
    """Drops rows whose text was there before, in this file or an earlier one; each drop names the row that it repeats.

    Args:
        threshold: see ``Deduplicator``.
        compared: what of a row is compared: its query, or query and answer together, so that two different answers to
            one query are both kept.
    """

    name = "dedup"

    def __init__(self, threshold: float | None = 0.8, compared: Compared = "query") -> None:
        if compared not in {"query", "query and answer"}:
            raise ConfigError(f"what is compared must be 'query' or 'query and answer', not {compared!r}")
        Deduplicator(threshold)
        self._threshold, self._compared = threshold, compared

    @property
    def settings(self) -> Mapping[str, Any]:
        return {"threshold": self._threshold, "compared": self._compared, "shingle_words": SHINGLE_WORDS}

    def check(self, row: Row) -> None:
        """Refuse what is no query, problem, bug or dialog, by an ``InputError``."""
        must_have_texts(row)

    def build(self, table: Table) -> Iterator[Outcome]:
        """Yield the rows in their order."""
        known = Deduplicator(self._threshold)
        table.told.begin(len(table.rows), "rows compared")
        for row in table.rows:
            text = question_of(row)
            if self._compared == "query and answer" or not text.strip():
                text = f"{text}\n{answer_of(row)}"
            found = known.add(_name_of(row), text)
            table.told.advance()
            if found is None:
                yield Outcome((row,))
                continue
            kind = "exact" if found.exact else "near"
            detail = found.of if found.exact else f"{found.of}, Jaccard index {found.similarity:.3f}"
            source = row.get("source") or "no source named"
            yield Outcome(drops=(Drop(f"{kind} duplicate", detail, row),), notes={"duplicates": {source: {kind: 1}}})


def words_of(text: str) -> list[str]:
    """Return the words of a text, and its signs as words of their own, in one Unicode form and in lower case."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    return _WORD.findall(_UNSPACED.sub(r" \1 ", plain))


def _shingles(words: list[str]) -> NDArray[np.uint32]:
    """Return the hashes of all runs of three words, each once, in order; a shorter text is one run."""
    numbers = np.fromiter((_number(word) for word in words), np.uint64, len(words))
    if len(words) < SHINGLE_WORDS:
        numbers = np.concatenate([numbers, np.zeros(SHINGLE_WORDS - len(words), np.uint64)])
    count = len(numbers) - SHINGLE_WORDS + 1
    mixed: NDArray[np.uint64] = np.zeros(count, np.uint64)
    for place in range(SHINGLE_WORDS):
        mixed = (mixed ^ numbers[place : place + count]) * _MULTIPLIERS[place]
        mixed ^= mixed >> np.uint64(29)
    return np.unique((mixed >> np.uint64(32)).astype(np.uint32))


def _bands(threshold: float) -> tuple[int, int]:
    """Return how many bands of how many rows the signatures are cut into: the longest bands that are sure enough.

    A pair of the Jaccard index s becomes a candidate with the probability 1 - (1 - s^rows)^bands.
    """
    for rows in range(_PERMUTATIONS, 1, -1):
        bands = _PERMUTATIONS // rows
        if bands > 1 and 1 - (1 - threshold**rows) ** bands >= _CERTAIN:
            return bands, rows
    return _PERMUTATIONS, 1


@lru_cache(maxsize=1 << 16)
def _number(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) + 1


def _jaccard(one: NDArray[np.uint32], other: NDArray[np.uint32]) -> float:
    shared = len(np.intersect1d(one, other, assume_unique=True))
    return shared / (len(one) + len(other) - shared)


def _name_of(row: Mapping[str, Any]) -> str:
    source = row.get("source")
    return f"{row.get('id')} ({source})" if source else str(row.get("id"))

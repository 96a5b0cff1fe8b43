"""How much of a benchmark stands in a data set, as one figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from opencodeinterpreter.codefeedback.decontamination.references import Reference
from opencodeinterpreter.codefeedback.decontamination.texts import grams, words_of

RUN_WORDS: Final = 5


class LeakageIndex:
    """A figure like XCoder's Test Leakage Indicator (Wang et al. 2024, arXiv 2409.03810).

    Let G(x) be the set of runs of five words of x. For each problem p of a benchmark, the largest
    ``|G(p) ∩ G(r)| / |G(p)|`` over all rows r (query and answer together) is taken; the figure is the mean of these
    over the problems, times 100. So 0 says that no problem shares a run with any row, 100 that each stands whole in
    some row. A problem is what its prompt says in words, without signature and examples. Runs are not weighted: common
    phrases give any large data set a few points, which is why figures are compared between data sets, and before and
    after.
    """

    def __init__(self, references: Sequence[Reference]) -> None:
        self._references = references
        self._holders: dict[int, list[int]] = {}
        self._sizes: list[int] = []
        for number, reference in enumerate(references):
            runs = grams(words_of(reference.statement), RUN_WORDS)
            self._sizes.append(max(1, len(runs)))
            for run in runs:
                self._holders.setdefault(run, []).append(number)
        self._most = [0] * len(references)

    def add(self, *texts: str) -> None:
        """Take a row, given by its texts."""
        shared: dict[int, int] = {}
        runs = set().union(*(grams(words_of(text), RUN_WORDS) for text in texts))
        for run in runs & self._holders.keys():
            for number in self._holders[run]:
                shared[number] = shared.get(number, 0) + 1
        for number, count in shared.items():
            self._most[number] = max(self._most[number], count)

    def figures(self) -> Mapping[str, float]:
        """Return the figure of each benchmark, 0 to 100."""
        shares: dict[str, list[float]] = {}
        for reference, most, size in zip(self._references, self._most, self._sizes, strict=True):
            shares.setdefault(reference.benchmark, []).append(most / size)
        return {name: round(100 * sum(each) / len(each), 2) for name, each in shares.items()}

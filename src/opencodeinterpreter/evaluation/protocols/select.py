"""``select`` (L2+L3): many answers, of which execution chooses one; repaired where none passes what the prompt shows.

1. a greedy answer and ``samples - 1`` drawn ones;
2. those that pass most of the visible examples stay;
3. of these the largest group that agrees on the outputs for inputs that the model wrote itself and mutations of them
   by type: no expected output is ever asked for;
4. where not all visible examples pass, refinement as in ``visible``, accepted only if it passes more of them.

What each step would have handed over is kept in the record (``notes["steps"]``), beside two baselines: an answer
drawn at random, and the first that passes most among as many answers as all requests together would have paid for.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

from opencodeinterpreter.evaluation.problems import Problem
from opencodeinterpreter.evaluation.protocols.base import Outcome, Solving
from opencodeinterpreter.evaluation.protocols.inputs import Input, mutations
from opencodeinterpreter.evaluation.protocols.observing import Observation
from opencodeinterpreter.evaluation.protocols.refining import bare, refine
from opencodeinterpreter.evaluation.protocols.runtime import REFINING
from opencodeinterpreter.evaluation.protocols.selftest import own_inputs
from opencodeinterpreter.evaluation.protocols.visible import VisibleLook, visible_notes, visible_score
from opencodeinterpreter.evaluation.records import BASELINE, Attempt

GREEDY, RANDOM, FILTER, AGREEMENT, REPAIR = "greedy", "random pick", "visible filter", "agreement", "repair"
RESAMPLING = "equal-budget resampling"
_FIRST_SAMPLES = 3
"""With ``spend="needed"`` these decide whether more are drawn."""
_INPUTS = 30
"""Inputs for the agreement in all."""
_NUMBER = re.compile(r"-?\d+\.\d+(?:[eE][-+]?\d+)?")


class Select:
    """Needs several samples; the greedy one is always among them."""

    name = "select"
    leakage = "L2+L3"
    honest = True
    synthesizes = False
    settings = REFINING | {"samples", "sample_temperature", "spend", "inputs", "baseline"}

    def solve(self, problem: Problem, solving: Solving) -> Outcome:
        return _Selection(problem, solving).outcome()


class _Selection:
    def __init__(self, problem: Problem, solving: Solving) -> None:
        self._problem, self._solving = problem, solving
        self._visible = VisibleLook(problem, solving)
        self._seen: dict[str, list[Observation]] = {}
        self._outputs: dict[str, tuple[str, ...]] = {}
        self._inputs: list[Input] | None = None
        self.attempts: list[Attempt] = []
        self.scores: list[tuple[int, ...]] = []

    def outcome(self) -> Outcome:
        settings = self._solving.settings
        early = min(_FIRST_SAMPLES, settings.samples)
        self._draw(early if settings.spend == "needed" else settings.samples)
        if settings.spend == "needed" and not self._settled():
            self._draw(settings.samples)
        samples = range(len(self.attempts))
        survivors = self._best_of(samples)
        chosen = self._agreeing(survivors)
        repaired, standing = self._repaired(chosen)
        steps = {
            GREEDY: 0,
            RANDOM: int(hashlib.sha256(self._problem.id.encode()).hexdigest(), 16) % len(samples),
            FILTER: survivors[0],
            AGREEMENT: chosen,
            REPAIR: repaired,
        }
        if settings.baseline:
            steps[RESAMPLING] = self._resampled(samples)
        notes = {"steps": steps, "samples": len(samples), "survivors": survivors, "inputs": len(self._inputs or ())}
        return Outcome(tuple(self.attempts), repaired, standing, notes)

    def _draw(self, upto: int, kind: str = "sample") -> None:
        for number in range(len([each for each in self.attempts if each.kind in ("sample", BASELINE)]), upto):
            temperature = self._solving.settings.sample_temperature if number else 0.0
            attempt = self._solving.first(self._problem, kind=kind, draw=number, temperature=temperature)
            seen = self._on_examples(attempt)
            self.attempts.append(replace(attempt, notes={**attempt.notes, **visible_notes(seen)}))
            self.scores.append(visible_score(attempt, seen))

    def _on_examples(self, attempt: Attempt) -> list[Observation]:
        program = bare(attempt.code)
        if program not in self._seen:
            self._seen[program] = self._visible.observations(attempt)
        return self._seen[program]

    def _passes_all(self, index: int) -> bool:
        attempt = self.attempts[index]
        return attempt.has_entry_point and all(each.right for each in self._on_examples(attempt))

    def _settled(self) -> bool:
        """Hold if the first samples pass all that is visible and do the same: more would hardly tell more."""
        indices = range(len(self.attempts))
        return all(map(self._passes_all, indices)) and len({self._behaviour(index) for index in indices}) == 1

    def _best_of(self, indices: Sequence[int]) -> list[int]:
        best = max(self.scores[index] for index in indices)
        return [index for index in indices if self.scores[index] == best]

    def _agreeing(self, survivors: Sequence[int]) -> int:
        """Return the shortest of the largest group that does the same; of equal groups the greedy answer's wins."""
        if len({bare(self.attempts[index].code) for index in survivors}) == 1:
            return survivors[0]
        groups: defaultdict[tuple[str, ...], list[int]] = defaultdict(list)
        for index in survivors:
            groups[self._behaviour(index)].append(index)
        group = max(groups.values(), key=lambda group: (len(group), 0 in group, -self._length(group)))
        # The greedy answer where it is among them: it needs no luck to be had again.
        return group[0] if group[0] == 0 else min(group, key=lambda index: len(self.attempts[index].code))

    def _length(self, group: Sequence[int]) -> int:
        return min(len(self.attempts[index].code) for index in group)

    def _behaviour(self, index: int) -> tuple[str, ...]:
        attempt = self.attempts[index]
        program = bare(attempt.code)
        if not attempt.has_entry_point:
            return ("no code",)
        if program not in self._outputs:
            seen = self._solving.on_inputs(self._problem, attempt.code, self._all_inputs())
            self._outputs[program] = tuple(map(_behaviour_of, seen))
        return self._outputs[program]

    def _all_inputs(self) -> list[Input]:
        if self._inputs is None:
            written = own_inputs(self._problem, self._solving)
            known = {repr(each) for each in written}
            shown = [each.inputs for each in self._problem.examples if each.inputs is not None]
            seeds = [*written, *(each for each in shown if repr(each) not in known)]
            self._inputs = seeds + mutations(seeds, max(0, _INPUTS - len(seeds)), self._problem.id)
        return self._inputs

    def _repaired(self, chosen: int) -> tuple[int, tuple[int, ...]]:
        """Refine the chosen attempt where it fails a visible example; return the final index and the standing ones."""
        if self._passes_all(chosen):
            return chosen, (chosen,)
        outcome = refine(self._problem, self._solving, self.attempts[chosen], self._visible, kind="repair")
        start = len(self.attempts) - 1
        self.attempts += outcome.attempts[1:]

        def place(index: int) -> int:
            return start + index if index else chosen

        return place(outcome.final), tuple(map(place, outcome.standing))

    def _resampled(self, samples: Sequence[int]) -> int:
        """Draw as many answers more as everything else has cost, and return the first of those that pass most."""
        other = len(self._solving.asides) + len(self.attempts) - len(samples)
        before = len(self.attempts)
        # Scores run beside the attempts; those of repairs are of no concern here.
        self.scores += [(-1,)] * (before - len(self.scores))
        self._draw(len(samples) + other, kind=BASELINE)
        return self._best_of([*samples, *range(before, len(self.attempts))])[0]


def _behaviour_of(seen: Observation) -> str:
    """Return what a call did, with floats rounded, so that another order of addition is no other behaviour."""
    if seen.timed_out:
        return "timeout"
    if seen.failed:
        last = seen.error.strip().rpartition("\n")[2]
        return "raises " + last.partition(":")[0]
    return _NUMBER.sub(lambda match: f"{float(match.group()):.6g}", seen.actual)

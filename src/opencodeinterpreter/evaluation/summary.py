"""The figures of one run, computed from its records alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from operator import methodcaller
from statistics import fmean
from typing import Any, Literal

from opencodeinterpreter.evaluation.records import BASELINE, LEAK_MARK, Attempt, ProblemRecord, RunConfig
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.evaluation.statistics import PairedResult, Rate, paired, pass_at_k, rate
from opencodeinterpreter.evaluation.verdicts import Verdict

Suite = Literal["base", "plus"]
Scores = dict[str, list[bool]]
"""by problem, the verdicts of its samples; those of the harness and of nothing graded are left out"""

BEST_SAMPLE = "best of the samples, chosen by the hidden tests"


@dataclass(frozen=True)
class Changes:
    """What became of the answers of the round before, counted over records."""

    fixed: int
    drawn: int
    """of them, by an answer that was drawn, and not the likeliest"""
    broken: int
    unchanged: int


@dataclass(frozen=True)
class RoundSummary:
    """The state of the run had it ended after this round."""

    number: int
    attempts: int
    """replies that the protocol made in this round"""
    same_code: int
    """of them, those that give the code of the standing answer again"""
    rates: Mapping[Suite, Rate]
    changes: Mapping[Suite, Changes]
    """against the round before; empty for round 0"""


@dataclass(frozen=True)
class Step:
    """What a step of a protocol that chooses among candidates would score, were it the last."""

    name: str
    rates: Mapping[Suite, Rate]


@dataclass(frozen=True)
class Spent:
    """Sums over replies. A count that one of them lacks is None: a part is no sum."""

    prompt_tokens: int | None
    completion_tokens: int | None
    seconds: float
    """of generation, also of replies that came from the cache"""


@dataclass(frozen=True)
class Cost(Spent):
    """What a protocol has cost: all attempts and the dialogs beside them, without those of a baseline."""

    solved: int
    """records that pass the strictest suite"""

    @property
    def tokens_per_solved(self) -> float | None:
        """Of completion."""
        return self.completion_tokens / self.solved if self.solved and self.completion_tokens is not None else None

    @property
    def seconds_per_solved(self) -> float | None:
        return self.seconds / self.solved if self.solved else None


@dataclass(frozen=True)
class Summary:
    """The figures of one run. Suites that the benchmark does not have are absent from the mappings."""

    config: RunConfig
    problems: int
    """distinct problems recorded"""
    records: int
    rates: Mapping[Suite, Rate]
    verdicts: Mapping[Suite, Mapping[Verdict, int]]
    """of the answers handed over"""
    ungraded: int
    """answers without any grade; like those of the harness they are in no rate"""
    leaked: int
    """answers of an honest run before which something hidden was in a message, as their records are marked"""
    replies: int
    no_code: int
    """replies of which no code could be extracted"""
    no_entry_point: int
    """replies with code that does not define what was asked for"""
    rounds: tuple[RoundSummary, ...]
    refinement: Mapping[Suite, PairedResult]
    """from the answer of round 0 to the one handed over; empty where there was one round only"""
    steps: tuple[Step, ...]
    pass_at: Mapping[Suite, Mapping[int, float]]
    """unbiased pass@k by k; empty with one sample a problem"""
    cost: Cost
    baseline: Spent | None
    """what was spent on answers that are only a yardstick (resampling at equal budget); None where there are none"""
    faults: tuple[str, ...] = field(default=())

    @property
    def missing(self) -> int:
        """Problems of the data set that have no record."""
        return max(0, self.config.problem_count - self.problems)

    @property
    def harness_errors(self) -> int:
        """Answers that could not be graded on some suite."""
        return max((counts.get(Verdict.HARNESS, 0) for counts in self.verdicts.values()), default=0)


def suites(config: RunConfig) -> tuple[Suite, ...]:
    """Return the suites of tests that a run's benchmark has."""
    return ("base", "plus") if config.benchmark.endswith("+") else ("base",)


def passed(attempt: Attempt, suite: Suite) -> bool | None:
    """Return whether it passes; None if that is not known, for a harness error is no failure of the model."""
    verdict = verdict_of(attempt, suite)
    return None if verdict in (None, Verdict.HARNESS) else verdict is Verdict.PASS


def verdict_of(attempt: Attempt, suite: Suite) -> Verdict | None:
    if attempt.grade is None:
        return None
    return attempt.grade.base.verdict if suite == "base" else attempt.grade.plus.verdict


def scores(run: Run, suite: Suite, pick: Callable[[ProblemRecord], Attempt] | None = None) -> Scores:
    """Return the verdicts by problem of the answers handed over, or of the attempts that ``pick`` gives."""
    found: Scores = {}
    for record in run.records:
        verdict = passed(pick(record) if pick else record.answer, suite)
        if verdict is not None:
            found.setdefault(record.problem, []).append(verdict)
    return found


def summarize(run: Run) -> Summary:
    """Compute all the figures of a run."""
    having = suites(run.config)
    answers = [record.answer for record in run.records]
    attempts = [attempt for record in run.records for attempt in record.attempts]
    finals = {suite: scores(run, suite) for suite in having}
    rounds = tuple(_rounds(run, having))
    return Summary(
        config=run.config,
        problems=len({record.problem for record in run.records}),
        records=len(run.records),
        rates={suite: rate(finals[suite]) for suite in having},
        verdicts={suite: dict(Counter(v for a in answers if (v := verdict_of(a, suite)))) for suite in having},
        ungraded=sum(answer.grade is None for answer in answers),
        leaked=sum(bool(record.notes.get(LEAK_MARK)) for record in run.records),
        replies=len(attempts),
        no_code=sum(not attempt.code.strip() for attempt in attempts),
        no_entry_point=sum(bool(attempt.code.strip()) and not attempt.has_entry_point for attempt in attempts),
        rounds=rounds,
        refinement=_refinement(run, having) if len(rounds) > 1 else {},
        steps=tuple(_steps(run, having)),
        pass_at={suite: found for suite in having if (found := _pass_at(finals[suite]))},
        cost=_cost(run, having[-1]),
        baseline=_baseline(attempts),
        faults=run.faults,
    )


def _rounds(run: Run, having: tuple[Suite, ...]) -> Iterator[RoundSummary]:
    own = [(record, a) for record in run.records for a in record.attempts if a.kind != BASELINE]
    for number in range(1 + max((record.last_round for record in run.records), default=0)):
        made = [(record, a) for record, a in own if a.round == number]
        yield RoundSummary(
            number=number,
            attempts=len(made),
            same_code=sum(repeats(record, attempt) for record, attempt in made),
            rates={suite: rate(scores(run, suite, methodcaller("after_round", number))) for suite in having},
            changes={suite: _changes(run, suite, number) for suite in having} if number else {},
        )


def repeats(record: ProblemRecord, attempt: Attempt) -> bool:
    """Return whether an attempt gives the code again that stood before its round."""
    if attempt.round == 0 or not attempt.code.strip():
        return False
    return attempt.code.strip() == record.after_round(attempt.round - 1).code.strip()


def _changes(run: Run, suite: Suite, number: int) -> Changes:
    fixed = drawn = broken = unchanged = 0
    for record in run.records:
        before, after = (passed(record.after_round(n), suite) for n in (number - 1, number))
        if before is None or after is None:
            continue
        fixed += after and not before
        drawn += after and not before and _was_drawn(run.config, record.after_round(number))
        broken += before and not after
        unchanged += before is after
    return Changes(fixed, drawn, broken, unchanged)


def _was_drawn(config: RunConfig, attempt: Attempt) -> bool:
    return bool(attempt.notes.get("temperature", config.temperature))


def _refinement(run: Run, having: tuple[Suite, ...]) -> dict[Suite, PairedResult]:
    return {suite: paired(scores(run, suite, methodcaller("after_round", 0)), scores(run, suite)) for suite in having}


def _steps(run: Run, having: tuple[Suite, ...]) -> Iterator[Step]:
    """Yield the protocol's own steps, and what a perfect choice would make of the same samples."""
    chosen = {
        id(record): record.notes["steps"] for record in run.records if isinstance(record.notes.get("steps"), dict)
    }
    if not chosen:
        return
    for name in dict.fromkeys(name for steps in chosen.values() for name in steps):

        def pick(record: ProblemRecord, name: str = name) -> Attempt:
            index = chosen.get(id(record), {}).get(name)
            return record.attempts[index] if isinstance(index, int) and index < len(record.attempts) else record.answer

        yield Step(name, {suite: rate(scores(run, suite, pick)) for suite in having})
    samples = [(record.problem, [a for a in record.attempts if a.kind == "sample"]) for record in run.records]
    if all(a.grade for _, drawn in samples for a in drawn):
        best = {s: {problem: [any(passed(a, s) for a in drawn)] for problem, drawn in samples if drawn} for s in having}
        yield Step(BEST_SAMPLE, {suite: rate(best[suite]) for suite in having})


def _pass_at(found: Scores) -> dict[int, float]:
    least = min((len(samples) for samples in found.values()), default=0)
    if least < 2:
        return {}
    wanted = sorted({k for k in (1, 2, 5, 10, 20, 50, 100) if k < least} | {least})
    return {k: fmean(pass_at_k(len(samples), sum(samples), k) for samples in found.values()) for k in wanted}


def _cost(run: Run, strictest: Suite) -> Cost:
    own = [attempt for record in run.records for attempt in record.attempts if attempt.kind != BASELINE]
    beside = [aside for record in run.records for aside in _asides(record)]
    spent = _spent([*map(_of_attempt, own), *map(_of_aside, beside)])
    solved = sum(passed(record.answer, strictest) is True for record in run.records)
    return Cost(spent.prompt_tokens, spent.completion_tokens, spent.seconds, solved)


def _baseline(attempts: list[Attempt]) -> Spent | None:
    drawn = [_of_attempt(attempt) for attempt in attempts if attempt.kind == BASELINE]
    return _spent(drawn) if drawn else None


def _spent(replies: list[Spent]) -> Spent:
    return Spent(
        prompt_tokens=_sum([reply.prompt_tokens for reply in replies]),
        completion_tokens=_sum([reply.completion_tokens for reply in replies]),
        seconds=sum(reply.seconds for reply in replies),
    )


def _of_attempt(attempt: Attempt) -> Spent:
    return Spent(attempt.tokens.prompt, attempt.tokens.completion, attempt.seconds)


def _of_aside(aside: dict[str, Any]) -> Spent:
    tokens = aside.get("tokens", {})
    return Spent(tokens.get("prompt"), tokens.get("completion"), aside.get("seconds", 0.0))


def _asides(record: ProblemRecord) -> list[dict[str, Any]]:
    """Return the dialogs on the side, such as a synthesizer's: they cost as much as attempts do."""
    asides = record.notes.get("asides", [])
    return [aside for aside in asides if isinstance(aside, dict)] if isinstance(asides, list) else []


def _sum(counts: list[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None

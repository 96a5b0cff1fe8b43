"""Intervals and tests against published values, scipy and brute force."""

from __future__ import annotations

import itertools
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest

from opencodeinterpreter.evaluation.statistics import (
    bootstrap,
    mcnemar,
    paired,
    pass_at_k,
    rate,
    sign_flip,
    wilson,
)


@pytest.mark.parametrize(
    ("passed", "total", "low", "high"),
    # Newcombe 1998, table I, method 3
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_has_the_published_values(passed: int, total: int, low: float, high: float) -> None:
    interval = wilson(passed, total)
    assert (round(interval.low, 4), round(interval.high, 4)) == (low, high)


@given(st.integers(1, 600).flatmap(lambda total: st.tuples(st.integers(0, total), st.just(total))))
def test_wilson_agrees_with_scipy_and_holds_the_share(counts: tuple[int, int]) -> None:
    passed, total = counts
    theirs = binomtest(passed, total).proportion_ci(method="wilson")
    ours = wilson(passed, total)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high))
    assert 0 <= ours.low <= passed / total <= ours.high <= 1


def test_nothing_recorded_says_nothing() -> None:
    assert wilson(0, 0).high - wilson(0, 0).low == 1
    assert rate({}).total == 0
    assert paired({}, {}).winner is None


@given(st.integers(0, 60), st.integers(0, 60))
def test_mcnemar_agrees_with_the_binomial_test(fixed: int, broken: int) -> None:
    theirs = binomtest(fixed, fixed + broken).pvalue if fixed + broken else 1.0
    assert mcnemar(fixed, broken) == pytest.approx(theirs)


@pytest.mark.parametrize(("broken", "fixed"), [(0, 6), (1, 8), (2, 10), (3, 12), (5, 15), (8, 20)])
def test_the_least_gain_that_is_significant(broken: int, fixed: int) -> None:
    assert mcnemar(fixed, broken) < 0.05 <= mcnemar(fixed - 1, broken)


def test_mcnemar_does_not_overflow() -> None:
    assert mcnemar(3000, 2000) < 1e-40
    assert mcnemar(5000, 5000) == 1.0


@settings(max_examples=30)
@given(st.lists(st.sampled_from([-0.75, -0.5, 0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=9))
def test_the_sign_flip_test_agrees_with_all_flips(differences: list[float]) -> None:
    sums = [
        abs(sum(sign * value for sign, value in zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    exact = fmean(value >= abs(sum(differences)) - 1e-9 for value in sums)
    assert sign_flip(differences) == pytest.approx(exact, abs=0.03)


@given(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), min_size=1, max_size=50))
def test_the_bootstrap_is_seeded_and_holds_the_mean(values: list[float]) -> None:
    interval = bootstrap(values)
    assert interval == bootstrap(values)
    assert interval.low - 1e-9 <= fmean(values) <= interval.high + 1e-9


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_equal_values_are_no_certainty(value: float) -> None:
    few, many = bootstrap([value] * 10), bootstrap([value] * 500)
    assert few.high - few.low > many.high - many.low > 0
    shown = rate({str(number): [True, True] for number in range(10)}).interval
    assert (shown.low, shown.high) == pytest.approx((wilson(10, 10).low, 1.0))
    same = {str(number): [number < 5] for number in range(10)}
    assert paired(same, same).interval.low < 0 < paired(same, same).interval.high


def test_the_bootstrap_is_near_wilson_on_plain_shares() -> None:
    ours, theirs = bootstrap([1.0] * 109 + [0.0] * 55), wilson(109, 164)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=0.02)


def test_samples_of_one_problem_are_one_unit() -> None:
    """Twenty equal samples a problem add no evidence, as they would if each counted for itself."""
    single = {str(number): [number % 3 > 0] for number in range(60)}
    twenty = {problem: verdicts * 20 for problem, verdicts in single.items()}
    alone, together = rate(single), rate(twenty)
    assert (together.value, together.total) == (alone.value, 60)
    width = together.interval.high - together.interval.low
    assert width == pytest.approx(alone.interval.high - alone.interval.low, abs=0.03)


def test_paired_names_what_changed_and_a_winner_only_with_evidence() -> None:
    first = {str(number): [number < 50] for number in range(100)}
    better = {str(number): [number < 60] for number in range(100)}
    result = paired(first, better)
    assert (result.first, result.second, result.fixed, result.broken) == (
        0.5,
        0.6,
        tuple(str(number) for number in range(50, 60)),
        (),
    )
    assert result.unchanged == 90
    assert result.p == mcnemar(10, 0)
    assert result.winner == 1
    assert paired(better, first).winner == 0
    assert 0 < result.interval.low < 0.1 < result.interval.high

    five_more = {str(number): [number < 55] for number in range(100)}
    assert paired(first, five_more).winner is None  # a net of five is never significant


def test_paired_leaves_out_what_only_one_has() -> None:
    result = paired({"a": [True], "b": [True], "c": []}, {"a": [False], "c": [True], "d": [True]})
    assert (result.total, result.broken, result.fixed) == (1, ("a",), ())


@given(st.integers(1, 9).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n), st.integers(1, n))))
def test_pass_at_k_is_the_share_of_draws_with_a_pass(case: tuple[int, int, int]) -> None:
    samples, passed, k = case
    draws = itertools.combinations([True] * passed + [False] * (samples - passed), k)
    assert pass_at_k(samples, passed, k) == pytest.approx(fmean(any(draw) for draw in draws))


@pytest.mark.parametrize(("samples", "passed", "k"), [(5, 6, 1), (5, -1, 1), (5, 2, 6), (5, 2, 0)])
def test_pass_at_k_refuses_what_cannot_be(samples: int, passed: int, k: int) -> None:
    with pytest.raises(ValueError, match="cannot be estimated"):
        pass_at_k(samples, passed, k)

"""Arithmetic beyond mental reach."""

from __future__ import annotations

import math
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.values import Digits, Number


def digit_sum(_: Path) -> tuple[Need, ...]:
    # Python refuses to write out more than 4,300 digits unless told otherwise: divided in two it does.
    high, low = divmod(math.factorial(2000), 10**3000)
    return (Number(sum(int(digit) for part in (high, low) for digit in str(part))),)


def primes_sum(_: Path) -> tuple[Need, ...]:
    sieve: Any = np.ones(5_000_000, dtype=bool)
    sieve[:2] = False
    for number in range(2, 2237):
        if sieve[number]:
            sieve[number * number :: number] = False
    return (Number(int(np.flatnonzero(sieve).sum())),)


def loan(_: Path) -> tuple[Need, ...]:
    rate, months, amount = 0.0385 / 12, 300, 265_000.0
    payment = amount * rate / (1 - (1 + rate) ** -months)
    left = amount
    for _month in range(120):
        left = left * (1 + rate) - payment
    # Rounding the payment to cents moves both sums by up to 1.50.
    return (
        Number(payment * months - amount, 2, within=2.0, name="interest"),
        Number(left, 2, within=2.0, name="rest"),
    )


def root_digits(_: Path) -> tuple[Need, ...]:
    with localcontext() as context:
        context.prec = 80
        digits = str(Decimal(19).sqrt())
    return (Digits(digits[: digits.index(".") + 59]),)


TASKS = (
    single(
        "digit-sum", "arithmetic", "What is the sum of the decimal digits of 2000! (2000 factorial)?", (), digit_sum
    ),
    single(
        "primes-sum", "arithmetic", "Add up all the prime numbers below five million. What is the sum?", (), primes_sum
    ),
    single(
        "loan",
        "arithmetic",
        "I borrow 265,000 euros at 3.85 % a year (the nominal rate, a twelfth of it is charged every month) and pay "
        "it back in equal monthly instalments over 25 years. How much interest do I pay in total, and how much do I "
        "still owe after the first ten years? Two decimals, please.",
        (),
        loan,
    ),
    single("root-digits", "arithmetic", "Give me the square root of 19 with 60 decimals.", (), root_digits),
)

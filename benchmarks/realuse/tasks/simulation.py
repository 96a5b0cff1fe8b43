"""Chance, with a seed; what is right is known exactly."""

from __future__ import annotations

from collections import Counter
from decimal import Decimal, localcontext
from fractions import Fraction
from itertools import product
from math import comb
from pathlib import Path

from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.values import Number


def five_dice(_: Path) -> tuple[Need, ...]:
    throws = list(product(range(6), repeat=5))
    hits = sum(max(Counter(throw).values()) >= 3 for throw in throws)
    # Three standard deviations of 200,000 throws, in percent.
    return (Number(Fraction(100 * hits, len(throws)), 2, percent=True, within=0.28),)


def album(_: Path) -> tuple[Need, ...]:
    with localcontext() as context:
        context.prec = 260  # the terms, of alternating sign, reach 10 ** 191
        # Inclusion and exclusion over the stickers that are still missing.
        packs = sum(
            (-1) ** (missing + 1) * comb(640, missing) / (1 - Decimal(comb(640 - missing, 5)) / comb(640, 5))
            for missing in range(1, 641)
        )
    # The standard deviation of one album is 164 packs; of the mean of 500 it is 7.3.
    return (Number(float(packs), 0, within=33.0),)


TASKS = (
    single(
        "five-dice",
        "simulation",
        "Simulate 200,000 throws of five dice, with a fixed seed. In what percentage of the throws do at least three "
        "dice show the same number? Two decimals.",
        (),
        five_dice,
    ),
    single(
        "album",
        "simulation",
        "A sticker album has 640 different stickers; a pack holds 5 that are different from each other, at random. "
        "Simulate 500 collectors, with a fixed seed: how many packs does one need on average until the album is full, "
        "without trading?",
        (),
        album,
    ),
)

"""Needs that the answer's words or the output must meet: numbers, words, days."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from benchmarks.realuse.outcome import Outcome, sources

_TOKEN = re.compile(
    r"(?<![A-Za-z0-9_])"  # not inside a name such as float64
    r"(?P<sign>(?<![\w)\]])[-\u2212](?=[$€¥£]?\d))?[$€¥£]?"
    r"(?P<body>\d(?:[\d_]|[.,'’](?=\d)|[ \u00a0\u202f](?=\d{3}(?![\d])))*)"
    r"(?P<exponent>[eE][+-]?\d+)?"
)
_GROUPED = re.compile(r"\d{1,3}(?:[,'’_ ]\d{3})+(?:\.\d+)?")
_GROUPED_BY_DOT = re.compile(r"\d{1,3}(?:[.'’ ]\d{3})+(?:,\d+)?")
_DECIMAL_COMMA = re.compile(r"\d+,\d+")
_PLAIN = re.compile(r"\d+(?:_\d+)*(?:\.\d+)?")


def numbers(text: str, german: bool = False) -> Iterator[Decimal]:
    """Yield every number in ``text``, in each way that it can be read.

    Args:
        text: words, output, tables.
        german: also read ``1.234`` as 1234 and ``1,234`` as 1.234; without it only forms that cannot be
            anything else, such as ``1.234,56``, are read that way.
    """
    # The output of LaTeX: 1{,}234 and 1\,234.
    plain = unicodedata.normalize("NFKC", text.replace("{,}", ",").replace("\\,", ""))
    for match in _TOKEN.finditer(plain):
        for reading in _readings(match["body"], german):
            number = Decimal(reading + (match["exponent"] or ""))
            yield -number if match["sign"] else number


def _readings(body: str, german: bool) -> Iterator[str]:
    body = body.replace("\u00a0", " ").replace("\u202f", " ")
    ambiguous = re.fullmatch(r"\d{1,3}[.,]\d{3}", body) is not None
    if _GROUPED.fullmatch(body):
        yield re.sub(r"[,'’_ ]", "", body)
    if _PLAIN.fullmatch(body):
        yield body.replace("_", "")
    if _GROUPED_BY_DOT.fullmatch(body) and (german or not ambiguous):
        yield re.sub(r"[.'’ ]", "", body).replace(",", ".")
    if _DECIMAL_COMMA.fullmatch(body) and (german or not ambiguous):
        yield body.replace(",", ".")
    for separator in (" ", ","):
        if separator in body and not (separator == "," and _GROUPED.fullmatch(body)):
            for part in body.split(separator):
                yield from _readings(part, german)
            return


@dataclass(frozen=True)
class Number:
    """A number, right to so many decimals."""

    value: float | int | Fraction
    decimals: int = 0
    percent: bool = False
    """``value`` is in percent; the same share of one is as good."""
    german: bool = False
    within: float | None = None
    """An absolute tolerance instead of rounding, for statistical answers and rounding in between."""
    name: str = "the number"

    def missing(self, outcome: Outcome) -> str | None:
        wanted = Fraction(self.value)
        # 0.6 of the last decimal: the value rounded by any rule, and no other one.
        reach = Fraction(self.within) if self.within is not None else Fraction(6, 10 ** (self.decimals + 1))
        if isinstance(self.value, int) and self.within is None:
            reach = Fraction(0)
        for text in sources(outcome):
            for number in numbers(text, self.german):
                found = Fraction(number)
                if abs(found - wanted) <= reach:
                    return None
                if self.percent and abs(found * 100 - wanted) <= reach:
                    return None
        return f"{self.name}: {self.phrase()} not found"

    def phrase(self) -> str:
        if isinstance(self.value, int):
            return str(self.value)
        return f"{float(self.value):.{self.decimals}f}"


@dataclass(frozen=True)
class Digits:
    """A number with so many digits that it must be compared as text."""

    digits: str
    """With a decimal point, without rounding of the last digit."""

    def missing(self, outcome: Outcome) -> str | None:
        if any(self.digits in re.sub(r"[\s,_]", "", text) for text in sources(outcome)):
            return None
        return f"{self.digits} not found"

    def phrase(self) -> str:
        return self.digits


@dataclass(frozen=True)
class Word:
    """A word or name, upper and lower case alike."""

    word: str

    def missing(self, outcome: Outcome) -> str | None:
        pattern = re.compile(rf"(?<![^\W_]){re.escape(self.word)}(?![^\W_])", re.IGNORECASE)
        if any(pattern.search(text) for text in sources(outcome)):
            return None
        return f"{self.word!r} not found"

    def phrase(self) -> str:
        return self.word


_MONTHS = tuple(
    names.split()
    for names in (
        "january february march april may june july august september october november december",
        "januar februar märz april mai juni juli august september oktober november dezember",
    )
)


@dataclass(frozen=True)
class Day:
    """A calendar day in any usual form."""

    day: date

    def missing(self, outcome: Outcome) -> str | None:
        forms = "|".join(self._forms())
        pattern = re.compile(rf"(?<![\d])(?:{forms})(?![\d])", re.IGNORECASE)
        if any(pattern.search(text) for text in sources(outcome)):
            return None
        return f"{self.phrase()} not found"

    def phrase(self) -> str:
        return self.day.isoformat()

    def _forms(self) -> Iterator[str]:
        year, month, day = self.day.year, self.day.month, self.day.day
        yield rf"{year}[-/.]0?{month}[-/.]0?{day}"
        yield rf"0?{day}[./-]\s?0?{month}[./-]\s?{year}"
        yield rf"0?{month}/0?{day}/{year}"
        yield rf"{year}\s?年\s?0?{month}\s?月\s?0?{day}\s?日"
        for names in _MONTHS:
            name = names[month - 1]
            either = f"(?:{name}|{name[:3]}\\.?)"
            yield rf"{either}\s+0?{day}(?:st|nd|rd|th)?,?\s+{year}"
            yield rf"0?{day}(?:st|nd|rd|th)?\.?\s+(?:of\s+)?{either},?\s+{year}"

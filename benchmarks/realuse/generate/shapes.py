"""How content becomes the bytes of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from random import Random

Maker = Callable[[], bytes]


def listed(text: str, separator: str = " ") -> list[str]:
    return text.split(separator)


NAMES = listed(
    "Alma Becker,Ben Ortiz,Chiara Conti,David Okafor,Elif Kaya,Farid Haddad,Grace Miller,Hugo Lindqvist,"
    "Ines Duarte,Jonas Weber,Kiran Patel,Lena Novak,Marco Rossi,Nora Jensen,Omar Saleh,Petra Horvat,"
    "Quentin Dubois,Rosa Iglesias,Samir Nasser,Tessa de Vries,Umar Farouk,Vera Petrova,Wen Zhang,Yara Costa,"
    "Zofia Nowak,Anton Berg,Bianca Moreau,Carl Nyman,Dora Szabo,Emil Larsen,Fiona Walsh,Goran Petrov,"
    "Hana Suzuki,Ivo Marin,Julia Kraus,Kofi Mensah,Lucia Ferrari,Milan Kovac,Nadia Rahman,Oscar Lund",
    ",",
)
"""Forty people."""


def rng(name: str) -> Random:
    """Return a source of chance of the file's own, so that a change to one file leaves the others alone."""
    return Random(f"realuse 1 {name}")


def delimited(
    header: Sequence[str],
    rows: Iterable[Sequence[object]],
    separator: str = ",",
    encoding: str = "utf-8",
    before: str = "",
) -> bytes:
    """Return a delimited file, with the lines of ``before`` above its header."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    return (before + text.getvalue()).encode(encoding)


def dollars(cents: int) -> str:
    return f"${cents // 100:,}.{cents % 100:02}"


def euros(cents: int) -> str:
    """Return an amount as it is written in German: 1.234,56."""
    return f"{cents // 100:,}".replace(",", ".") + f",{cents % 100:02}"

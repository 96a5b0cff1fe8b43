"""Logs and prose."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from benchmarks.realuse.files import Lines
from benchmarks.realuse.outcome import Need
from benchmarks.realuse.task import single
from benchmarks.realuse.values import Number, Word


def access_log(folder: Path) -> tuple[Need, ...]:
    total = 0
    for line in (folder / "access.log").read_text().splitlines():
        match = re.search(r'" 200 (\d+)$', line)
        total += int(match[1]) if match else 0
    return (Number(total),)


def story(folder: Path) -> tuple[Need, ...]:
    counts = Counter(re.findall(r"[a-z]+", (folder / "story.txt").read_text().lower()))
    long = Counter({word: count for word, count in counts.items() if len(word) >= 8})
    (longest, often), (_, second) = long.most_common(2)
    assert often > second
    return (Number(sum(counts.values()), name="words"), Number(often, name="count"), Word(longest))


def order_codes(folder: Path) -> tuple[Need, ...]:
    found = re.findall(r"(?<![A-Za-z0-9-])[A-Z]{2}-\d{4}-[A-Z](?![A-Za-z0-9-])", (folder / "mails.txt").read_text())
    codes = sorted(set(found))
    (folder / "codes.txt").write_text("\n".join(codes) + "\n")
    return (Lines("codes.txt", codes),)


TASKS = (
    single(
        "access-log",
        "text",
        "access.log is the log of a web server; the last two fields of a line are the status and the number of bytes "
        "sent (a dash means none). How many bytes were sent in total in answers with status 200? Skip lines that "
        "are cut off.",
        ("access.log",),
        access_log,
    ),
    single(
        "story",
        "text",
        "How many words does story.txt have in total, and which word of at least eight letters occurs most often, and "
        "how many times? Upper and lower case are the same; punctuation is not part of a word.",
        ("story.txt",),
        story,
    ),
    single(
        "order-codes",
        "text",
        "Collect the order codes from mails.txt. A code is two capital letters, a hyphen, four digits, a hyphen and "
        "one capital letter, such as AB-1234-C, and stands alone: not as part of something longer. Write each code "
        "once into codes.txt, sorted, one a line.",
        ("mails.txt",),
        order_codes,
    ),
)

"""Logs, prose and programs."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from benchmarks.realuse.generate.shapes import NAMES, Maker, listed, rng


def access_log() -> bytes:
    """A dash for the size of an answer without a body, and a few cut lines, from line 40 on."""
    chance = rng("access.log")
    pages = ["/", "/prices", "/img/logo.svg", "/blog/welcome", "/contact", "/feed.xml"]
    moment = datetime(2024, 5, 14, 6, 0, 3)
    lines = []
    for row in range(320):
        moment += timedelta(seconds=chance.randrange(1, 90))
        address = f"10.{chance.randrange(4)}.{chance.randrange(9)}.{chance.randrange(1, 20)}"
        status = chance.choices([200, 304, 404, 500], [78, 8, 10, 4])[0]
        head = row > 40 and chance.random() < 0.12
        size = "-" if head or (status == 304 and row > 40) else str(chance.randrange(310, 48000))
        request = f"{'HEAD' if head else 'GET'} {chance.choice(pages)} HTTP/1.1"
        line = f'{address} - - [{moment:%d/%b/%Y:%H:%M:%S} +0000] "{request}" {status} {size}'
        lines.append(line[: chance.randrange(20, 44)] if row in (117, 203, 266) else line)
    return ("\n".join(lines) + "\n").encode()


_SUBJECTS = listed(
    "the harbour master|an old fisherman|the lighthouse keeper|a quiet stranger|the ferry captain|"
    "the baker from the corner|my neighbour|the postman|a young painter|the night watch",
    "|",
)
_VERBS = listed(
    "walked slowly past|looked for|had never seen|painted|talked about|waited beside|remembered|"
    "counted the boats behind|lost a glove near|told a story about",
    "|",
)
_OBJECTS = listed(
    "the harbour|the old lighthouse|a yellow boat|the market square|the broken bridge|an empty house|"
    "the winter storm|the silver lantern|a forgotten garden|the narrow street|the western pier|a wooden bench",
    "|",
)
_ENDS = listed(
    "before the rain came|while the gulls were crying|at the end of the summer|without a single word|"
    "as the clock struck seven|though nobody asked|and went home|every Thursday evening|"
    "until the lantern went out|under a pale moon",
    "|",
)


def story() -> bytes:
    """Paragraphs of plain words: no apostrophes, no hyphens, no digits."""
    chance = rng("story.txt")
    paragraphs = []
    for _ in range(16):
        sentences = []
        for _ in range(chance.randrange(4, 8)):
            parts = [chance.choice(part) for part in (_SUBJECTS, _VERBS, _OBJECTS, _ENDS)]
            mark = chance.choice([".", ".", ".", "!", "?"])
            sentences.append(" ".join(parts).capitalize().replace("thursday", "Thursday") + mark)
        paragraphs.append(" ".join(sentences))
    return ("\n\n".join(paragraphs) + "\n").encode()


def mails() -> bytes:
    """Order codes such as KD-4821-X among things that look much like them."""
    chance = rng("mails.txt")
    letters = "ABCDEFGHKLMNPRSTX"

    def code() -> str:
        first = chance.choice(letters) + chance.choice(letters)
        return f"{first}-{chance.randrange(1000, 10000)}-{chance.choice(letters)}"

    codes = [code() for _ in range(34)]
    frames = [
        "Hello, where is my order {}? Regards, {}",
        "Dear team, {} arrived broken. I want my money back. {}",
        "Please change the address of {}. Thank you! {}",
        "Two parcels came today ({}), one too many. {}",
    ]
    near = ["kd-1234-x", "KD-12345-X", "K-1234-X", "KDX-1234-X", "KD-123-X", "KD 1234 X", "KD-1234-XY"]
    lines = []
    for row in range(60):
        given = chance.choice(codes)
        if row > 8 and chance.random() < 0.25:
            given = chance.choice(near).replace("1234", str(chance.randrange(1000, 10000)))
        lines.append(chance.choice(frames).format(given, chance.choice(NAMES)))
    return ("\n".join(lines) + "\n").encode()


_CHINESE = listed(
    "清晨的街道很安静|老人的茶馆已经开门|河边的柳树在风里轻轻摇动|孩子们背着书包去上学|"
    "远处的山笼罩在雾里|卖豆腐的人推着小车走过来|窗台上的猫还在睡觉|我们的故事从这里开始|"
    "秋天的阳光照在屋顶上|邮递员送来一封很久以前的信|茶馆里的人谈论着昨天的雨|桥下的水慢慢地流向南方",
    "|",
)


def prose() -> bytes:
    """Chinese prose in the encoding that Windows programs write there."""
    chance = rng("散文.txt")
    paragraphs = []
    for _ in range(12):
        sentences = [chance.choice(_CHINESE) for _ in range(chance.randrange(5, 10))]
        marks = [chance.choice(",,。!") for _ in sentences[1:]] + ["。"]
        paragraphs.append("".join(sentence + mark for sentence, mark in zip(sentences, marks, strict=True)))
    return ("\n".join(paragraphs) + "\n").encode("gb18030")


BROKEN_REPORT = '''\
import csv


def stock_value(path):
    """Return the value of the stock in each category."""
    values = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            values[row["category"]] += row["quantity"] * row["unit_price"]
    return values


def main():
    values = stock_value("inventory.csv")
    for category in sorted(values):
        print(category, round(values[category], 2))
    print("total", round(sum(values), 2))


main()
'''


def broken_report() -> bytes:
    return BROKEN_REPORT.encode()


DOCUMENTS: Mapping[str, Maker] = {
    "access.log": access_log,
    "story.txt": story,
    "mails.txt": mails,
    "散文.txt": prose,
    "report.py": broken_report,
}

"""The Markdown pages of the repository, cut into what can be checked."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted(
    path for pattern in ("*.md", "docs/**/*.md", "examples/*.md", "benchmarks/**/*.md") for path in ROOT.glob(pattern)
)
_FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1`*[ \t]*$", re.DOTALL | re.MULTILINE)
_CODE_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_PICTURE = re.compile(r'<(?:img|source)\b[^>]*?\s(?:src|srcset)="([^"\s]+)"')
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_END_OF_COMMAND = {"|", "||", "&&", ";", ">", ">>", "<", "&", "2>", "…", "..."}


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    line: int
    """Of its opening fence."""


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


def blocks(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[2].strip(), match[3], text.count("\n", 0, match.start()) + 1) for match in _FENCE.finditer(text)
    ]


def links(page: Path) -> list[str]:
    """Return where links and pictures of a page lead."""
    prose = _CODE_SPAN.sub("", _FENCE.sub("", page.read_text(encoding="utf-8")))
    return [*_LINK.findall(prose), *_PICTURE.findall(prose)]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    found: dict[str, int] = {}
    out = set()
    for heading in _HEADING.findall(_FENCE.sub("", page.read_text(encoding="utf-8"))):
        anchor = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).replace(" ", "-")
        number = found.get(anchor, 0)
        found[anchor] = number + 1
        out.add(f"{anchor}-{number}" if number else anchor)
    return out


def ocint_commands(page: Path) -> Iterator[list[str]]:
    """Yield the words after ``ocint`` of every command line on a page, in shell blocks and in running text."""
    for block in blocks(page):
        if block.language in {"bash", "sh", "console", "shell"}:
            for line in block.text.splitlines():
                yield from _commands_in(line.removeprefix("$ "))
    prose = _FENCE.sub("", page.read_text(encoding="utf-8"))
    for span in _CODE_SPAN.findall(prose):
        if span.startswith("ocint "):
            yield from _commands_in(span.replace("\\|", "|"))


def _commands_in(line: str) -> Iterator[list[str]]:
    try:
        words = _words(line)
    except ValueError:  # a quotation that goes on in the next line
        return
    while any(word.rpartition("/")[2] == "ocint" for word in words):
        start = next(number for number, word in enumerate(words) if word.rpartition("/")[2] == "ocint") + 1
        end = next((number for number, word in enumerate(words[start:], start) if word in _END_OF_COMMAND), len(words))
        yield words[start:end]
        words = words[end:]


def _words(line: str) -> list[str]:
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>")
    lexer.whitespace_split = True
    lexer.commenters = "#"
    return list(lexer)

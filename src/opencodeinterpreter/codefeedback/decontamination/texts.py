"""A text as words, as a program without names, as literals: what two texts are compared by."""

from __future__ import annotations

import builtins
import keyword
import re
import zlib
from collections.abc import Iterator, Sequence
from typing import Final

FENCE: Final = re.compile(r"^[ \t]*(?:```|~~~)[^\n]*\n(.*?)(?:^[ \t]*(?:```|~~~)|\Z)", re.DOTALL | re.MULTILINE)
_WORD: Final = re.compile(r"[^\W\d_]+|\d+")
_TOKEN: Final = re.compile(
    r"""(?P<comment>\#[^\n]*|//[^\n]*)
    |(?P<text>\"\"\".*?\"\"\"|'''.*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<number>\d+(?:\.\d+)?)
    |(?P<name>[^\W\d]\w*)
    |(?P<sign>\*\*|//|==|!=|<=|>=|->|\+=|-=|\*=|[^\w\s])""",
    re.VERBOSE | re.DOTALL,
)
_KNOWN: Final = frozenset(keyword.kwlist) | frozenset(
    name for name in dir(builtins) if not name.startswith("_") and name[0].islower()
)
_CLOSING: Final = {"(": ")", "[": "]", "{": "}"}
_LONGEST_LITERAL: Final = 400


def words_of(text: str) -> list[str]:
    """Return the words and numbers of a text in lower case; the parts of an identifier are words of their own."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", text)
    return _WORD.findall(parted.casefold())


def program_tokens(code: str) -> list[str]:
    """Return a program's tokens without the names that its writer chose, its comments and its texts.

    Keywords, built-in functions, methods and attributes, numbers and signs stay: what is left is the algorithm as it is
    written, whatever its identifiers are called.
    """
    tokens = []
    for match in _TOKEN.finditer(code):
        kind, text = match.lastgroup, match.group()
        if kind == "comment":
            continue
        if kind == "text":
            tokens.append("s" if len(text) > 5 else text[-2:-1] or "s")
        elif kind == "name" and text not in _KNOWN and (not tokens or tokens[-1] != "."):
            tokens.append("v")
        else:
            tokens.append(text)
    return tokens


def code_of(text: str) -> str:
    """Return the fenced code of a text; the whole text where nothing is fenced."""
    blocks = FENCE.findall(text)
    return "\n\n".join(blocks) if blocks else text


def prose_of(text: str) -> str:
    """Return a text without its fenced code, unless nothing is left then."""
    return FENCE.sub("\n", text) if FENCE.sub("", text).strip() else text


def grams(tokens: Sequence[str], length: int) -> set[int]:
    """Return the hashes of all runs of ``length`` tokens; a shorter text is one run."""
    if not tokens:
        return set()
    count = max(1, len(tokens) - length + 1)
    return {zlib.crc32("\x1f".join(tokens[n : n + length]).encode("utf-8", "surrogatepass")) for n in range(count)}


def literal_key(source: str) -> str:
    """Return how a literal is compared: without spaces, one kind of quotes, lists and tuples alike."""
    plain = re.sub(r"\s+", "", source).replace('"', "'")
    plain = re.sub(r",(?=[)\]}])", "", plain)
    # 3.0 and 3 are the same value to whoever copies an example.
    plain = re.sub(r"(?<![\w.])(\d+)\.0+(?![\w.])", r"\1", plain)
    return plain.translate(str.maketrans("()", "[]"))


def literals_in(text: str) -> Iterator[str]:
    """Yield the keys of all bracketed values and quoted texts in a text, the inner ones, too."""
    opened: list[int] = []
    for match in re.finditer(r"[()\[\]{}]|\"(?:[^\"\\\n]|\\.){2,120}\"|'(?:[^'\\\n]|\\.){2,120}'", text):
        sign = match.group()
        if sign in _CLOSING:
            opened.append(match.start())
        elif len(sign) > 1:
            yield literal_key(sign)
        elif opened:
            start = opened.pop()
            if _CLOSING[text[start]] == sign and match.end() - start <= _LONGEST_LITERAL:
                yield literal_key(text[start : match.end()])
        else:
            opened.clear()

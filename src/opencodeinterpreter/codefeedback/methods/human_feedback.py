"""Simulated human feedback: a model plays the person who asked, finds something wanting, and says so in two sentences.

The ten kinds are the paper's. What such a model may write is enforced, not hoped for: at most two short sentences, no
code, and a wish, not praise.
"""

from __future__ import annotations

import ast
import json
import random
import re
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.parts import TRIES, Part, Unusable
from opencodeinterpreter.codefeedback.asking.replies import plain_words, sentences
from opencodeinterpreter.models.response_cache import Reply

SENTENCES = 2
CHARACTERS = 320
"""Two short sentences are no longer."""
_TOKENS, _WISH_TOKENS = 180, 80

_PRAISE = re.compile(
    r"^(?:the|this|your|my|it|everything|all)?\s*(?:code|program|function|output|solution|implementation|script|result)?"
    r"\s*(?:is|are|looks?|works?|seems?|runs?|was)\s+(?:already\s+|very\s+|quite\s+|all\s+)*"
    r"(?:good|great|fine|perfect\w*|correct\w*|well|clear|clean|efficient|concise|excellent|as expected)\b"
    r"(?!.*\b(?:but|however|please|could|should|would|can you|add|use|also|want|need|improve|make)\b)",
    re.IGNORECASE | re.DOTALL,
)
_WISHES = re.compile(
    r"\?|\b(?:please|can you|could|should|would|must|needs?|want|wish|like to|let|make|add|use|handle|include|improve|"
    r"remove|rename|explain|allow|support|check|validate|change|give|write|document|avoid|instead|also|too|but|return|"
    r"print|show|split|replace|simplify|optimi[sz]e|reduce|test|fix|catch|move|keep|limit|consider|try|provide)\b",
    re.IGNORECASE,
)
"""What a wish has, and a sentence that only tells of a result has not."""
_LEAST_WORDS = 4
_QUOTED_FROM = 16
"""Characters of a line that was shown from which on it does not stand in a wish by chance."""
_THANKS = re.compile(
    r"^\s*(?:thanks?(?: you)?|great|nice|good job|well done|perfect)\b[^.!,\n]*[.!,]\s*", re.IGNORECASE
)
_PROGRAMMER = re.compile(
    r"\b(?:I(?:'ve| have)? (?:updated|added|changed|fixed|improved|modified)|I am an AI|as an AI)\b"
)
_STEMS = {
    "syntax": ("syntax", "format"),
    "efficiency": ("efficien", "performance", "speed"),
    "functionality": ("functional", "feature", "enhance"),
    "clarity": ("clar", "document", "readab", "comment"),
    "bugs": ("bug", "error", "mistake", "edge"),
    "security": ("secur",),
    "compatibility": ("compat", "test"),
    "resources": ("resource", "memory"),
    "scalability": ("scal",),
    "practices": ("practice", "structure", "convention"),
}


@dataclass(frozen=True)
class Comment:
    """What the simulated person says."""

    text: str
    kind: str
    """the one of the ten kinds that it is about"""
    satisfied: tuple[str, ...] = ()
    not_satisfied: tuple[str, ...] = ()


def comment_on(user: Part, query: str, program: str, result: str, seed: int) -> Comment:
    """Let a model play the person.

    It judges under the ten headings, and says what it wishes. Where what it says breaks a rule, it is asked anew for
    the wish alone, about one of the headings that it found wanting: that is easier than an object with everything.

    Args:
        user: the model in this part.
        query: what the person asked for.
        program: what it got.
        result: the execution feedback on it.
        seed: also of the order in which the kinds are listed, since a small model takes the first ones.

    Raises:
        Unusable: if no reply keeps to the rules.
    """
    chance = random.Random(seed)  # noqa: S311 - an order, not a secret
    kinds = list(prompts.HUMAN_KINDS)
    chance.shuffle(kinds)
    judged = user.say(prompts.commenting(query, program, result, kinds), read_judgement, seed, max_tokens=_TOKENS)
    if judged.text and not _repeats(judged.text, result) and not _repeats(judged.text, query):
        return judged
    kind = chance.choice(judged.not_satisfied)
    read = partial(read_wish, query=query)
    text = user.say(prompts.wishing(program, kind), read, seed + TRIES, max_tokens=_WISH_TOKENS)
    return replace(judged, text=text, kind=kind)


def read_judgement(reply: Reply) -> Comment:
    """Read what the model wrote, tolerant of broken JSON; its text is empty if it breaks a rule.

    Raises:
        Unusable: if nothing is found wanting.
    """
    row = _object(reply.text)
    satisfied, named = _kinds(row.get("satisfied")), _kinds(row.get("not_satisfied"))
    # A small model puts the same heading into both lists.
    wanting = tuple(kind for kind in named if kind not in satisfied) or named
    if not wanting:
        raise Unusable("human feedback without a kind", reply.text[:200])
    said = row.get("feedback")
    if isinstance(said, list) and len(said) == 1:
        said = said[0]
    try:
        text = checked(said) if isinstance(said, str) else ""
    except Unusable:
        text = ""
    about = [kind for kind in _kinds(row.get("about")) if kind in wanting]
    # What is said counts, where it is clearly about something else than what was listed.
    kind = about[0] if about else _by_stem(text.lower()) or wanting[0]
    wanting = wanting if kind in wanting else (*wanting, kind)
    return Comment(text, kind, tuple(each for each in satisfied if each not in wanting), wanting)


def read_wish(reply: Reply, query: str) -> str:
    """Read a wish in plain words, which is not what was asked for at first.

    Raises:
        Unusable: naming the rule that it breaks.
    """
    if reply.finish != "stop":
        raise Unusable("human feedback that is too long", reply.text[:200])
    text = checked(reply.text.strip().strip("\"'").strip())
    if _repeats(text, query):
        raise Unusable("human feedback that repeats the request", text)
    return text


def checked(text: str) -> str:
    """Return feedback that keeps to the rules, without thanks.

    Raises:
        Unusable: naming the rule that it breaks.
    """
    text = re.sub(r"\s*\n\s*", " ", plain_words(text))
    text = _THANKS.sub("", text).strip()
    text = text[:1].upper() + text[1:]
    if not text:
        raise Unusable("an empty reply")
    if sentences(text) > SENTENCES or len(text) > CHARACTERS:
        raise Unusable("human feedback that is too long", text[:400])
    if _PRAISE.search(text) or not _WISHES.search(text) or len(re.findall(r"\w+", text)) < _LEAST_WORDS:
        raise Unusable("human feedback that wishes nothing", text)
    if _PROGRAMMER.search(text):
        raise Unusable("human feedback in the programmer's voice", text)
    return text


def _repeats(text: str, shown: str) -> bool:
    """Hold for feedback that repeats a line or sentence that was shown, which a small model takes for an answer."""
    pieces = [piece.strip(" .") for piece in re.split(r"\n|(?<=[.!?])\s", shown)]
    return any(len(piece) >= _QUOTED_FROM and piece.lower() in text.lower() for piece in pieces)


def _object(text: str) -> dict[str, Any]:
    """Return the object in a reply: JSON, Python's spelling of it, or what its three fields look like."""
    text = re.sub(r"<think>.*?(?:</think>|\Z)", "", text, flags=re.DOTALL)
    start, end = text.find("{"), text.rfind("}")
    inside = text[start : end + 1] if 0 <= start < end else text
    for read in (_json, _literal):
        row = read(inside)
        if row is None:
            row = read(re.sub(r",(\s*[}\]])", r"\1", inside))  # a comma before a closing bracket
        if row is not None:
            return row
    return _by_pattern(inside)


def _json(text: str) -> dict[str, Any] | None:
    try:
        row = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return row if isinstance(row, dict) else None


def _literal(text: str) -> dict[str, Any] | None:
    try:
        row = ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, RecursionError, MemoryError):
        return None
    return row if isinstance(row, dict) else None


def _by_pattern(text: str) -> dict[str, Any]:
    row: dict[str, Any] = {}
    for name in ("satisfied", "not_satisfied"):
        if match := re.search(rf"(?<![\w_])[\"']?{name}[\"']?\s*:\s*\[([^\]]*)", text, re.IGNORECASE):
            row[name] = re.findall(r"[\"']([^\"']+)[\"']|([a-z][a-z ]+)", match[1], re.IGNORECASE)
            row[name] = [one or other for one, other in row[name]]
    if match := re.search(r"[\"']?\babout[\"']?\s*:\s*[\"']([^\"'\n]+)", text, re.IGNORECASE):
        row["about"] = match[1]
    if match := re.search(
        r"[\"']?\bfeedback[\"']?\s*:\s*(?:\"([^\"\n]+)|'([^'\n]+)|([^\"'\n{}\[\]]+))", text, re.IGNORECASE
    ):
        row["feedback"] = next(each for each in match.groups() if each).strip()
    return row


def _kinds(value: Any) -> tuple[str, ...]:
    """Return the known kinds that a field names, however it spells them."""
    if isinstance(value, dict):
        value = list(value)
    words = [value] if isinstance(value, str) else value if isinstance(value, list | tuple) else []
    found = []
    for word in words:
        lowered = str(word).lower()
        exact = lowered.split(":")[0].strip()
        kind = exact if exact in prompts.HUMAN_KINDS else _by_stem(lowered)
        if kind and kind not in found:
            found.append(kind)
    return tuple(found)


def _by_stem(word: str) -> str:
    return next((kind for kind, stems in _STEMS.items() if any(stem in word for stem in stems)), "")

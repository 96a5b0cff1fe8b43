"""The query filter: a model scores each query on two ladders, one after the other, and the high ones are kept.

The scores come first and the reasons after them, as in the paper; so a reply may be cut after its first line, which is
what makes the scoring of 156,000 queries cheap.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from opencodeinterpreter.codefeedback.asking import prompts
from opencodeinterpreter.codefeedback.asking.model_stage import Means, ModelStage, Tools
from opencodeinterpreter.codefeedback.asking.parts import Part, Unusable, row_seed
from opencodeinterpreter.codefeedback.methods.agreement import THEN, agreement
from opencodeinterpreter.codefeedback.pipeline.stage import Drop, MapStage, Outcome, Row
from opencodeinterpreter.codefeedback.rows import Query
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.interpreter.feedback import shorten
from opencodeinterpreter.models.response_cache import Reply

_SCORE_TOKENS = 12
"""Enough for ``**Level: 4**`` from a model that decorates its number."""
_AGAIN_TEMPERATURE = 0.7

_THINK = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL)
_LADDER = re.compile(r"\b1\s*(?:to|-|–|and|through|\.\.+|,\s*2\s*,\s*3\s*,\s*4\s*,?\s*(?:and|or)?)\s*5\b")
"""The range itself, as in "on a scale from 1 to 5", is no score."""
_NUMBER = r"(?<![\d.])([1-5])(?![\d]|[.,]\d)"
_LABELLED = re.compile(
    r"\b(?:score|level|rating|rate|rated|grade|difficulty|answer)\b[^\d\n]{0,40}?" + _NUMBER, re.IGNORECASE
)
_FIRST = re.compile(r"^\W*" + _NUMBER)
_OF_FIVE = re.compile(_NUMBER + r"\s*(?:/|out of)\s*5\b", re.IGNORECASE)
_ANY = re.compile(r"(?<![\d.,\w])(\d+(?:[.,]\d+)?)(?![\d\w])")
_WORDS = {"one": 1, "two": 2, "three": 3, "four": 4, "five": 5}
_WORD = re.compile(r"^\W*(?:level\W+)?(one|two|three|four|five)\b", re.IGNORECASE)


@dataclass(frozen=True)
class JudgingOptions:
    """How queries are judged."""

    keep: tuple[int, ...] = (4, 5)
    """the scores with which a query goes on, on both ladders (the paper's)"""
    rubrics: tuple[str, ...] = ("first", "second")
    """the ladders, in their order; a query that fails the first is not judged by the second"""
    twice: bool = False
    """ask again, drawn with another seed, to see how far the judge agrees with itself"""
    max_reason_tokens: int = 0
    """room for the reason after the score"""
    query_characters: int = 4000
    """what the judge sees of a long query, head and tail"""

    def __post_init__(self) -> None:
        known = [rubric.name for rubric in prompts.RUBRICS]
        if not self.rubrics or (unknown := sorted(set(self.rubrics) - set(known))):
            what = f"no {unknown[0]!r}" if self.rubrics else "at least one needed"
            raise ConfigError(f"the rubrics are {' and '.join(known)}: {what}")
        if not self.keep or not set(self.keep) <= set(range(1, 6)):
            raise ConfigError("the scores to be kept must be of 1 to 5")


@dataclass(frozen=True)
class Score:
    """One verdict of the judge."""

    value: int
    reason: str = ""


class Judging(ModelStage):
    """The stage ``filter``: queries in, those of them that are demanding enough out."""

    name = "filter"
    parts = ("judge",)
    executes = False

    def __init__(self, means: Means, options: JudgingOptions | None = None) -> None:
        self.options = options or JudgingOptions()
        super().__init__(means, self.options)

    def work(self, row: Row, tools: Tools) -> Outcome:
        query, judge = Query.from_json(row), tools["judge"]
        seed = row_seed(self.means.seed, "filter", query.id)
        scores: dict[str, Score] = {}
        for rubric in self.options.rubrics:
            scores[rubric] = self._score(judge, rubric, query, seed)
            if scores[rubric].value not in self.options.keep:
                break
        notes: dict[str, Any] = {"scores": {name: {str(score.value): 1} for name, score in scores.items()}}
        if self.options.twice:
            notes["asked twice"] = self._again(judge, query, scores, seed + 1)
        name, last = list(scores.items())[-1]
        if last.value not in self.options.keep:
            detail = f"{last.value}: {last.reason}" if last.reason else str(last.value)
            return Outcome(drops=(Drop(f"score on the {name} rubric too low", detail),), notes=notes)
        told = {name: {"score": score.value, "reason": score.reason} for name, score in scores.items()}
        kept = replace(query, meta={**query.meta, "scores": told, "judge": judge.name})
        return Outcome(rows=(kept.to_json(),), notes=notes)

    def summary(self, notes: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a manifest says of the whole run besides the sums: see ``summary``."""
        return summary(notes)

    def _score(self, judge: Part, rubric: str, query: Query, seed: int, temperature: float | None = None) -> Score:
        ladder = next(each for each in prompts.RUBRICS if each.name == rubric)
        messages = prompts.judging(ladder, shorten(query.query, self.options.query_characters))
        room = _SCORE_TOKENS + self.options.max_reason_tokens
        return judge.say(messages, read_score, seed, max_tokens=room, temperature=temperature)

    def _again(self, judge: Part, query: Query, scores: Mapping[str, Score], seed: int) -> dict[str, Any]:
        """Ask for the same scores anew; a reply that cannot be read is counted and harms nothing."""
        table: dict[str, Any] = {}
        decisions = []
        for rubric, score in scores.items():
            try:
                other = self._score(judge, rubric, query, seed, _AGAIN_TEMPERATURE)
            except Unusable:
                return {**table, "unreadable": 1}
            table[rubric] = {f"{score.value}{THEN}{other.value}": 1}
            decisions.append((score.value in self.options.keep, other.value in self.options.keep))
        words = ["kept" if all(each) else "dropped" for each in zip(*decisions, strict=True)]
        return {**table, "decision": {THEN.join(words): 1}}


def stage(means: Means, options: JudgingOptions | None = None) -> MapStage:
    """Return the stage ``filter``."""
    return Judging(means, options)


def summary(notes: Mapping[str, Any]) -> dict[str, Any]:
    """Return what can be said of a whole run from its notes: how far the judge agreed with itself.

    Args:
        notes: of all rows, added up.

    Returns:
        For each ladder and for the decision: how many were judged twice, the share of equal verdicts, and Cohen's
        kappa. Empty if nothing was asked twice.
    """
    asked = notes.get("asked twice", {})
    found = {name: agreement(table) for name, table in asked.items() if isinstance(table, Mapping)}
    return {"agreement": {name: each.to_json() for name, each in found.items() if each}} if found else {}


def read_score(reply: Reply) -> Score:
    """Read the score and the reason from what a judge wrote.

    Raises:
        Unusable: if there is none, or more than one.
    """
    text = _THINK.sub("", reply.text).strip()
    found = _json_score(text) or _written_score(text)
    if found is None:
        raise Unusable("the judge gave no score", text[:200])
    return found


def _json_score(text: str) -> Score | None:
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        row = json.loads(text[start : end + 1])
    except (ValueError, RecursionError):
        return None
    if not isinstance(row, dict):
        return None
    values = [
        value for key, value in row.items() if re.search(r"score|level|rating|rate|grade", str(key), re.IGNORECASE)
    ]
    numbers = [int(value) for value in values if re.fullmatch(r"[1-5]", str(value).strip())]
    reasons = [value for key, value in row.items() if "reason" in str(key).lower() and isinstance(value, str)]
    return Score(numbers[0], reasons[0] if reasons else "") if len(numbers) == 1 else None


def _written_score(text: str) -> Score | None:
    text = _LADDER.sub(lambda match: " " * len(match.group()), text)
    word = _WORD.search(text)
    if word is not None:
        return Score(_WORDS[word[1].lower()], _reason(text[word.end() :]))
    for pattern in (_FIRST, _OF_FIVE, _LABELLED):
        if match := pattern.search(text):
            return Score(int(match[1]), _reason(text[match.end() :]))
    numbers = set(_ANY.findall(text))
    if len(numbers) == 1 and (number := numbers.pop()) in {"1", "2", "3", "4", "5"}:
        return Score(int(number), _reason(text))
    return None


def _reason(rest: str) -> str:
    rest = re.sub(r"^\s*(?:/|out of)\s*5\b", "", rest, flags=re.IGNORECASE)
    rest = re.sub(r"^[\s\W]*(?:reason\w*|because|explanation)\b[\s:*.\-]*", "", rest, flags=re.IGNORECASE)
    return rest.strip(" \t\r\n*:.-–_`#)\"'").strip()

"""What one run of an evaluation writes down: its configuration and a record a problem.

The folder that holds them is in ``run_folder``. Nothing here is recomputed from the benchmark: a report needs the
records alone.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import EvaluationError, InputError
from opencodeinterpreter.evaluation.verdicts import Failure, Grade, SuiteResult, Verdict
from opencodeinterpreter.models.response_cache import Tokens

FORMAT = 1
"""Of ``config.json``; raised when older programs could no longer read a run."""

BASELINE = "baseline"
"""The kind of an attempt that is a yardstick of a protocol, and no part of it: made, but never handed over."""
LEAK_MARK = "leaks"
"""Under which a record's notes hold what leaked in it."""

ENDPOINTS = ("endpoint", "synthesizer_endpoint")
"""The settings that hold where a model, and that of the feedback, is served, where they are."""

_NOT_IN_KEY = frozenset({"problem_count", "machine", "command", "started"})


@dataclass(frozen=True)
class RunConfig:
    """Everything that decides the result of a run, and what is worth knowing about it."""

    benchmark: str
    """``humaneval+``, ``mbpp+``, ``humaneval``, ``mbpp``"""
    dataset_version: str
    dataset_sha256: str
    protocol: str
    leakage: str
    """the leakage class, ``L0`` to ``L7``; of a mixture all of them: ``L2+L3``"""
    honest: bool
    """nothing of the hidden tests or the reference solution reaches the model"""
    model: str
    """the name it was asked for by"""
    model_sha256: str = ""
    """of the model's file; empty if it is served elsewhere"""
    synthesizer: str = ""
    """the model that writes the human feedback, where the protocol has one"""
    synthesizer_sha256: str = ""
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 1024
    seed: int | None = None
    rounds: int = 1
    """rounds at most, round 0 included"""
    samples: int = 1
    """answers a problem that are scored independently of each other (for pass@k); not a protocol's own candidates"""
    prompts: str = ""
    """the version of the prompt texts"""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """the protocol's settings, as JSON values: ``{"flattened": true, "candidates": 8}``"""
    package_version: str = ""
    problem_count: int = 0
    """problems in the data set; a run of fewer is marked incomplete. Not in the key"""
    machine: Mapping[str, Any] = field(default_factory=dict)
    """processor, cores, engine versions and the like. Not in the key"""
    command: str = ""
    """what was typed. Not in the key"""
    started: str = ""
    """when, in ISO form with the offset. Not in the key"""

    @property
    def key(self) -> str:
        """Hash of all that decides the result: runs with one key may share a folder, others never."""
        text = json.dumps(self._deciding(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def differences(self, other: RunConfig) -> list[str]:
        """Name what keeps the two from being one run: ``rounds (2, not 3)``; empty if nothing does."""
        mine, theirs = self._deciding(), other._deciding()
        return [
            f"{name} ({_shown(mine[name])}, not {_shown(theirs[name])})" for name in mine if mine[name] != theirs[name]
        ]

    def _values(self) -> dict[str, Any]:
        row = {item.name: getattr(self, item.name) for item in fields(self)}
        # Through JSON and back, so that a configuration that was read is equal to the one that was written.
        row["settings"], row["machine"] = json.loads(json.dumps([dict(self.settings), dict(self.machine)]))
        return row

    def _deciding(self) -> dict[str, Any]:
        return {name: value for name, value in self._values().items() if name not in _NOT_IN_KEY}

    def to_json(self) -> dict[str, Any]:
        return {"format": FORMAT, "key": self.key, **self._values()}

    @classmethod
    def from_json(cls, row: Any) -> RunConfig:
        """Validate the object of a ``config.json``.

        Raises:
            EvaluationError: naming what is missing, of a wrong type, or written by a newer program.
        """
        if not isinstance(row, dict):
            raise EvaluationError(f"the configuration of a run must be an object, not {type(row).__name__}")
        if (written := row.get("format")) != FORMAT:
            raise EvaluationError(f"this run is stored in format {written!r}, and this program reads format {FORMAT}")
        values: dict[str, Any] = {}
        for item in fields(cls):
            if item.name in row:
                values[item.name] = _checked(row[item.name], item.name, _CONFIG_TYPES[str(item.type)])
        if missing := [name for name in _REQUIRED if name not in values]:
            raise EvaluationError(f"the configuration of a run lacks {', '.join(missing)}")
        return cls(**values)


_CONFIG_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,),
    "bool": (bool,),
    "int": (int,),
    "float": (int, float),
    "int | None": (int, type(None)),
    "Mapping[str, Any]": (dict,),
}
_REQUIRED = ("benchmark", "dataset_version", "dataset_sha256", "protocol", "leakage", "honest", "model")


@dataclass(frozen=True)
class Attempt:
    """One reply of the model, and what became of it."""

    round: int
    """0 is the first answer"""
    kind: str
    """``answer``, ``refinement``, ``sample``, ``repair``, ``baseline``, or what else the protocol calls it"""
    messages: tuple[Message, ...]
    """what was sent"""
    reply: str
    code: str = ""
    """as extracted; empty if there was none"""
    rule: str = ""
    """the rule of extraction that gave it"""
    has_entry_point: bool = False
    grade: Grade | None = None
    """None where it was not graded"""
    tokens: Tokens = field(default_factory=Tokens)
    seconds: float = 0.0
    """of generation, wall time; when ``cached``, those of the first time"""
    cached: bool = False
    """the reply came out of the response cache"""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """what the protocol wants kept, as JSON values: visible examples passed, the synthesizer's dialog"""

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {
            "round": self.round,
            "kind": self.kind,
            "messages": [message.to_json() for message in self.messages],
            "reply": self.reply,
            "code": self.code,
            "rule": self.rule,
            "has_entry_point": self.has_entry_point,
            "grade": None if self.grade is None else grade_to_json(self.grade),
            "tokens": asdict(self.tokens),
            "seconds": self.seconds,
            "cached": self.cached,
        }
        if self.notes:
            row["notes"] = dict(self.notes)
        return row

    @classmethod
    def from_json(cls, row: Any) -> Attempt:
        grade = _get(row, "grade", dict, type(None))
        tokens = _get(row, "tokens", dict)
        counts = {item.name: _get(tokens, item.name, int, type(None)) for item in fields(Tokens)}
        return cls(
            round=_get(row, "round", int),
            kind=_get(row, "kind", str),
            messages=tuple(Message.from_json(message) for message in _get(row, "messages", list)),
            reply=_get(row, "reply", str),
            code=_get(row, "code", str),
            rule=_get(row, "rule", str),
            has_entry_point=_get(row, "has_entry_point", bool),
            grade=None if grade is None else grade_from_json(grade),
            tokens=Tokens(**counts),
            seconds=_get(row, "seconds", int, float),
            cached=_get(row, "cached", bool),
            notes=_checked(row.get("notes", {}), "notes", (dict,)),
        )


@dataclass(frozen=True)
class ProblemRecord:
    """All that happened to one problem, once."""

    problem: str
    """``HumanEval/0``"""
    attempts: tuple[Attempt, ...]
    """in the order in which they were made; never empty"""
    final: int
    """the index of the attempt that is handed over, and counts"""
    sample: int = 0
    """which of the independent answers to this problem, from 0"""
    standing: tuple[int, ...] = ()
    """for each round the index of the attempt that would have been handed over after it; where this is empty, the
    last attempt of the round"""
    notes: Mapping[str, Any] = field(default_factory=dict)
    """what the protocol wants kept about the whole, as JSON values; ``steps`` maps the name of a protocol's step
    (``visible filter``, ``agreement``) to the index of the attempt that it chose, and is reported step by step;
    ``asides`` lists the dialogs that were no attempts: objects with ``kind``, ``model``, ``messages``, ``reply``,
    ``tokens`` and ``seconds``; ``leaks`` what an honest run has shown a model all the same"""

    def __post_init__(self) -> None:
        indices = (self.final, *self.standing)
        if not self.attempts or not all(0 <= index < len(self.attempts) for index in indices):
            raise EvaluationError(f"a record of {self.problem} points at an attempt that it does not have")

    @property
    def answer(self) -> Attempt:
        """The attempt that is handed over."""
        return self.attempts[self.final]

    @property
    def last_round(self) -> int:
        return max(attempt.round for attempt in self.attempts)

    def after_round(self, number: int) -> Attempt:
        """Return the attempt that stood after a round; after the last one that was made, it is the answer."""
        if number >= self.last_round:
            return self.answer
        if self.standing:
            return self.attempts[self.standing[min(number, len(self.standing) - 1)]]
        earlier = [attempt for attempt in self.attempts if attempt.round <= number]
        return earlier[-1] if earlier else self.answer

    def to_json(self) -> dict[str, Any]:
        return {
            "problem": self.problem,
            "sample": self.sample,
            "final": self.final,
            "standing": list(self.standing),
            "notes": dict(self.notes),
            "attempts": [attempt.to_json() for attempt in self.attempts],
        }

    @classmethod
    def from_json(cls, row: Any) -> ProblemRecord:
        """Validate one line of a record file.

        Raises:
            EvaluationError: if it is not one.
        """
        try:
            return cls(
                problem=_get(row, "problem", str),
                attempts=tuple(Attempt.from_json(attempt) for attempt in _get(row, "attempts", list)),
                final=_get(row, "final", int),
                sample=_get(row, "sample", int),
                standing=tuple(_checked(index, "standing", (int,)) for index in _get(row, "standing", list)),
                notes=_get(row, "notes", dict),
            )
        except InputError as error:
            raise EvaluationError(f"a record holds a message that is none: {error}") from error


def grade_to_json(grade: Grade) -> dict[str, Any]:
    """Return both suites as plain values; verdicts are their texts."""
    return asdict(grade)


def grade_from_json(row: Any) -> Grade:
    """Validate what ``grade_to_json`` gave.

    Raises:
        EvaluationError: if it is something else.
    """
    return Grade(base=_suite_from_json(_get(row, "base", dict)), plus=_suite_from_json(_get(row, "plus", dict)))


def _suite_from_json(row: dict[str, Any]) -> SuiteResult:
    verdict, failure = _get(row, "verdict", str), _get(row, "failure", dict, type(None))
    if verdict not in set(Verdict):
        raise EvaluationError(f"a record holds a verdict that is not known: {verdict!r}")
    if failure is not None:
        texts = {name: _get(failure, name, str) for name in ("input", "expected", "actual", "error")}
        failure = Failure(index=_get(failure, "index", int), **texts)
    return SuiteResult(Verdict(verdict), failure, _get(row, "cpu_seconds", int, float))


def _get(row: Any, name: str, *types: type) -> Any:
    if not isinstance(row, dict) or name not in row:
        raise EvaluationError(f"a record lacks {name}")
    return _checked(row[name], name, types)


def _checked(value: Any, name: str, types: tuple[type, ...]) -> Any:
    # A bool is an int to isinstance, and a record with true for a round is a broken one.
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        wanted = " or ".join("null" if kind is type(None) else kind.__name__ for kind in types)
        raise EvaluationError(f"{name} must be {wanted}, not {type(value).__name__}")
    return value


def _shown(value: Any) -> str:
    text = json.dumps(value, sort_keys=True)
    return text if len(text) <= 60 else text[:28] + " … " + text[-28:]

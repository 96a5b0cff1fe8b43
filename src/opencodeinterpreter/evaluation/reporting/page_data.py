"""What the log viewer of the HTML page reads: a small index of all records, and their details in packed pieces.

A piece holds a few dozen records, compressed, and is unpacked when one of them is opened: so a page with thousands of
records opens at once. Of an honest run nothing is packed that shows a hidden test: of a failure only the kind of error.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import Any

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.evaluation.records import Attempt, ProblemRecord
from opencodeinterpreter.evaluation.reporting.tables import run_name
from opencodeinterpreter.evaluation.run_folder import Run
from opencodeinterpreter.evaluation.summary import Suite, repeats, suites, verdict_of
from opencodeinterpreter.evaluation.verdicts import Failure, Verdict
from opencodeinterpreter.pages import packed

PIECE = 30
"""records in a piece"""
LONGEST = 40_000
"""characters of one text that are shown; a reply that never ended would make the page unusable"""

_VERDICTS = list(Verdict)
_EXCEPTION = re.compile(r"^([A-Za-z_][\w.]*(?:Error|Exception|Interrupt|Exit|Iteration|Warning))\b", re.MULTILINE)


def index_data(runs: Sequence[Run]) -> dict[str, Any]:
    """Return what the list of the viewer needs: for each record its verdicts, first and last."""
    return {"verdicts": [str(verdict) for verdict in _VERDICTS], "piece": PIECE, "runs": [_run(run) for run in runs]}


def pieces(run: Run) -> Iterator[str]:
    """Yield the details of the records, in their order, packed."""
    for start in range(0, len(run.records), PIECE):
        packer = _Packer(honest=run.config.honest, having=suites(run.config))
        records = [packer.record(record) for record in run.records[start : start + PIECE]]
        yield packed({"texts": packer.texts, "records": records})


def _run(run: Run) -> dict[str, Any]:
    having = suites(run.config)
    return {
        "name": run_name(run.config),
        "honest": run.config.honest,
        "suites": list(having),
        "records": [
            [
                record.problem,
                record.sample,
                [_number(record.answer, suite) for suite in having],
                [_number(record.after_round(0), suite) for suite in having],
                record.last_round,
                len(record.attempts),
                int(any(repeats(record, attempt) for attempt in record.attempts)),
            ]
            for record in run.records
        ],
    }


def _number(attempt: Attempt, suite: Suite) -> int:
    verdict = verdict_of(attempt, suite)
    return -1 if verdict is None else _VERDICTS.index(verdict)


def _asked(attempt: Attempt) -> Sequence[Message]:
    """Return the messages of an attempt without the beginning of its reply, which the reply holds again."""
    begun = bool(attempt.messages) and attempt.messages[-1].role == "assistant"
    return attempt.messages[:-1] if begun else attempt.messages


def _standing_before(record: ProblemRecord, attempt: Attempt) -> Attempt | None:
    return record.after_round(attempt.round - 1) if attempt.round else None


class _Packer:
    """Collects the texts of a piece, each once."""

    def __init__(self, *, honest: bool, having: Sequence[Suite]) -> None:
        self.texts: list[str] = []
        self._honest, self._having = honest, having
        self._text_places: dict[str, int] = {}

    def record(self, record: ProblemRecord) -> dict[str, Any]:
        asides = record.notes.get("asides")
        steps = record.notes.get("steps")
        return {
            "attempts": [self._attempt(record, place) for place in range(len(record.attempts))],
            "final": record.final,
            "steps": steps if isinstance(steps, dict) else {},
            "asides": [self._aside(aside) for aside in asides if isinstance(aside, dict)]
            if isinstance(asides, list)
            else [],
        }

    def _attempt(self, record: ProblemRecord, place: int) -> dict[str, Any]:
        attempt = record.attempts[place]
        sent = _asked(attempt)
        before = [*_asked(record.attempts[place - 1]), Message("assistant", record.attempts[place - 1].reply)]
        known = _common(sent, before) if place else 0
        row: dict[str, Any] = {
            "round": attempt.round,
            "kind": attempt.kind,
            "known": known,
            "messages": [[message.role, self._text(message.content)] for message in sent],
            "reply": self._text(attempt.reply),
            "code": self._code(attempt.code) if attempt.code.strip() else -1,
            "rule": attempt.rule,
            "entry": attempt.has_entry_point,
            "verdicts": [_number(attempt, suite) for suite in self._having],
            "failures": self._failures(attempt),
            "tokens": [attempt.tokens.prompt, attempt.tokens.completion],
            "seconds": round(attempt.seconds, 2),
            "cached": attempt.cached,
            "notes": {
                key: str(value)[:200] for key, value in attempt.notes.items() if not isinstance(value, list | dict)
            },
        }
        standing = _standing_before(record, attempt)
        if standing is not None and standing.code.strip() and attempt.code.strip():
            against = next(n for n, other in enumerate(record.attempts) if other is standing)
            row["against"] = against
            row["before"] = self._code(standing.code)
            row["changes"] = _changes(standing.code[:LONGEST], attempt.code[:LONGEST])
        return row

    def _aside(self, aside: dict[str, Any]) -> dict[str, Any]:
        messages = aside.get("messages")
        return {
            "kind": str(aside.get("kind", "")),
            "model": str(aside.get("model", "")),
            "reply": self._text(str(aside.get("reply", ""))),
            "messages": [
                [str(message.get("role", "")), self._text(str(message.get("content", "")))]
                for message in (messages if isinstance(messages, list) else [])
                if isinstance(message, dict)
            ],
        }

    def _failures(self, attempt: Attempt) -> list[dict[str, Any] | None]:
        """Return one a suite; what fails the base tests fails both, and is shown once."""
        if attempt.grade is None:
            return []
        failures = [attempt.grade.base.failure, attempt.grade.plus.failure][: len(self._having)]
        if len(failures) == 2 and failures[0] == failures[1]:
            failures.pop()
        return [self._failure(failure) for failure in failures]

    def _failure(self, failure: Failure | None) -> dict[str, Any] | None:
        if failure is None:
            return None
        if self._honest:
            return {"kind": _exception(failure)} if _exception(failure) else None
        return {
            "index": failure.index,
            **{name: self._text(getattr(failure, name)) for name in ("input", "expected", "actual", "error")},
        }

    def _text(self, text: str) -> int:
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}\n[{len(text) - LONGEST:,} characters more]"
        if text not in self._text_places:
            self._text_places[text] = len(self.texts)
            self.texts.append(text)
        return self._text_places[text]

    def _code(self, code: str) -> int:
        # With the same line ends throughout, so that the lines of the page are those of the difference.
        return self._text("\n".join(code[:LONGEST].splitlines()))


def _changes(before: str, after: str) -> list[list[int]]:
    """Return the operations of a difference of lines: 0 equal, 1 other; then both ranges."""
    matcher = difflib.SequenceMatcher(None, before.splitlines(), after.splitlines(), autojunk=False)
    return [[int(tag != "equal"), *ends] for tag, *ends in matcher.get_opcodes()]


def _common(messages: Sequence[Message], before: Sequence[Message]) -> int:
    """Count the messages at the start that the reader has seen already."""
    count = 0
    for mine, theirs in zip(messages, before, strict=False):
        if mine != theirs:
            break
        count += 1
    return count


def _exception(failure: Failure) -> str:
    found = _EXCEPTION.findall(failure.error)
    return str(found[-1]) if found else ""

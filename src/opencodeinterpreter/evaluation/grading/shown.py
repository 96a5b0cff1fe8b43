"""What the examples in a prompt say is right: their expressions, worked out in a jail where no solution is."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from opencodeinterpreter.evaluation.grading.calls import CallOutcome
from opencodeinterpreter.evaluation.grading.endings import raised
from opencodeinterpreter.evaluation.grading.limits import GradingLimits
from opencodeinterpreter.evaluation.grading.store import Store, key_of
from opencodeinterpreter.evaluation.grading.truth import ENCODED_BY
from opencodeinterpreter.evaluation.problems import Example
from opencodeinterpreter.evaluation.verdicts import Verdict

_PROGRAM = "import math"
"""What the expressions may name."""
_EXCEPTION = re.compile(r"[\w.]*(?:Error|Exception)\b")

Call = Callable[[str, str | None, Sequence[bytes | str]], list[CallOutcome]]


class ShownOutputs:
    """Works the expected values of a prompt's examples out once, and keeps them.

    Args:
        call: evaluates expressions in a program.
        store: where they are kept between runs of this program.
        limits: under which they were worked out.
    """

    def __init__(self, call: Call, store: Store, limits: GradingLimits) -> None:
        self._call, self._store, self._limits = call, store, limits
        self._known: dict[str, list[CallOutcome]] = {}

    def of(self, examples: Sequence[Example]) -> list[CallOutcome]:
        """Return what each example's expected expression gives."""
        expressions = [example.expected for example in examples]
        key = key_of("examples", ENCODED_BY, self._limits.key, _PROGRAM, *expressions)
        # Two threads may both work them out; the result is the same.
        known = self._known.get(key) or _read(self._store.get(key), len(expressions))
        if known is None:
            known = self._call(_PROGRAM, None, expressions)
            if not all(map(_lasting, known)):
                return known
            self._store.put(key, [asdict(outcome) for outcome in known])
        self._known[key] = known
        return known


def _lasting(outcome: CallOutcome) -> bool:
    """Hold for what would come again: a value, or an exception of the expression's own."""
    return outcome.returned or (outcome.verdict is Verdict.ERROR and bool(_EXCEPTION.match(raised(outcome.error))))


def _read(document: Any, count: int) -> list[CallOutcome] | None:
    """Return what was kept, or None if it is not of this form."""
    if not isinstance(document, list) or len(document) != count:
        return None
    try:
        return [CallOutcome(**{**row, "verdict": Verdict(row["verdict"])}) for row in document]
    except (KeyError, TypeError, ValueError):
        return None

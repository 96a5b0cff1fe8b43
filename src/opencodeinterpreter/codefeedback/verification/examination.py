"""The code of one dialog: run again if it is Python, parsed if it is not, and compared with what the dialog tells."""

from __future__ import annotations

import dataclasses
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from opencodeinterpreter.codefeedback.rows import Tests
from opencodeinterpreter.codefeedback.verification.checks import FEEDBACK_BEGIN, Fault
from opencodeinterpreter.codefeedback.verification.code_blocks import code_of
from opencodeinterpreter.codefeedback.verification.comparing import same_execution
from opencodeinterpreter.codefeedback.verification.execution import Executor
from opencodeinterpreter.codefeedback.verification.executions import Execution, feedback_text
from opencodeinterpreter.codefeedback.verification.parsing import check_syntax
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.interpreter.code_actions import CodeActionReader

VERSION: Final = 2
"""Of the checks; a change of what they let pass is a new version."""
RECORDED_METHODS: Final = frozenset({"session"})
"""Methods whose code worked on a person's own files, which are not here: what was recorded then is what is known."""
_METHODS_WITH_CODE: Final = frozenset({"packing", "simulation", "correction", "similar", "followup"})
_NOT_HERE: Final = (
    "ModuleNotFoundError",
    "EOFError: EOF when reading a line",
    "StdinNotImplementedError",
    "FileNotFoundError",
    "ConnectionError",
    "URLError",
    "gaierror",
    "NameResolutionError",
    "OperationalError",
    "TclError",
    "KeyError: 'HOME'",
)
"""Errors of code that may be right and needs something that the sandbox does not have."""


@dataclass
class _Seen:
    """What has been found out about one assistant message."""

    language: str = ""
    executed: bool = False
    passed: bool | None = None
    """whether its tests passed; False also for code that failed, None for code without tests that did not, and words"""


class Examination:
    """Looks at the code of one dialog whose text is in order, and knows afterwards what is known of each message.

    Args:
        dialog: as ``checks.fault_in`` let it pass.
        executor: runs the code.
        needs_absent: keep an answer that stands alone where its code needs what the sandbox does not have.
        unrecorded: keep execution feedback without a record if its code gives it.
    """

    def __init__(self, dialog: Dialog, executor: Executor, *, needs_absent: bool, unrecorded: bool) -> None:
        self._dialog, self._executor = dialog, executor
        self._needs_absent_kept, self._unrecorded_kept = needs_absent, unrecorded
        self._seen: dict[int, _Seen] = {}
        self._results: dict[int, Execution] = {}
        self.counts: Counter[str] = Counter()

    def fault(self) -> Fault | None:
        """Return the first thing that is wrong with it.

        Raises:
            SandboxError: if the sandbox itself fails.
        """
        messages = self._dialog.messages
        last = max((n for n, each in enumerate(messages) if _has_code(each)), default=None)
        if last is None and self._dialog.meta.get("method") in _METHODS_WITH_CODE:
            return Fault("no code in the whole dialog")
        for number, message in enumerate(messages):
            if message.role == "assistant":
                fault = self._look_at_code(number, message, last=number == last)
            elif message.role == "user" and _is_feedback(message):
                fault = self._look_at_feedback(number, message)
            else:
                continue
            if fault is not None:
                return Fault(fault.reason, f"message {number}: {fault.detail}".rstrip(": "))
        return None

    def dialog(self) -> Dialog:
        """Return the dialog with completed meta."""
        messages = tuple(self._completed(number, message) for number, message in enumerate(self._dialog.messages))
        meta = dict(self._dialog.meta)
        meta["verified"] = {"version": VERSION, "executed": self.counts["executed"]}
        return dataclasses.replace(self._dialog, messages=messages, meta=meta)

    def _look_at_code(self, number: int, message: Message, *, last: bool) -> Fault | None:
        blocks = code_of(message.content)
        action = self._python(number)
        seen = self._seen[number] = _Seen()
        if action is None:
            if blocks:
                seen.language = str(message.meta.get("language") or "") or blocks[-1].language
                return self._parse(number, seen, last=last)
            return None
        seen.language = "python"
        if self._dialog.meta.get("method") in RECORDED_METHODS:
            self._recall(number, message, seen)
        else:
            self._results[number] = self._run_in_time(action, message)
            seen.executed, seen.passed = True, _passed(self._results[number])
            self.counts["executed"] += 1
        result = self._results.get(number)
        if result is None or seen.passed is not False:
            return None
        if self._stands_alone(number) and self._needs_absent_kept and _needs_absent(result):
            seen.executed, seen.passed = False, None
            self.counts["needs what the sandbox does not have"] += 1
            return None
        if not last:
            return None
        if result.passed is False:
            return Fault("the last code fails its tests", result.error[-200:])
        return Fault("the last code fails", result.error[-200:] or result.reason)

    def _parse(self, number: int, seen: _Seen, *, last: bool) -> Fault | None:
        for block in code_of(self._dialog.messages[number].content):
            syntax = check_syntax(block.code, block.language or seen.language)
            self.counts[f"{syntax.status} when parsed" if syntax.status != "not parsed" else syntax.status] += 1
            if syntax.status == "error":
                seen.passed = False
                if last:
                    return Fault("a syntax error in the last code", f"{seen.language}, line {syntax.line}")
        return None

    def _look_at_feedback(self, number: int, message: Message) -> Fault | None:
        if number == 0 or number - 1 not in self._seen or not self._seen[number - 1].language:
            return Fault("execution feedback without code before it")
        record = message.meta.get("exec")
        if not isinstance(record, Mapping):
            if not self._unrecorded_kept:
                return Fault("execution feedback without a record of the execution")
            return self._unrecorded(number, message)
        recorded = Execution.from_json(record)
        if message.content.strip() != feedback_text(recorded).strip():
            return Fault("execution feedback that is not what its record says")
        if self._dialog.meta.get("method") in RECORDED_METHODS:
            return None
        if not self._gives(number - 1, recorded):
            now = self._results[number - 1]
            return Fault("execution feedback that its code does not give", json.dumps(now.to_json())[:300])
        return None

    def _unrecorded(self, number: int, message: Message) -> Fault | None:
        """Look whether the text is what the code gives."""
        now = self._results.get(number - 1)
        said = FEEDBACK_BEGIN.sub("", message.content, count=1)
        if now is None or not same_execution(_words(said), _words(FEEDBACK_BEGIN.sub("", feedback_text(now), count=1))):
            return Fault("execution feedback that its code does not give")
        return None

    def _gives(self, number: int, recorded: Execution) -> bool:
        """Return whether a message's code gives what was recorded, as far as it gives the same twice."""
        now = self._results.get(number)
        if now is None:
            return False
        if same_execution(recorded, now):
            return True
        message = self._dialog.messages[number]
        code = self._python(number)
        assert code is not None
        again = self._run(code, self._tests(message))
        if same_execution(recorded, again):
            return True
        if now.status == recorded.status and not same_execution(now, again):
            self.counts["not the same in each run"] += 1
            return True
        # It may have run in a kernel, after the cells before it.
        if same_execution(recorded, self._as_cells(number)):
            self.counts["run as cells"] += 1
            return True
        return False

    def _as_cells(self, number: int) -> Execution:
        codes = [
            self._python(n) for n, each in enumerate(self._dialog.messages[: number + 1]) if each.role == "assistant"
        ]
        return self._executor.cells([code for code in codes if code is not None])[-1]

    def _python(self, number: int) -> str | None:
        """Return the Python that a message wants to be run, or of an answer that nobody ran, all that is in it."""
        message = self._dialog.messages[number]
        if self._told(number) or message.meta.get("exec"):
            return _python_of(message)
        pieces = [block.code for block in code_of(message.content) if block.language == "python"]
        return "\n".join(pieces) if len(pieces) > 1 else _python_of(message)

    def _told(self, number: int) -> bool:
        """Return whether the message that follows is execution feedback."""
        following = self._dialog.messages[number + 1 : number + 2]
        return bool(following) and _is_feedback(following[0])

    def _run(self, code: str, tests: Tests | None) -> Execution:
        return self._executor.program(code, tests)

    def _recall(self, number: int, message: Message, seen: _Seen) -> None:
        """Take what was recorded when the code ran."""
        following = self._dialog.messages[number + 1 : number + 2]
        record = message.meta.get("exec") or (following[0].meta.get("exec") if following else None)
        if isinstance(record, Mapping):
            self._results[number] = recorded = Execution.from_json(record)
            seen.executed, seen.passed = True, _passed(recorded)

    def _run_in_time(self, code: str, message: Message) -> Execution:
        """Run code, once more if it takes too long now and did not when it was recorded: the machine may be busy."""
        result = self._run(code, self._tests(message))
        record = message.meta.get("exec")
        if result.status == "timeout" and isinstance(record, Mapping) and record.get("status") != "timeout":
            result = self._run(code, self._tests(message))
        return result

    def _tests(self, message: Message) -> Tests | None:
        """Return the tests that travel with the message, or with the dialog where its code is all about one task."""
        for meta in (message.meta, self._dialog.meta):
            if meta.get("tests"):
                return Tests.from_json(meta["tests"])
        return None

    def _stands_alone(self, number: int) -> bool:
        """Hold for an answer that nobody has executed in this dialog, and that has no tests."""
        message = self._dialog.messages[number]
        return not self._told(number) and not message.meta.get("exec") and self._tests(message) is None

    def _completed(self, number: int, message: Message) -> Message:
        meta = dict(message.meta)
        meta.setdefault("kind", self._kind(number, message))
        seen = self._seen.get(number)
        if message.role == "assistant" and seen is not None:
            meta["executed"], meta["passed"] = seen.executed, seen.passed
            if seen.language:
                meta["language"] = seen.language
            train = meta.get("train")
            # What is known to be wrong is not to be learned, whatever a stage before thought of it.
            meta["train"] = (train if isinstance(train, bool) else True) and seen.passed is not False
        return dataclasses.replace(message, meta=meta)

    def _kind(self, number: int, message: Message) -> str:
        if message.role == "user":
            return "execution" if _is_feedback(message) else "human" if number > 1 else "query"
        before = self._dialog.messages[number - 1 : number]
        return "repair" if before and _is_feedback(before[0]) and _has_code(message) else "answer"


def _python_of(message: Message) -> str | None:
    """Return the Python of an assistant message that would be run; None if there is none."""
    reader = CodeActionReader()
    reader.feed(message.content)
    action = reader.finish()
    return action.code if action is not None else None


def _has_code(message: Message) -> bool:
    return message.role == "assistant" and (bool(code_of(message.content)) or _python_of(message) is not None)


def _is_feedback(message: Message) -> bool:
    return message.meta.get("kind") == "execution" or FEEDBACK_BEGIN.match(message.content) is not None


def _passed(execution: Execution) -> bool | None:
    return execution.passed if execution.ok else False


def _needs_absent(execution: Execution) -> bool:
    last = execution.error.strip().rpartition("\n")[2]
    return any(name in last for name in _NOT_HERE)


def _words(text: str) -> Execution:
    return Execution("ok", stdout=text)

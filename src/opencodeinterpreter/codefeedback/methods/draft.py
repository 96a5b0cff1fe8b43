"""A dialog as it grows: what was said, the code in it, and what that code really gave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from opencodeinterpreter.codefeedback.asking.parts import Player, Unusable
from opencodeinterpreter.codefeedback.asking.prompts import PROMPTS_VERSION
from opencodeinterpreter.codefeedback.asking.replies import Step
from opencodeinterpreter.codefeedback.methods.origin import origin, provenance, sources_of
from opencodeinterpreter.codefeedback.pipeline.stage import Row
from opencodeinterpreter.codefeedback.rows import Problem, Query, Tests
from opencodeinterpreter.codefeedback.verification.checks import asked_language
from opencodeinterpreter.codefeedback.verification.execution import Executor
from opencodeinterpreter.codefeedback.verification.executions import Execution, feedback_text
from opencodeinterpreter.dialog import Dialog, Message
from opencodeinterpreter.interpreter.code_actions import CodeActionReader


@dataclass(frozen=True)
class Assignment:
    """What a person asks for, wherever it is from."""

    id: str
    text: str
    code: str = ""
    """a program that is known to do it; empty if there is none"""
    tests: Tests | None = None
    language: str = ""
    source: str = ""
    licence: str = ""
    meta: Mapping[str, Any] = field(default_factory=dict, compare=False)

    @property
    def executable(self) -> bool:
        """Whether its language is the one that is executed."""
        named = self.language.lower() in ("python", "python3")
        return named or (not self.language and asked_language(self.text) in ("", "python"))


def assignment(row: Row) -> Assignment:
    """Read a query or a problem.

    Raises:
        InputError: if it is neither.
        Unusable: for a problem without a statement.
    """
    if "query" in row:
        query = Query.from_json(row)
        return Assignment(
            query.id,
            query.query,
            _program_in(query.answer),
            None,
            query.language,
            query.source,
            query.licence,
            query.meta,
        )
    problem = Problem.from_json(row)
    if not problem.statement.strip():
        raise Unusable("a problem without a statement")
    code = next((each.code for each in problem.solutions if (each.language or "python") == "python"), "")
    return Assignment(
        problem.id,
        problem.statement,
        code,
        problem.tests,
        problem.language,
        problem.source,
        problem.licence,
        problem.meta,
    )


def _program_in(answer: str) -> str:
    """Return the Python program in a source's reply, which may be nothing but a program; empty if there is none."""
    reader = CodeActionReader()
    reader.feed(answer)
    action = reader.finish()
    return action.code if action is not None else ""


@dataclass(frozen=True)
class Mark:
    """A point of a dialog that can be gone back to."""

    messages: int
    code: str
    last: Execution | None


@dataclass
class Draft:
    """A dialog that is being made about one assignment.

    Args:
        task: what is asked for; its text becomes the first message.
        executor: runs the code.
    """

    task: Assignment
    executor: Executor
    messages: list[Message] = field(default_factory=list)
    code: str = ""
    """the last program"""
    last: Execution | None = None
    """what it gave"""
    executions: int = 0

    def __post_init__(self) -> None:
        if not self.messages:
            self.messages.append(Message("user", self.task.text.strip(), self._meta("query")))

    @property
    def good(self) -> bool:
        """Whether the last program ran, and passed its tests where there are some."""
        return self.last is not None and self.last.ok and self.last.passed is not False

    def program(self, step: Step, kind: str, model: str) -> Execution:
        """Add a reply with code, and run it."""
        self.code = step.code
        self.last = self.executor.program(step.code, self.task.tests)
        self.executions += 1
        meta = self._meta(
            kind,
            model=model,
            language="python",
            executed=True,
            # Without tests, a run without error shows nothing but that.
            passed=self.last.passed if self.task.tests is not None or self.last.ok else False,
            train=self.good,
            exec=_outcome(self.last),
        )
        self.messages.append(Message("assistant", step.text, meta))
        return self.last

    def tell(self) -> None:
        """Add the message that tells of the last execution."""
        assert self.last is not None
        meta = self._meta("execution", exec=_outcome(self.last), passed=self.last.passed)
        self.messages.append(Message("user", feedback_text(self.last), meta))

    def untell(self) -> None:
        """Take it back, where nothing answers it."""
        assert self.messages[-1].meta["kind"] == "execution"
        self.messages.pop()

    def mark(self) -> Mark:
        """Return where the dialog is now."""
        return Mark(len(self.messages), self.code, self.last)

    def back_to(self, mark: Mark) -> None:
        """Forget what came after."""
        del self.messages[mark.messages :]
        self.code, self.last = mark.code, mark.last

    def say(self, text: str, model: str) -> None:
        """Add a reply in words."""
        self.messages.append(
            Message("assistant", text, self._meta("answer", model=model, executed=False, passed=None, train=True))
        )

    def ask(self, text: str, model: str, **meta: Any) -> None:
        """Add what the person says to the program."""
        self.messages.append(Message("user", text, self._meta("human", model=model, **meta)))

    def dialog(self, method: str, seed: int, players: Mapping[str, Player], **meta: Any) -> Dialog:
        """Return the finished dialog."""
        task = self.task
        known = {
            "method": method,
            "sources": sources_of(task),
            "licence": task.licence,
            "language": "python",
            "seed": seed,
            "prompts": PROMPTS_VERSION,
            "models": {part: player.name for part, player in sorted(players.items())},
            **origin(task.meta),
            **meta,
        }
        if task.tests is not None:
            # Whoever verifies the dialog runs its last program with them again.
            known["tests"] = task.tests.to_json()
        return Dialog(tuple(self.messages), f"{method}-{task.id}", known)

    def _meta(self, kind: str, **more: Any) -> dict[str, Any]:
        return {"kind": kind, **more, **provenance(self.task)}


def _outcome(execution: Execution) -> dict[str, Any]:
    """Return what is stored of an execution: not its seconds, since the same recipe has to give the same bytes."""
    return {name: value for name, value in execution.to_json().items() if name != "seconds"}


def shown(messages: Sequence[Message]) -> tuple[Message, ...]:
    """Return messages as a model is sent them."""
    return tuple(Message(message.role, message.content) for message in messages)

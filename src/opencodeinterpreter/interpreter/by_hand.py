"""What a person does in a session beside giving tasks: code of their own, and turns that were had elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence

from opencodeinterpreter.interpreter import feedback as texts
from opencodeinterpreter.interpreter.answer import answer_of
from opencodeinterpreter.interpreter.events import (
    CodeActionStarted,
    Event,
    ExecutionFinished,
    Notice,
    Round,
    RoundFinished,
    RoundStarted,
    TurnStarted,
)
from opencodeinterpreter.interpreter.execution import execute
from opencodeinterpreter.interpreter.history import History, Turn
from opencodeinterpreter.interpreter.tools.toolbox import Toolbox
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import ExecutionResult


class ByHand:
    """Runs code that no model was asked for, as turns of the session, so that the model knows of it afterwards.

    Args:
        sandbox: runs the code.
        history: the session so far; the turns are added to it.
        stopped: set from any thread to end the code.
        tools: that the code may call.
    """

    def __init__(
        self, sandbox: AnySandbox, history: History, stopped: threading.Event, tools: Toolbox | None = None
    ) -> None:
        self._sandbox = sandbox
        self._history = history
        self._stopped = stopped
        self._tools = tools

    def own_code(self, code: str, replaces: int | None, note: str) -> Iterator[Event]:
        """Run a person's code.

        Args:
            replaces: the number, in the log, of the cell that it was made from.
            note: what the model is to be told first.

        Raises:
            SandboxError: the sandbox failed.
        """
        turn = Turn("")
        yield from self._begin(turn)
        yield RoundStarted(0)
        result = yield from self._run(0, code, replaces)
        if result.state_lost:
            yield Notice("state lost", "The interpreter was restarted: variables are gone, files are still there.")
        told = texts.own_code_feedback(code, texts.execution_feedback(result), replaces is not None)
        yield self._finish(turn, Round("", code, result, f"{note}\n\n{told}" if note else told))
        turn.answer = answer_of(turn, "ran", self._history.dialog(), self._sandbox.language)
        yield turn.answer

    def earlier_turn(self, task: str, answer: str, codes: Sequence[str]) -> Iterator[Event]:
        """Take over a turn that was had elsewhere: its code runs again, its words stay as they were.

        Raises:
            SandboxError: the sandbox failed.
        """
        turn = Turn(task, (), task)
        yield from self._begin(turn)
        for number, code in enumerate(codes):
            if self._stopped.is_set():
                break
            yield RoundStarted(number)
            result = yield from self._run(number, code, None, replay=True)
            reply = f"```{self._sandbox.language}\n{code.strip()}\n```"
            yield self._finish(turn, Round(reply, code, result, texts.execution_feedback(result)))
        number = len(turn.rounds)
        yield RoundStarted(number)
        yield self._finish(turn, Round(answer or "Done.", None, None, None))
        turn.answer = answer_of(turn, "answered", self._history.dialog(), self._sandbox.language)
        yield turn.answer

    def replay(self, first: int) -> Generator[Event, None, bool]:
        """Run the code of the rounds that worked again, from turn ``first``; return whether that was done to the end.

        Tools are not called again: code that calls one fails, and there the replay stops.

        Raises:
            SandboxError: the sandbox failed.
        """
        for turn in self._history.turns[first:]:
            for round_ in turn.rounds:
                if round_.code is None or round_.result is None or not round_.result.ok:
                    continue
                if self._stopped.is_set():
                    return False
                result = yield from self._run(0, round_.code, None, replay=True)
                if not result.ok:
                    why = "this code worked before and does not now."
                    if result.error is not None and result.error.name == "ToolError":
                        why = "this code called a tool, and a replay does not call tools again."
                    yield Notice("state lost", f"Replaying stopped here: {why}")
                    return False
        return True

    def _begin(self, turn: Turn) -> Iterator[Event]:
        number = len(self._history.turns)
        self._history.turns.append(turn)
        yield TurnStarted(number, turn.task, turn.files, turn.message)

    def _run(
        self, number: int, code: str, replaces: int | None, replay: bool = False
    ) -> Generator[Event, None, ExecutionResult]:
        yield CodeActionStarted(number, code, self._sandbox.language, "user", replaces)
        result = yield from execute(self._sandbox, code, self._stopped, self._tools, number, replay)
        yield ExecutionFinished(number, result)
        return result

    @staticmethod
    def _finish(turn: Turn, round_: Round) -> RoundFinished:
        turn.rounds.append(round_)
        return RoundFinished(len(turn.rounds) - 1, round_.reply, round_.feedback, round_.usage)

"""The loop of one turn: generate, execute, give the feedback, until there is an answer (DESIGN: one generator)."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace

from opencodeinterpreter.errors import InputError, ModelError, PackageError
from opencodeinterpreter.interpreter import feedback as texts
from opencodeinterpreter.interpreter.answer import answer_of
from opencodeinterpreter.interpreter.code_actions import (
    CodeAction,
    CodeActionReader,
    is_python,
    same_code,
)
from opencodeinterpreter.interpreter.events import (
    ApprovalRequest,
    CodeActionStarted,
    Decided,
    Event,
    ExecutionFinished,
    InstallRequest,
    Notice,
    Outcome,
    Request,
    Round,
    RoundFinished,
    RoundStarted,
    TextDelta,
)
from opencodeinterpreter.interpreter.execution import execute
from opencodeinterpreter.interpreter.hints import missing_module
from opencodeinterpreter.interpreter.history import History, Turn
from opencodeinterpreter.interpreter.inspection import facts_after, files_after, values_after
from opencodeinterpreter.interpreter.objections import ReminderKind, missing_files, objection, only_states_values
from opencodeinterpreter.interpreter.tools.toolbox import Toolbox
from opencodeinterpreter.models.base import ChatModel, Generation, Usage, sees_images
from opencodeinterpreter.sandbox import AnySandbox
from opencodeinterpreter.sandbox.base import ExecutionResult
from opencodeinterpreter.sandbox.packages import PackageFolder, distribution_of

_SAME_ERRORS = 3
"""So many runs in a row that end in one and the same error end the turn."""
_REMINDERS = 2
"""How often in a turn a reply that cannot be used is answered with a reminder instead of a run."""
_PROMPT_SLACK = 16
_VARIED_TEMPERATURE = 0.7


@dataclass(frozen=True)
class _Reply:
    text: str
    action: CodeAction | None
    cut: bool
    usage: Usage | None


class TurnLoop:
    """Runs the rounds of one turn.

    Args:
        model: writes the replies.
        sandbox: runs the code.
        history: the session so far; its last turn is the one to be answered, and is filled as it goes.
        max_rounds: executions allowed, round 0 included.
        approve: ask before each run.
        stopped: set from any thread to end the turn.
        packages: installs packages that code misses; the sandbox must have been given its folder.
        tools: that code may call.
    """

    def __init__(
        self,
        model: ChatModel,
        sandbox: AnySandbox,
        history: History,
        *,
        max_rounds: int,
        generation: Generation,
        approve: bool,
        stopped: threading.Event,
        language: str = "python",
        packages: PackageFolder | None = None,
        tools: Toolbox | None = None,
    ) -> None:
        self._model = model
        self._sandbox = sandbox
        self._history = history
        self._turn: Turn = history.turns[-1]
        self._max_rounds = max_rounds
        self._generation = generation
        self._approve = approve
        self._stopped = stopped
        self._language = language
        self._packages = packages
        self._tools = tools
        self._tried: set[str] = set()
        self._reminders = 0
        self._checked = False
        self._last_reminder: ReminderKind | None = None

    def run(self) -> Iterator[Event]:
        """Yield the events of the turn, up to its ``Answer``.

        Raises:
            ModelError, SandboxError: what the model or the sandbox could not do.
        """
        outcome: Outcome | None = None
        while outcome is None:
            outcome = yield from self._round()
        self._turn.answer = answer_of(self._turn, outcome, self._history.dialog(), self._language)
        yield self._turn.answer

    def _round(self) -> Generator[Event, None, Outcome | None]:
        """Do one round; return how the turn ended, or None if it goes on."""
        number = len(self._turn.rounds)
        yield RoundStarted(number)
        try:
            reply = yield from self._ask()
        except ModelError:
            if not self._stopped.is_set():
                raise
            reply = _Reply("", None, cut=False, usage=None)  # what a stop breaks off is no failure
        if self._stopped.is_set():
            yield self._finish(Round(reply.text, None, None, None, reply.usage))
            return "stopped"
        if reply.action is None:
            return (yield from self._without_action(reply))
        if reply.cut and not reply.action.closed and not is_python(reply.action.code):
            return (yield from self._remind(reply, "reply cut", texts.cut_feedback(), otherwise="max rounds"))
        if self._reminders < _REMINDERS and only_states_values(reply.action.code, self._turn, self._earlier()):
            return (yield from self._remind(reply, "reformat", texts.stated_value_feedback(), otherwise="answered"))
        last = self._last_executed()
        if last is not None and last.code is not None and same_code(last.code, reply.action.code):
            missing = missing_files(self._turn.task, self._sandbox)
            if last.result is not None and (not last.result.ok or texts.looks_empty(last.result) or missing):
                return (yield from self._start_afresh(reply, last.code, last.result, missing))
            return (yield from self._remind(reply, "repeated", texts.repeated_feedback(), "answered"))
        return (yield from self._act(reply, reply.action))

    def _ask(self) -> Generator[Event, None, _Reply]:
        """Stream the model's reply up to the end of its first code action."""
        if not self._turn.rounds:
            self._history.vision = sees_images(self._model)
            self._history.look_for_pictures(self._sandbox)
        room = self._model.context_tokens - self._generation.max_tokens - _PROMPT_SLACK
        dialog, condensed = self._history.dialog_within(room, self._model.count_tokens)
        if condensed:
            yield Notice(
                "dialog condensed",
                "Older parts of the dialog are shortened for the model, whose context is full.",
            )
        reader = CodeActionReader(self._language)
        text, action = "", None
        with self._model.stream(dialog.messages, self._varied_generation()) as stream:
            try:
                for delta in stream:
                    text += delta
                    action = reader.feed(delta)
                    if action is not None:
                        # What a model writes past its code is an invented output (DESIGN 7).
                        surplus = len(text) - action.end
                        delta = delta[: len(delta) - surplus] if surplus else delta
                        text = text[: action.end]
                    if delta:
                        yield TextDelta(delta)
                    if action is not None or self._stopped.is_set():
                        stream.cancel()
                        break
                for _ in stream:  # drained, so that the usage is there
                    pass
            except GeneratorExit:
                self._turn.rounds.append(Round(text, None, None, None))
                raise
            cut = stream.finish_reason == "length"
            usage = stream.usage
        return _Reply(text, action or reader.finish(), cut, usage)

    def _varied_generation(self) -> Generation:
        """After a repetition, leave the beaten path: greedy decoding would take it again."""
        if self._last_reminder != "repeated":
            return self._generation
        chosen = self._generation
        # Another seed each time: with the same one, the same prompt would give the same reply once more.
        seed = (chosen.seed or 0) + self._reminders
        return replace(chosen, temperature=max(chosen.temperature, _VARIED_TEMPERATURE), seed=seed)

    def _without_action(self, reply: _Reply) -> Generator[Event, None, Outcome | None]:
        against = objection(reply.text, self._turn, self._earlier(), self._sandbox)
        if against is not None:
            return (yield from self._remind(reply, *against, otherwise="answered"))
        yield self._finish(Round(reply.text, None, None, None, reply.usage))
        return "answered"

    def _earlier(self) -> str:
        """Return what was said and shown before this turn."""
        turns = self._history.turns[:-1]
        said = [text for turn in turns for round_ in turn.rounds for text in (round_.reply, round_.feedback or "")]
        return "\n".join([*(turn.message for turn in turns), *said])

    def _remind(
        self, reply: _Reply, kind: ReminderKind, text: str, otherwise: Outcome
    ) -> Generator[Event, None, Outcome | None]:
        """Answer a reply that cannot be used with a reminder; past the last one end the turn as ``otherwise``."""
        again = kind == self._last_reminder == "unfinished"
        if self._reminders >= _REMINDERS or again:
            yield self._finish(Round(reply.text, None, None, None, reply.usage))
            return otherwise
        self._last_reminder = kind
        self._reminders += 1
        yield Notice(kind, text)
        yield self._finish(Round(reply.text, None, None, text, reply.usage))
        return None

    def _start_afresh(
        self, reply: _Reply, code: str, result: ExecutionResult, missing: list[str]
    ) -> Generator[Event, None, Outcome | None]:
        """Answer code that led nowhere, given again, by a clean sheet: what a model sees, it copies."""
        note = texts.fresh_start(result, facts_after(code, result, self._sandbox), missing)
        outcome = yield from self._remind(reply, "repeated", note, "answered" if result.ok else "repeated")
        if outcome is None:
            self._turn.shown_from, self._turn.note = len(self._turn.rounds), note
        return outcome

    def _act(self, reply: _Reply, action: CodeAction) -> Generator[Event, None, Outcome | None]:
        number = len(self._turn.rounds)
        code, edited = action.code, False
        if self._approve:
            decision = yield from self._ask_person(number, action.code)
            if decision is None:
                yield self._finish(Round(reply.text, None, None, None, reply.usage))
                return "stopped"
            verb, text = decision
            if verb == "reject":
                feedback = texts.rejected_feedback(text) if text.strip() else None
                yield self._finish(Round(reply.text, action.code, None, feedback, reply.usage))
                return None if feedback else "rejected"
            code, edited = text, verb == "edit"
        self._last_reminder = None
        runs_again = True
        while runs_again:
            yield CodeActionStarted(number, code, self._language, "user" if edited else "model")
            result = yield from execute(self._sandbox, code, self._stopped, self._tools, number)
            yield ExecutionFinished(number, result)
            runs_again = yield from self._lets_install(number, result)
        if result.state_lost:
            yield Notice("state lost", "The interpreter was restarted: variables are gone, files are still there.")
        # Once a turn: a true zero is believed when the model stands by it.
        check = texts.looks_empty(result) and not self._checked
        self._checked = self._checked or check
        facts = facts_after(code, result, self._sandbox) if check or not result.ok else ""
        if result.ok:
            values = values_after(code, self._sandbox) if texts.is_silent(result) else ""
            facts = "\n".join(part for part in (facts, values, files_after(result, self._sandbox)) if part)
        feedback = texts.execution_feedback(result, facts, check)
        if edited:
            feedback = texts.edited_feedback(code, feedback)
        yield self._finish(Round(reply.text, code, result, feedback, reply.usage))
        return self._after(result)

    def _lets_install(self, number: int, result: ExecutionResult) -> Generator[Event, None, bool]:
        """Install what the code misses, if that may be; return whether it is worth running again."""
        missing = missing_module(result.error)
        if self._packages is None or missing is None:
            return False
        name = distribution_of(missing)
        if name in self._tried or not (self._packages.index or self._packages.has_wheel(name)):
            return False
        self._tried.add(name)
        if not self._packages.has_wheel(name):
            decision = yield from self._decision(InstallRequest(number, name))
            if decision is None or decision[0] != "approve":
                return False
        yield Notice("installing", f"Installing {name} for this session …")
        try:
            installed = self._packages.install(name)
        except (InputError, PackageError) as error:
            yield Notice("not installed", str(error))
            return False
        yield Notice("installed", f"Installed for this session: {', '.join(installed) or name}.")
        return True

    def _ask_person(self, number: int, code: str) -> Generator[Event, None, tuple[str, str] | None]:
        return (yield from self._decision(ApprovalRequest(number, code, self._language)))

    def _decision(self, request: Request) -> Generator[Event, None, tuple[str, str] | None]:
        yield request
        while not self._stopped.is_set():
            decision = request.wait(timeout=0.1)
            if decision is not None:
                verb, text = decision
                yield Decided(getattr(request, "round", 0), verb, "" if verb == "approve" else text)
                return decision
        return None

    def _after(self, result: ExecutionResult) -> Outcome | None:
        """Decide whether the turn ends with this execution."""
        if result.reason == "stopped" or self._stopped.is_set():
            return "stopped"
        executed = [round_ for round_ in self._turn.rounds if round_.result is not None]
        if len(executed) >= self._max_rounds:
            return "max rounds"
        errors = [round_.result.error for round_ in executed[-_SAME_ERRORS:] if round_.result is not None]
        first = errors[0]
        if len(errors) == _SAME_ERRORS and first is not None:
            same = all(error and (error.name, error.value) == (first.name, first.value) for error in errors)
            if same:
                return "repeated"
        return None

    def _last_executed(self) -> Round | None:
        return next((round_ for round_ in reversed(self._turn.rounds) if round_.result is not None), None)

    def _finish(self, round_: Round) -> RoundFinished:
        self._turn.rounds.append(round_)
        return RoundFinished(len(self._turn.rounds) - 1, round_.reply, round_.feedback, round_.usage)

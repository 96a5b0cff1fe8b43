"""The turns of a session, and the dialog that the model sees of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

from opencodeinterpreter.dialog import Dialog, Message, Picture
from opencodeinterpreter.errors import ContextLengthError, InputError
from opencodeinterpreter.interpreter.events import Answer, Round
from opencodeinterpreter.interpreter.feedback import shorten
from opencodeinterpreter.interpreter.pictures import figures_of, latest, uploaded
from opencodeinterpreter.sandbox import AnySandbox

_CONDENSED_TO = 0.6
"""Of the room there is. Well below 1, because every condensing costs the engine its kept prefix."""


Rating = Literal["good", "bad"]
"""What a person thinks of an answer."""


@dataclass
class Turn:
    """One user message and all the rounds that answered it."""

    task: str
    files: tuple[str, ...] = ()
    message: str = ""
    rounds: list[Round] = field(default_factory=list)
    answer: Answer | None = None
    shown_from: int = 0
    """The first round that the model is still shown; those before it led nowhere and are only to be copied again."""
    note: str = ""
    """What the model is told in place of the rounds that it is no longer shown."""
    pictures: tuple[Picture, ...] | None = None
    """That came with it, for a model that sees; None where they have not been looked for."""
    rating: Rating | None = None
    """Of its answer, by a person; in the stored form it stands in the meta of the turn's last reply."""


@dataclass
class History:
    """Everything said and done in a session, in order."""

    system: str
    turns: list[Turn] = field(default_factory=list)
    condensed: int = 0
    """How far ``dialog_within`` has condensed; only ever goes up, so that the prefix stays the same between steps."""
    vision: bool = False
    """Whether the model is shown pictures."""

    def dialog(self) -> Dialog:
        """Return the whole dialog; user and assistant alternate."""
        return Dialog(tuple(_alternating([Message("system", self.system), *self._messages(self.turns, whole=True)])))

    def look_for_pictures(self, sandbox: AnySandbox) -> None:
        """Find the pictures that came with the tasks, for a model that sees, where that has not been done."""
        for turn in self.turns if self.vision else ():
            if turn.pictures is None:
                turn.pictures = uploaded(sandbox, turn.files)

    def dialog_within(self, tokens: int, count: Callable[[Sequence[Message]], int]) -> tuple[Dialog, bool]:
        """Return the dialog, condensed as far as needed to fit into ``tokens``, and whether it was just condensed.

        The first to go is the output of old rounds, then old rounds but for their turn's answer, then old turns.

        Raises:
            ContextLengthError: if the last user message alone is too long.
        """
        dialog = self._condensed_dialog(self.condensed)
        used = count(dialog.messages)
        if used <= tokens:
            return dialog, False
        for level in range(self.condensed + 1, self._last_level() + 1):
            dialog = self._condensed_dialog(level)
            used = count(dialog.messages)
            if used <= tokens * _CONDENSED_TO or (level == self._last_level() and used <= tokens):
                self.condensed = level
                return dialog, True
        raise ContextLengthError(
            f"The message is too long for the model: it takes {used:,} tokens and {tokens:,} are left of the context; "
            "shorten it, or give long data as a file, or ask for a larger context."
        )

    def _last_level(self) -> int:
        return 2 + len(self.turns)

    def _condensed_dialog(self, level: int) -> Dialog:
        turns = self.turns
        if level >= 1:
            turns = [_with_short_outputs(turn, keep_last=turn is self.turns[-1]) for turn in turns]
        if level >= 2:
            turns = [*(_answer_only(turn) for turn in turns[:-1]), _recent_rounds(turns[-1])]
        messages = [Message("system", self.system)]
        dropped = min(max(level - 2, 0), len(turns) - 1)
        if dropped:
            messages.append(Message("user", f"({dropped} earlier messages of this conversation are left out.)"))
        messages += self._messages(turns[dropped:])
        joined = _alternating(messages)
        return Dialog(tuple(latest(joined) if self.vision else joined))

    def _messages(self, turns: Sequence[Turn], whole: bool = False) -> list[Message]:
        messages: list[Message] = []
        for turn in turns:
            first = 0 if whole else turn.shown_from
            message = f"{turn.message}\n\n{turn.note}" if first else turn.message
            if message:  # a person's own code comes without
                shown = turn.pictures or () if self.vision else ()
                messages.append(Message("user", message, {"kind": "task"}, shown))
            for number, round_ in enumerate(turn.rounds[first:], start=first):
                kind = "answer" if number == 0 else "repair" if _failed(turn.rounds[number - 1]) else "answer"
                passed = {"passed": round_.result.ok} if round_.result else {}
                rated = {"rating": turn.rating} if turn.rating and number == len(turn.rounds) - 1 else {}
                if round_.reply:
                    messages.append(Message("assistant", round_.reply, {"kind": kind, **passed, **rated}))
                if round_.feedback is not None:
                    source = "execution" if round_.result is not None else "human"
                    shown = figures_of(round_.result) if self.vision else ()
                    messages.append(Message("user", round_.feedback, {"kind": source}, shown))
        return messages


def check_rating(turns: Sequence[Turn], number: int, rating: str | None) -> None:
    """Raise InputError unless turn ``number`` has an answer, and the answer can be rated so."""
    if rating not in (None, *get_args(Rating)):
        raise InputError(f"An answer is rated {' or '.join(get_args(Rating))}, not {rating!r}.")
    if not 0 <= number < len(turns) or not turns[number].message:
        raise InputError("There is no answer to rate." if number < 0 else f"There is no answer {number} to rate.")
    turn = turns[number]
    if turn.answer is None or not turn.rounds or not turn.rounds[-1].reply:
        raise InputError("This turn has no answer to rate.")


def _failed(round_: Round) -> bool:
    return round_.result is not None and not round_.result.ok


def _alternating(messages: list[Message]) -> list[Message]:
    """Join neighbours of one role: most chat templates know no other order than user, assistant, user."""
    joined: list[Message] = []
    for message in messages:
        if joined and joined[-1].role == message.role:
            last = joined[-1]
            text, meta = f"{last.content}\n\n{message.content}", {**last.meta, **message.meta}
            joined[-1] = Message(last.role, text, meta, last.pictures + message.pictures)
        else:
            joined.append(message)
    return joined


def _with_short_outputs(turn: Turn, keep_last: bool) -> Turn:
    rounds = [replace(round_, feedback=round_.feedback and shorten(round_.feedback, 300)) for round_ in turn.rounds]
    if keep_last and turn.rounds:
        rounds[-1] = turn.rounds[-1]
    return replace(turn, message=shorten(turn.message, 2000) if not keep_last else turn.message, rounds=rounds)


def _answer_only(turn: Turn) -> Turn:
    if not turn.message:
        return _with_short_outputs(turn, keep_last=False)
    text = turn.answer.text if turn.answer else "(no answer)"
    return replace(turn, rounds=[Round(text or "(no answer)", None, None, None)], shown_from=0)


def _recent_rounds(turn: Turn) -> Turn:
    return replace(turn, shown_from=max(turn.shown_from, len(turn.rounds) - 1))

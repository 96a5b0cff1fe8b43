"""Finds or makes the session for a dialog of a caller who keeps no state, and begins a turn in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from opencodeinterpreter.errors import UnknownSessionError
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.interpreter.session_log import read_numbered
from opencodeinterpreter.models.base import Generation
from opencodeinterpreter.serving.access import Key
from opencodeinterpreter.serving.hub import Hub
from opencodeinterpreter.serving.openai_dialogs import Dialogs, Said, Standing, digest
from opencodeinterpreter.serving.openai_input import Asked, put
from opencodeinterpreter.serving.openai_text import code_of, words_of
from opencodeinterpreter.serving.quotas import Place, Quotas
from opencodeinterpreter.serving.refusals import BusyError, NotHereError
from opencodeinterpreter.serving.room import Room
from opencodeinterpreter.serving.run_rows import Run

_FROM_THE_START = "(For this whole conversation: "
_FROM_HERE = "(From here on: "

_END_SECONDS = 5.0
"""For a run whose caller has left to end, before the dialog goes on."""


@dataclass(frozen=True)
class Begun:
    """A turn that has begun for a caller."""

    room: Room
    run: Run
    skip: int
    """Turns of an earlier dialog that it takes over first."""
    turns: int
    """The turns of the session once it has ended."""


class Finder:
    """Finds or makes sessions for one caller."""

    def __init__(self, hub: Hub, key: Key, quotas: Quotas, dialogs: Dialogs, model: str) -> None:
        self._hub = hub
        self._key = key
        self._quotas = quotas
        self._dialogs = dialogs
        self._model = model
        self._new: Room | None = None
        """made for the turn that is begun"""

    def begin(self, asked: Asked, session: str | None, user: str, generation: Generation) -> Begun:
        """Begin a turn in the session that is named, else in that of the dialog, else in a new one.

        Raises:
            OcintError: there is no such session, it is busy, or there is no room.
        """
        if session is None and user.startswith("session:"):
            session = user.removeprefix("session:")
        known = self._known(asked, user) if session is None else None
        with self._quotas.new_run(self._key, known[0] if known else session) as place, self._nothing_left():
            room = self._at(*known) if known else self._hub.room(session, self._key.name) if session else None
            if room is not None:
                return self._begin(room, asked, generation)
            room = self._made(place, lambda: self._hub.create(self._key.name, model=self._model))
            return self._begin(room, asked, generation, _turns(asked.before))

    def go_on(self, asked: Asked, response: Standing, generation: Generation) -> Begun:
        """Begin the turn after a response. Where the session has gone on from there already, this is a branch.

        Raises:
            OcintError: the response is no longer there, its session is busy, or there is no room.
        """
        with self._quotas.new_run(self._key, response.session) as place, self._nothing_left():
            return self._begin(self._after(response, place), asked, generation)

    def _begin(
        self, room: Room, asked: Asked, generation: Generation, earlier: Sequence[tuple[str, str, Sequence[str]]] = ()
    ) -> Begun:
        room.turn_seconds = self._key.turn_seconds
        if room.settings()["model"] != self._model:
            room.choose(model=self._model)
        files = put(asked.attachments, self._hub.files(room))
        so_far = room.turns()
        task = f"{_told(asked.system.strip(), so_far)}{asked.task}"
        turns = len(so_far) + len(earlier) + 1
        if earlier:
            run = room.adopt(earlier, lambda it: it.stream(task, present=files), generation)
        else:
            run = room.message(task, files, generation)
        return Begun(room, run, len(earlier), turns)

    def _made(self, place: Place, make: Callable[[], Room]) -> Room:
        """Make a session for a run, and keep its place there."""
        self._quotas.begin_elsewhere(self._key, place)
        self._quotas.check_sessions(self._key)
        self._hub.check_queue()  # before a dialog is copied for nothing
        room = self._new = make()
        place.session = room.id
        return room

    @contextlib.contextmanager
    def _nothing_left(self) -> Iterator[None]:
        """Delete a session that was made for a turn that could not begin: who is refused comes again, and again."""
        try:
            yield
        except BaseException:
            if self._new is not None:
                self._hub.delete(self._new)
            raise

    # By what was said.

    def _known(self, asked: Asked, user: str) -> tuple[str, int] | None:
        """Return the session of a dialog that is gone on with, and how many turns it had then."""
        if not asked.before:
            return None
        found = self._dialogs.find(digest(self._key.name, user, asked.before))
        if found is None and asked.before[-1][0] == "assistant":
            *before, (_, kept) = asked.before
            found = self._dialogs.find_cut(digest(self._key.name, user, before), kept)
            if found is not None:
                self._let_end(found[0])
        return found

    def _let_end(self, session: str) -> None:
        with contextlib.suppress(UnknownSessionError):
            self._hub.room(session, self._key.name).wait(_END_SECONDS)

    def _at(self, session: str, turns: int) -> Room | None:
        """Return a session, taken back to so many turns; None if that cannot be."""
        try:
            room = self._hub.room(session, self._key.name)
        except UnknownSessionError:
            return None
        if room.running or len(room.turns()) < turns:
            return None
        room.take_back(turns)  # an earlier message was edited, or is to be answered again
        return room

    # By the response before.

    def _after(self, response: Standing, place: Place) -> Room:
        """Return a session that stands where a response does: its own, or a fork that is a branch."""
        try:
            room = self._hub.room(response.session, self._key.name)
        except UnknownSessionError:
            raise NotHereError("There is no such response.") from None
        if room.running:
            raise BusyError("Something runs in the session of the response; wait for it, or stop it first.")
        if not _stands(room, response):
            raise NotHereError("There is no such response any more: its turn was taken back.")
        later = room.turns()[response.turns :]
        if all(map(_came_to_nothing, later)) and not self._dialogs.have_later(response):
            room.take_back(response.turns)
            return room
        return self._made(place, lambda: self._hub.fork(room, response.turns - 1))


def _told(system: str, so_far: Sequence[Turn]) -> str:
    """Return what a caller tells every model, to stand before a task; nothing where the session has been told it."""
    if not system:
        return ""
    texts = {opening: f"{opening}{system})\n\n" for opening in (_FROM_THE_START, _FROM_HERE)}
    before = next((turn.message for turn in reversed(so_far) if turn.message.startswith(tuple(texts))), "")
    if before.startswith(tuple(texts.values())):
        return ""
    return texts[_FROM_HERE if so_far else _FROM_THE_START]


def _stands(room: Room, response: Standing) -> bool:
    """Tell whether the turn of a response was not taken back since."""
    turns = response.turns
    if response.event is not None:
        for _, row in read_numbered(room.log, response.event):
            turns += {"turn_started": 1, "undo": -1}.get(str(row.get("type")), 0)
            if turns < response.turns:
                return False
    return len(room.turns()) >= response.turns


def _came_to_nothing(turn: Turn) -> bool:
    """Tell whether a turn failed, or was ended because its caller left."""
    return turn.answer is None or turn.answer.outcome == "stopped"


def _turns(before: Sequence[Said]) -> list[tuple[str, str, Sequence[str]]]:
    """Return the turns of a dialog that was had elsewhere: task, last words, code."""
    joined: list[tuple[str, str]] = []
    for role, text in before:
        if joined and joined[-1][0] == role:
            text = f"{joined.pop()[1]}\n\n{text}"
        joined.append((role, text))
    turns: list[tuple[str, str, Sequence[str]]] = []
    for number, (role, task) in enumerate(joined):
        if role == "user":
            answer = joined[number + 1][1] if number + 1 < len(joined) else ""
            turns.append((task, words_of(answer), code_of(answer)))
    return turns

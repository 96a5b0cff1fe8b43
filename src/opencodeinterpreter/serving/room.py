"""One session as a server holds it, and what a person does with it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter import Event, Interpreter, Rating, Session
from opencodeinterpreter.interpreter.history import check_rating
from opencodeinterpreter.models.base import ChatModel, Generation
from opencodeinterpreter.serving import room_log
from opencodeinterpreter.serving.room_runs import Begin, RoomRuns
from opencodeinterpreter.serving.run_rows import Run

_MOMENT = 1.0


class Room(RoomRuns):
    """A session of the hub; ``Hub`` makes it.

    Each of its methods raises BusyError while something runs, unless it says otherwise.
    """

    def message(self, text: str, files: Sequence[str] = (), generation: Generation | None = None) -> Run:
        """Begin a turn.

        Args:
            files: names in the workspace, of which the model is told.
            generation: how replies are generated this time.

        Raises:
            InputError: an empty message, or a file that is not there.
        """
        if not text.strip():
            raise InputError("The message is empty; say what is to be done.")
        self.check_files(files)
        return self._begin(lambda it: it.stream(text, present=files), generation=generation)

    def edit(self, turn: int, text: str) -> Run:
        """Take back ``turn`` and what came after it, and do another task in its place."""
        with self._free():
            turns = self.turns()
            if not text.strip():
                raise InputError("The message is empty; say what is to be done.")
            if not 0 <= turn < len(turns) or not turns[turn].message:
                raise InputError(f"There is no message {turn} to edit.")
            return self._begin(lambda it: it.edit(turn, text))

    def retry(self) -> Run:
        """Do the last turn again."""
        with self._free():
            if not self.turns():
                raise InputError("There is nothing to do again.")
            return self._begin(lambda it: it.retry())

    def run_code(self, code: str, replaces: int | None = None) -> Run:
        """Run a person's code; ``replaces`` is the number of the cell that it was made from."""
        if not code.strip():
            raise InputError("There is no code to run.")
        if replaces is not None:
            self.code_of(replaces)
        return self._begin(lambda it: it.execute(code, replaces))

    def adopt(
        self, turns: Sequence[tuple[str, str, Sequence[str]]], then: Begin, generation: Generation | None = None
    ) -> Run:
        """Take over turns that were had elsewhere, each (task, answer, code of its cells), then begin another."""

        def begin(it: Interpreter) -> Iterator[Event]:
            for task, answer, codes in turns:
                yield from it.adopt(task, answer, codes)
            yield from then(it)

        return self._begin(begin, generation)

    def replay(self) -> Run:
        """Run the earlier code that worked again."""
        return self._begin(None)

    def undo(self) -> None:
        """Take back the last turn."""
        with self._free():
            self._opened().undo()

    def take_back(self, turns: int) -> None:
        """Take back all but the first so many turns."""
        with self._free():
            while len(self.turns()) > turns:
                self._opened().undo()

    def comment(self, text: str, cell: int | None = None, run: bool = False) -> None:
        """Comment on a cell: the model is told with the next message, or at once with ``run``."""
        code = self.code_of(cell) if cell is not None else ""
        with self._free():
            if run:
                self._hub.admit(self)
            self._opened().comment(text, code, cell)
            if run:
                self._begin(lambda it: it.stream("Take my comment into account."))

    def rate(self, rating: Rating | None, turn: int | None = None) -> int:
        """Rate the answer of a turn, also while a later one runs; return the turn.

        Args:
            rating: None takes back what was said before.
            turn: 0 is the first; None is the last one.

        Raises:
            InputError: there is no such turn, or it has no answer.
        """
        with self._lock:
            if self._interpreter is not None:
                return self._interpreter.rate(rating, turn)
            turns = self.turns()
            number = len(turns) - 1 if turn is None else turn
            check_rating(turns, number, rating)
            self.note({"type": "rated", "turn": number, "rating": rating})
            return number

    def fork(self, turn: int | None = None, title: str | None = None) -> Session:
        """Return a new session that begins with this one up to a turn, and with its files as they are now.

        Args:
            turn: the last one taken over, 0 being the first; None takes over all.
            title: None for this one's.

        Raises:
            InputError: there is no such turn, or the files are too large.
        """
        with self._free():
            limit = self._hub.settings.limits.workspace_mb
            return self._hub.store.fork(self._session or self.id, turn, title, limit)

    def decide(self, verb: str, text: str = "") -> None:
        """Decide the request that waits: "approve", "edit" (with the code) or "reject" (with a reason).

        Raises:
            NothingWaitsError: nothing waits.
            InputError: a decision that cannot be made of it.
        """
        # Its event is in the log, for all to see, a moment before the request can be decided.
        if self._thread is not None:
            self.bell.wait_for(lambda: bool(self._pending) or self._thread is None, _MOMENT)
        with self._lock:
            self._pending.decide(verb, text)
        self.bell.ring()

    def choose(self, model: str | None = None, approve: bool | None = None) -> None:
        """Go on with another model, or with or without asking before code runs."""
        with self._free():
            if model is not None:
                self._hub.shelf.check(model)
            interpreter = self._opened()
            if model is not None:
                self._model = self._hub.shelf.for_session(model, self.bell.ring, self._stop)
                interpreter.model = cast(ChatModel, self._model)
            if approve is not None:
                interpreter.approve = approve
            self.note({"type": "chosen", "model": model, "approve": approve})

    def check_files(self, names: Sequence[str]) -> None:
        """Raise InputError unless each is the name of a file in the workspace."""
        for name in names:
            self._hub.files(self).read(name, 0)

    def code_of(self, cell: int) -> str:
        """Return the code of a cell.

        Raises:
            InputError: the event of this number began no code.
        """
        return room_log.code_of(self.log, cell)

    def reset(self) -> None:
        """End the kernel: variables are gone, files stay, and nothing is replayed."""
        with self._free():
            interpreter = self._opened()
            interpreter.sandbox.restart()
            self._replay_from = len(interpreter.turns)
            self.note({"type": "reset", "turns": self._replay_from})
            self.state_lost = False

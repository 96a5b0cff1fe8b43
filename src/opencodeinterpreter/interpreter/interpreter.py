"""The interpreter: a model, a sandbox and the loop between them."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import InputError, ModelError, OcintError, SandboxError
from opencodeinterpreter.interpreter.by_hand import ByHand
from opencodeinterpreter.interpreter.events import (
    Answer,
    Event,
    Failure,
    Notice,
    TurnStarted,
)
from opencodeinterpreter.interpreter.feedback import comment_feedback
from opencodeinterpreter.interpreter.history import History, Rating, Turn, check_rating
from opencodeinterpreter.interpreter.prompts import PROMPT_VERSION, system_prompt
from opencodeinterpreter.interpreter.recording import Recorder, history_of, pending_comments
from opencodeinterpreter.interpreter.sessions import Session
from opencodeinterpreter.interpreter.tools.toolbox import Toolbox
from opencodeinterpreter.interpreter.turn import TurnLoop
from opencodeinterpreter.interpreter.uploads import READ_BYTES, Upload, describe_uploads
from opencodeinterpreter.models import load_model
from opencodeinterpreter.models.base import ChatModel, Generation
from opencodeinterpreter.sandbox import AnySandbox, Sandbox
from opencodeinterpreter.sandbox.packages import PackageFolder

_RESTARTED = (
    "(The interpreter was started again since the last message: variables and imports are gone, files are still there.)"
)


class Interpreter:
    """Does tasks by generating code, executing it and refining it from feedback. Use it in a ``with`` block.

    Args:
        model: a model, or the name of one as for ``load_model``.
        sandbox: where code runs; without one, a sandbox with the defaults is made and closed at the end. A given
            one is the caller's to close.
        max_rounds: executions allowed for one user message, round 0 included.
        approve: ask before each run, by an ``ApprovalRequest`` event.
        session: saves every event, and holds the workspace; a session with earlier turns is gone on with.
        generation: how replies are generated.
        system: replaces the system message.
        packages: installs packages that code misses, each after an ``InstallRequest`` event, or without asking where
            they are in its folder of wheels. A given sandbox must have been given its folder.
        tools: of MCP servers, for the code to call; closed with the interpreter.

    Raises:
        ModelError, SandboxError: what cannot be had is refused here already.
    """

    def __init__(
        self,
        model: ChatModel | str = "qwen2.5-coder-1.5b",
        *,
        sandbox: AnySandbox | None = None,
        max_rounds: int = 5,
        approve: bool = False,
        session: Session | None = None,
        generation: Generation | None = None,
        system: str | None = None,
        packages: PackageFolder | None = None,
        tools: Toolbox | None = None,
    ) -> None:
        if max_rounds < 1:
            raise InputError("max_rounds must be at least 1")
        self._owns_model = isinstance(model, str)
        self.model: ChatModel = load_model(model) if isinstance(model, str) else model
        self._owns_sandbox = sandbox is None
        self.sandbox: AnySandbox = sandbox or Sandbox(
            workspace=session.workspace if session else None, packages=packages.folder if packages else None
        )
        self._packages = packages
        self._tools = tools
        if tools is not None:
            tools.attach(self.sandbox)
        self.max_rounds = max_rounds
        self.approve = approve
        self.generation = generation or Generation()
        self._language = self.sandbox.language
        self._session = session
        self._recorder = Recorder(session)
        self._system = system or system_prompt(self._language)
        self._history = History(self._system)
        self._state_lost = False
        self._comments: list[tuple[str, str]] = []
        if session is not None:
            self._history.turns = history_of(session.events())
            self._comments = pending_comments(session.events())
            self._state_lost = bool(self._history.turns)
        self._stopped = threading.Event()
        self._idle = threading.Event()
        self._idle.set()
        self._active: Generator[Event, None, None] | None = None

    def __enter__(self) -> Interpreter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def dialog(self) -> Dialog:
        """The whole dialog so far, system message included."""
        return self._history.dialog()

    @property
    def turns(self) -> Sequence[Turn]:
        """The turns so far, the one under way included."""
        return tuple(self._history.turns)

    def run(self, task: str, files: Sequence[str | Path] = ()) -> Answer:
        """Do a task to its end.

        Raises:
            InputError: an empty task, or a file that cannot be used.
            ModelError, SandboxError: the turn could not go on.
        """
        for event in self.stream(task, files):
            if isinstance(event, Answer):
                return event
            if isinstance(event, Failure):
                raise {"model": ModelError, "sandbox": SandboxError}.get(event.kind, OcintError)(event.message)
        raise OcintError("The turn was abandoned before it ended.")

    def stream(self, task: str, files: Sequence[str | Path] = (), present: Sequence[str] = ()) -> Iterator[Event]:
        """Do a task and yield what happens. A message after the first is human feedback on what was done.

        Args:
            files: copied into the workspace; the model is told what they are.
            present: names of files that are in the workspace already, of which the model is told likewise.

        A turn that is still under way is stopped first. Leaving the iteration early stops the turn.

        Raises:
            InputError: an empty task, or a file that cannot be used; at once, before the first event.
        """
        if not task.strip():
            raise InputError("The task is empty; say what is to be done.")
        self._end_active()
        uploads = [*(self._upload(file) for file in files), *self._present(present)]
        comments = [comment_feedback(text, code) for text, code in self._comments]
        parts = [_RESTARTED if self._state_lost else "", *comments, describe_uploads(uploads), task]
        self._comments.clear()
        turn = Turn(task, tuple(upload.name for upload in uploads), "\n\n".join(part for part in parts if part))
        return self._begin(turn)

    def retry(self) -> Iterator[Event]:
        """Take back the last turn and do its task again; what its code did to variables and files stays.

        Raises:
            InputError: there is no turn yet.
        """
        self._end_active()
        turn = self.undo()
        if not turn.message:
            return self.execute(turn.rounds[0].code or "" if turn.rounds else "")
        return self._begin(Turn(turn.task, turn.files, turn.message))

    def edit(self, number: int, task: str) -> Iterator[Event]:
        """Take back turn ``number`` (0 is the first) and all after it, and do another task in its place.

        The files that came with it go with it again; what code did to variables and files stays.

        Raises:
            InputError: there is no such turn, or it was code of the person's own, or the task is empty.
        """
        if not task.strip():
            raise InputError("The task is empty; say what is to be done.")
        self._end_active()
        if not 0 <= number < len(self._history.turns):
            raise InputError(f"There is no message {number} to edit.")
        turn = self._history.turns[number]
        if not turn.message:
            raise InputError("That was code of your own; run other code instead.")
        while len(self._history.turns) > number:
            self.undo()
        return self._begin(Turn(task, turn.files, turn.message.removesuffix(turn.task) + task))

    def execute(self, code: str, replaces: int | None = None) -> Iterator[Event]:
        """Run a person's own code as a turn of the session; the model is told of it with the next message.

        Args:
            replaces: where the code was made from that of an earlier cell, the number of its event in the log.

        Raises:
            InputError: there is no code.
        """
        if not code.strip():
            raise InputError("There is no code to run.")
        self._end_active()
        note, self._state_lost = _RESTARTED if self._state_lost else "", False
        return self._guarded(self._by_hand().own_code(code, replaces, note))

    def adopt(self, task: str, answer: str, codes: Sequence[str] = ()) -> Iterator[Event]:
        """Take over a turn that was had elsewhere: its code runs again, its words stay."""
        self._end_active()
        return self._guarded(self._by_hand().earlier_turn(task, answer, codes))

    def comment(self, text: str, code: str = "", cell: int | None = None) -> None:
        """Say something about a piece of code; the model is told with the next message.

        Args:
            cell: the number, in the session's log, of the event that began the code.

        Raises:
            InputError: an empty comment.
        """
        if not text.strip():
            raise InputError("The comment is empty.")
        self._recorder.control("comment", text=text, code=code, cell=cell)
        self._comments.append((text, code))

    def rate(self, rating: Rating | None, turn: int | None = None) -> int:
        """Say what an answer is worth, and return its turn; it is kept and exported with the session.

        The model is not told. Can be called from any thread, also while a later turn runs.

        Args:
            rating: "good", "bad", or None to take back what was said before.
            turn: 0 is the first; None is the last one.

        Raises:
            InputError: there is no such turn, or it has no answer to rate.
        """
        turns = self._history.turns
        number = len(turns) - 1 if turn is None else turn
        check_rating(turns, number, rating)
        if self._session is not None:  # not by the recorder, which belongs to the thread of the turn that runs
            self._session.append({"type": "rated", "turn": number, "rating": rating})
        turns[number].rating = rating
        return number

    def undo(self) -> Turn:
        """Take the last turn out of the dialog; what its code did to variables and files stays.

        Raises:
            InputError: there is no turn yet.
        """
        self._end_active()
        if not self._history.turns:
            raise InputError("There is nothing to take back.")
        self._recorder.control("undo")
        return self._history.turns.pop()

    def replay(self, first: int = 0) -> Iterator[Event]:
        """Run the code of the earlier rounds that worked again, in order, to bring back the variables.

        Args:
            first: the turn to begin with.
        """
        self._end_active()
        return self._guarded(self._replay(first))

    def stop(self) -> None:
        """End generation and code, from any thread; the events end with an ``Answer`` whose outcome is "stopped"."""
        if not self._idle.is_set():
            self._stopped.set()
            self.sandbox.interrupt()

    def close(self) -> None:
        """Stop, and free what this interpreter made itself; safe to call twice."""
        self._end_active()
        if self._owns_sandbox:
            self.sandbox.close()
        if self._tools is not None:
            self._tools.close()
        if self._owns_model:
            self.model.close()

    def _upload(self, file: str | Path) -> Upload:
        info = self.sandbox.upload(file)
        return Upload(info.path, info.size, self.sandbox.read(info.path, READ_BYTES))

    def _present(self, names: Sequence[str]) -> list[Upload]:
        sizes = {info.path: info.size for info in self.sandbox.files()} if names else {}
        return [Upload(name, sizes.get(name, 0), self.sandbox.read(name, READ_BYTES)) for name in names]

    def _by_hand(self) -> ByHand:
        return ByHand(self.sandbox, self._history, self._stopped, self._tools)

    def _begin(self, turn: Turn) -> Iterator[Event]:
        return self._guarded(self._turn_events(turn))

    def _guarded(self, events: Iterator[Event]) -> Iterator[Event]:
        self._active = self._until_idle(events)
        return self._active

    def _until_idle(self, events: Iterator[Event]) -> Generator[Event, None, None]:
        self._stopped.clear()
        self._set_busy(True)
        try:
            for event in events:
                self._recorder.event(event)
                yield event
        except SandboxError as error:
            yield self._recorder.event(Failure("sandbox", str(error)))
        except ModelError as error:
            yield self._recorder.event(Failure("model", str(error)))
        finally:
            close = getattr(events, "close", None)
            if close is not None:
                close()
            self._recorder.flush()
            self._set_busy(False)

    def _set_busy(self, busy: bool) -> None:
        if self._session is not None:
            self._session.busy = busy
        if busy:
            self._idle.clear()
        else:
            self._idle.set()

    def _turn_events(self, turn: Turn) -> Iterator[Event]:
        told = self._tools.prompt() if self._tools is not None else ""
        self._history.system = f"{self._system}\n\n{told}" if told else self._system
        self._recorder.settings(
            {
                "model": self.model.name,
                "system": self._history.system,
                "prompts": PROMPT_VERSION,
                "max_rounds": self.max_rounds,
                "generation": self.generation,
            }
        )
        number = len(self._history.turns)
        self._history.turns.append(turn)
        self._state_lost = False
        yield TurnStarted(number, turn.task, turn.files, turn.message)
        for note in self._tools.notes() if self._tools is not None else ():
            yield Notice("tools missing", note)
        loop = TurnLoop(
            self.model,
            self.sandbox,
            self._history,
            max_rounds=self.max_rounds,
            generation=self.generation,
            approve=self.approve,
            stopped=self._stopped,
            language=self._language,
            packages=self._packages,
            tools=self._tools,
        )
        yield from loop.run()

    def _replay(self, first: int) -> Iterator[Event]:
        if (yield from self._by_hand().replay(first)):
            self._state_lost = False

    def _end_active(self) -> None:
        """Stop a turn that is under way, in this thread (left half-read) or in another one."""
        active, self._active = self._active, None
        if active is None:
            return
        self.stop()
        try:
            active.close()
        except ValueError:  # it runs in another thread, which will see the stop
            self._idle.wait()

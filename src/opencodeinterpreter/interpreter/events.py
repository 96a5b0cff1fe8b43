"""What happens in a turn, as typed events: the only thing that an interface has to render.

A turn is ``TurnStarted``, then for each round ``RoundStarted``, ``TextDelta``s, and, where the reply holds a code
action, ``ApprovalRequest`` (if asked for), ``CodeActionStarted``, ``OutputDelta``s, ``ExecutionFinished``,
``RoundFinished``; at its end one ``Answer`` or one ``Failure``. A ``Notice`` can stand anywhere. Where packages may be
installed, ``InstallRequest`` comes after code that misses one; if it is approved, the code starts once more. While code
runs, its calls of tools are ``ToolCalled``, and ``ToolRequest`` and ``Decided`` before where a person is to be asked.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.models.base import Usage
from opencodeinterpreter.sandbox.base import Artifact, ExecutionResult
from opencodeinterpreter.sandbox.base import OutputDelta as SandboxOutput

Outcome = Literal[
    "answered",  # the last reply held no code action
    "max rounds",  # the rounds allowed are spent
    "repeated",  # the model gave the code, or met the error, that it had just given or met
    "stopped",  # a person stopped it
    "rejected",  # a person rejected the code without a reason
    "ran",  # a person ran code of their own; the model was not asked
]
"""How a turn ended."""

ToolStatus = Literal["ok", "failed", "rejected"]
"""How the call of a tool ended."""


@dataclass(frozen=True)
class Event:
    """Something that happened; ``to_json()`` is its stored and its wire form."""

    type: ClassVar[str]

    def to_json(self) -> dict[str, Any]:
        row: dict[str, Any] = {"type": self.type}
        for part in fields(self):
            if part.metadata.get("stored", True):
                row[part.name] = plain(getattr(self, part.name))
        return row


@dataclass(frozen=True)
class TurnStarted(Event):
    """A user message was taken up."""

    type = "turn_started"
    turn: int
    """0 for the first user message of the session."""
    task: str
    files: tuple[str, ...] = ()
    """Names, in the workspace, of what was uploaded with it."""
    message: str = ""
    """What the model is told: the task and the description of the files."""


@dataclass(frozen=True)
class RoundStarted(Event):
    """The model is about to be asked."""

    type = "round_started"
    round: int


@dataclass(frozen=True)
class TextDelta(Event):
    """A piece of the model's reply, code included, as it came."""

    type = "text_delta"
    text: str


@dataclass(frozen=True)
class CodeActionStarted(Event):
    """Code begins to run."""

    type = "code_action_started"
    round: int
    code: str
    language: str = "python"
    author: Literal["model", "user"] = "model"
    """ "user" where a person wrote the code, or edited it before it ran."""
    replaces: int | None = None
    """Of code that a person made from an earlier cell: the number of that cell's event in the session's log."""


@dataclass(frozen=True)
class OutputDelta(Event):
    """A piece of the running code's output."""

    type = "output_delta"
    output: SandboxOutput


@dataclass(frozen=True)
class ExecutionFinished(Event):
    """Code has run."""

    type = "execution_finished"
    round: int
    result: ExecutionResult


@dataclass(frozen=True)
class RoundFinished(Event):
    """One pass of generate → execute is over."""

    type = "round_finished"
    round: int
    reply: str
    """The assistant message as it stands in the dialog."""
    feedback: str | None
    """The text that goes back to the model; None where nothing was executed."""
    usage: Usage | None = None


@dataclass(frozen=True)
class Notice(Event):
    """Something that the person should know and the loop took care of."""

    type = "notice"
    kind: Literal[
        "state lost",
        "dialog condensed",
        "reply cut",
        "reformat",
        "repeated",
        "unfinished",
        "installing",
        "installed",
        "not installed",
        "unsandboxed",
        "tools missing",
    ]
    text: str


@dataclass(frozen=True)
class Round:
    """One pass of generate → execute, as it went."""

    reply: str
    code: str | None
    result: ExecutionResult | None
    feedback: str | None
    usage: Usage | None = None


@dataclass(frozen=True)
class Answer(Event):
    """The end of a turn."""

    type = "answer"
    text: str
    """What the model says, without any code action; where it had no last word, the state of the job in ours."""
    outcome: Outcome
    rounds: tuple[Round, ...] = field(default=(), metadata={"stored": False})
    dialog: Dialog = field(default=Dialog(), metadata={"stored": False})
    """The session's whole dialog so far, system message included."""
    artifacts: tuple[Artifact, ...] = ()
    """Of every round of this turn; of a file changed several times the last change."""
    usage: Usage | None = None
    """Summed over the turn's rounds."""


@dataclass(frozen=True)
class Failure(Event):
    """The turn could not go on: the model or the sandbox failed. The session can be used further."""

    type = "failure"
    kind: Literal["model", "sandbox", "input"]
    message: str


@dataclass(frozen=True)
class Request(Event):
    """Something that waits for a person. One call, from any thread, lets the loop go on; the first one counts."""

    type = "request"
    _decided: threading.Event = field(
        default_factory=threading.Event, repr=False, compare=False, kw_only=True, metadata={"stored": False}
    )
    _decision: list[tuple[str, str]] = field(
        default_factory=list, repr=False, compare=False, kw_only=True, metadata={"stored": False}
    )

    def reject(self, reason: str = "") -> None:
        """Do not do it."""
        self._decide("reject", reason)

    def wait(self, timeout: float | None = None) -> tuple[str, str] | None:
        """Return ("approve" | "edit" | "reject", code or reason), or None where nobody decided in time."""
        return self._decision[0] if self._decided.wait(timeout) else None

    def _decide(self, verb: str, text: str) -> None:
        if not self._decided.is_set():
            self._decision.append((verb, text))
            self._decided.set()


@dataclass(frozen=True)
class ApprovalRequest(Request):
    """Code waits for a person, who approves, edits or rejects it.

    A reason for rejecting is human feedback, and the model tries again; without one the turn ends.
    """

    type = "approval_request"
    round: int
    code: str
    language: str = "python"

    def approve(self) -> None:
        """Run the code as it is."""
        self._decide("approve", self.code)

    def edit(self, code: str) -> None:
        """Run ``code`` in its place; the model is told."""
        self._decide("edit", code)


@dataclass(frozen=True)
class Decided(Event):
    """A person decided what a request asked."""

    type = "decided"
    round: int
    verb: str
    """ "approve", "edit" or "reject"."""
    text: str = ""
    """The code to run for "edit", the reason for "reject"."""


@dataclass(frozen=True)
class InstallRequest(Request):
    """Code needs a package that is not there; a person says whether the host may fetch it for this session."""

    type = "install_request"
    round: int
    package: str
    """the name of the distribution, as the package index knows it"""

    def approve(self) -> None:
        """Fetch and install it, and run the code again."""
        self._decide("approve", self.package)


@dataclass(frozen=True)
class ToolRequest(Request):
    """Running code wants to call a tool outside of the sandbox, and waits; a person says whether it may.

    Approved, the tool may be called in this session without asking again. Rejected, the code gets an exception with
    the reason, and the tool is not asked for again in this run.
    """

    type = "tool_request"
    round: int
    server: str
    tool: str
    arguments: str
    """JSON, cut in its middle where it is very long."""
    about: str = ""
    """What the server says of the tool."""

    def approve(self) -> None:
        """Let the tool be called, now and for the rest of the session."""
        self._decide("approve", self.tool)


@dataclass(frozen=True)
class ToolCalled(Event):
    """Code has called a tool outside of the sandbox; neither arguments nor result are kept here."""

    type = "tool_called"
    round: int
    server: str
    tool: str
    status: ToolStatus
    arguments_bytes: int
    result_bytes: int
    duration: float
    """Seconds, without the time that a person took to decide."""
    note: str = ""
    """Why it failed or was rejected."""


def plain(value: Any) -> Any:
    """Return ``value`` in the types of JSON."""
    if isinstance(value, Event):
        return value.to_json()
    if isinstance(value, Dialog):
        return value.to_json()
    if is_dataclass(value) and not isinstance(value, type):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return value

"""The sandbox's nouns: limits, results, artifacts, and the contracts of a sandbox and of a backend."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, Protocol, Self

if TYPE_CHECKING:
    from opencodeinterpreter.sandbox.workspace import FileInfo

Status = Literal["ok", "error", "timeout", "killed"]
Reason = Literal[
    "stopped",  # a person or program stopped it
    "wall time",
    "cpu time",
    "memory",
    "processes",
    "open files",
    "disk",
    "output",
    "kernel died",  # the code ended its own interpreter, or something unnamed did
]
"""Why a run was ended, or which limit it met."""


@dataclass(frozen=True)
class Limits:
    """What a session may use. None switches a limit off."""

    wall_seconds: float | None = 60.0
    """Of one run."""
    cpu_seconds: float | None = None
    """Of one run, over all its processes."""
    memory_mb: int | None = 2048
    """Over the whole process tree."""
    processes: int | None = 128
    """Processes and threads together."""
    open_files: int | None = 1024
    """Of one process."""
    workspace_mb: int | None = 1024
    output_bytes: int | None = 1_000_000
    """Of text that one run may keep; what is past it is counted and dropped from the middle."""
    idle_seconds: float | None = 3600.0


@dataclass(frozen=True)
class ErrorInfo:
    """The exception that ended a run."""

    name: str
    value: str
    traceback: str
    """Plain text, as the language prints it, without terminal colours."""


@dataclass(frozen=True)
class Display:
    """One rich output, in every form that the code gave it."""

    data: Mapping[str, Any]
    """MIME type → content: text, base64 text for binary types, an object for JSON types."""
    kind: Literal["display", "result"] = "display"
    """ "result" is the value of the run's last expression."""


@dataclass(frozen=True)
class FileChange:
    """A file in the workspace that a run made or changed."""

    path: str
    """Relative to the workspace, with "/" between its parts."""
    size: int
    """In bytes."""
    change: Literal["created", "modified"]


Artifact = Display | FileChange


@dataclass(frozen=True)
class OutputDelta:
    """A piece of output, as it happens."""

    stream: Literal["stdout", "stderr", "display", "result"]
    text: str = ""
    """For stdout and stderr."""
    display: Display | None = None
    """For display and result."""


@dataclass(frozen=True)
class ExecutionResult:
    """What one execution gave. Code that fails is a result, never an exception."""

    status: Status
    """ "error": the code raised; "timeout": a time limit ended it; "killed": anything else ended it."""
    reason: Reason | None = None
    """Why it did not end by itself; None for "ok" and most "error"s."""
    stdout: str = ""
    stderr: str = ""
    result: str | None = None
    """The last expression's value as text, where there is one."""
    error: ErrorInfo | None = None
    artifacts: tuple[Artifact, ...] = ()
    """Rich outputs in their order, then the files made or changed."""
    duration: float = 0.0
    """Seconds of wall time."""
    state_lost: bool = False
    """True if the kernel had to be restarted: variables are gone, files are not."""
    omitted_bytes: int = 0
    """Output past ``Limits.output_bytes``, dropped from the middle."""
    log: Path | None = None
    """The whole text output on the host's disk, where some was dropped."""
    isolation: str = ""
    """What the code ran in, such as "bubblewrap" or "none"; shown to the user."""

    @property
    def ok(self) -> bool:
        return self.status == "ok"

    @property
    def files(self) -> tuple[FileChange, ...]:
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, FileChange))

    @property
    def displays(self) -> tuple[Display, ...]:
        return tuple(artifact for artifact in self.artifacts if isinstance(artifact, Display))


class AnySandbox(Protocol):
    """What a session needs of a sandbox, wherever its code runs: ``Sandbox`` here, ``RemoteSandbox`` elsewhere.

    Code that fails, hangs, or kills its kernel is an ``ExecutionResult``; an exception means that the sandbox itself
    cannot be had. One run at a time: a second thread waits. Use it in a ``with`` block, or close it.
    """

    limits: Limits

    @property
    def workspace(self) -> Path:
        """The folder with the files, on this machine."""
        ...

    @property
    def isolation(self) -> str:
        """What the code runs in, such as "bubblewrap" or "none"."""
        ...

    @property
    def language(self) -> str:
        """The kernel's language, in lower case."""
        ...

    @property
    def alive(self) -> bool:
        """Whether a kernel is running; after one that has ended by itself, the next run starts another."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def start(self) -> None:
        """Start the kernel, without waiting for it; ``run`` does both by itself.

        Raises:
            SandboxError: if it is seen at once that it cannot be had.
        """
        ...

    def wait_ready(self) -> None:
        """Start the kernel if need be, and wait until it can run code.

        Raises:
            SandboxError: if it does not come up.
        """
        ...

    def run(
        self, code: str, on_output: Callable[[OutputDelta], None] | None = None, wall_seconds: float | None = None
    ) -> ExecutionResult:
        """Run code and return what it gave.

        Args:
            code: in the kernel's language.
            on_output: called, in this thread, with each piece of output as it comes.
            wall_seconds: a time limit for this run in place of ``limits.wall_seconds``.

        Raises:
            SandboxError: if the sandbox itself fails; whatever the code does is a result.
        """
        ...

    def interrupt(self) -> None:
        """End the code that is running, from any thread; nothing happens if none is."""
        ...

    def not_counting(self) -> AbstractContextManager[None]:
        """While the block runs, the wall time of the present run stands still: it waits for a person."""
        ...

    def restart(self) -> None:
        """Start a new kernel: variables are gone, files stay. Code that is running is ended first."""
        ...

    def upload(self, path: Path | str, name: str | None = None) -> FileInfo:
        """Copy a file into the workspace; one of the same name is kept, and the new one gets a number.

        Raises:
            InputError: if it cannot be read, is not a regular file, or does not fit.
        """
        ...

    def files(self) -> list[FileInfo]:
        """Return the files in the workspace."""
        ...

    def read(self, name: str, limit: int) -> bytes:
        """Return the first ``limit`` bytes of a file of the workspace; links are not followed.

        Raises:
            InputError: if there is no such regular file inside the workspace.
        """
        ...

    def download(self, name: str, to: Path | str) -> Path:
        """Copy a file of the workspace to a folder or file name of the host; return where it is.

        Raises:
            InputError: if there is no such regular file inside the workspace, or it cannot be written there.
        """
        ...

    def close(self) -> None:
        """End everything that runs inside, and remove what was only ours; safe to call twice, from any thread."""
        ...


@dataclass(frozen=True)
class LaunchSpec:
    """A process to be started inside an isolation."""

    argv: Sequence[str]
    """As seen from inside."""
    workspace: Path
    """Host path of the only folder that may be written and lasts."""
    runtime: Path
    """Host path of a private folder for the kernel's unix sockets and connection file; writable inside."""
    env: Mapping[str, str] = field(default_factory=dict)
    """The whole environment inside; nothing of the host's is added."""
    readable: Sequence[Path] = ()
    """Host paths that must be visible read-only at the same place inside (an interpreter, its packages)."""
    files: Mapping[str, bytes] = field(default_factory=dict)
    """Absolute inside path → content of small read-only files that exist inside only (a start script)."""
    network: bool = False
    limits: Limits = field(default_factory=Limits)


class IsolatedProcess(Protocol):
    """A started process and all that it starts."""

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        ...

    def output(self) -> str:
        """Return the end of what was written to the stdout and stderr of the start: why a start failed."""
        ...

    def pids(self) -> Sequence[int]:
        """Return the host pids of every living process inside, the main one first."""
        ...

    def interrupt(self) -> None:
        """Send SIGINT to the main process inside, and to it alone."""
        ...

    def kill(self) -> None:
        """End everything inside at once and wait until it is gone; safe to call twice."""
        ...

    def usage(self) -> tuple[int, float]:
        """Return (bytes of memory, seconds of CPU) over every process inside."""
        ...


class SandboxBackend(Protocol):
    """A kind of isolation, such as ``bubblewrap`` or ``none``."""

    name: str

    def check(self) -> None:
        """Return if this isolation works here and now.

        Raises:
            SandboxUnavailableError: with the way out named, if it does not.
        """
        ...

    def inside(self, spec: LaunchSpec, path: Path) -> str:
        """Return what the host ``path`` (the workspace, the runtime, or below them) is called inside."""
        ...

    def launch(self, spec: LaunchSpec) -> IsolatedProcess:
        """Start ``spec.argv``.

        Raises:
            SandboxUnavailableError: if the isolation asked for cannot be had; never anything weaker.
        """
        ...

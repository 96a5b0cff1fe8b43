"""The sandbox's nouns: limits, results, artifacts, and the contract of a backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol

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

"""What can be set, to what, and what it is without being set."""

from __future__ import annotations

import math
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal

import platformdirs

from opencodeinterpreter.sandbox.base import Limits

APP: Final = "opencodeinterpreter"
PREFIX: Final = "OCINT_"


def _data(name: str) -> Path:
    return platformdirs.user_data_path(APP) / name


@dataclass(frozen=True)
class Config:
    """Everything that can be set; ``ABOUT`` says what each is."""

    model: str = "qwen2.5-coder-1.5b"
    context: int = 8192
    threads: int | None = None
    max_rounds: int = 5
    max_tokens: int = 1024
    temperature: float = 0.0
    seed: int | None = None
    vision: bool = False
    approve: bool = False
    backend: Literal["bubblewrap", "docker", "none", "ray"] = "bubblewrap"
    docker_program: str | None = None
    docker_image: str | None = None
    network: bool = False
    allow_install: bool = False
    wheels: Path | None = None
    python: Path | None = None
    kernel: str | None = None
    output: Path | None = None
    sessions_folder: Path = field(default_factory=lambda: _data("sessions"))
    models_folder: Path = field(default_factory=lambda: platformdirs.user_cache_path(APP) / "models")
    theme: Literal["auto", "dark", "light"] = "auto"
    images: Literal["auto", "kitty", "iterm2", "sixel", "none"] = "auto"
    limits: Limits = field(default_factory=Limits)
    mcp: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """MCP server → what the table ``[mcp.NAME]`` of the file says of it."""
    mcp_files: tuple[Path, ...] = ()
    """Files with further MCP servers, as other programs have them: an object ``mcpServers``."""
    adapters: tuple[Path, ...] = ()
    """Files of adapters to apply to ``model``, which only flags name."""
    sources: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)
    """Key → where its value came from: "default", the file, "OCINT_…" or "--…"."""

    def items(self) -> Iterator[tuple[str, Any]]:
        """Yield every key, such as ``limits.memory_mb``, with its value."""
        for key in SETTINGS:
            group, _, name = key.rpartition(".")
            yield key, getattr(getattr(self, group) if group else self, name)


@dataclass(frozen=True)
class Setting:
    """What a key may be set to."""

    key: str
    about: str
    kinds: tuple[type, ...]
    choices: tuple[str, ...]
    optional: bool
    at_least: float | None
    above: float | None = None

    @property
    def variable(self) -> str:
        return PREFIX + self.key.replace(".", "_").upper()

    @property
    def flag(self) -> str:
        return "--" + self.key.rpartition(".")[2].replace("_", "-")

    def expects(self) -> str:
        """Describe what may stand here, as the end of "must be …"."""
        if self.choices:
            text = "one of " + ", ".join(self.choices)
        elif bool in self.kinds:
            text = "true or false"
        elif float in self.kinds or int in self.kinds:
            text = "a number" if float in self.kinds else "a whole number"
            if self.above is not None:
                text += f" above {self.above:g}"
            elif self.at_least is not None:
                text += f" of at least {self.at_least:g}"
        else:
            text = "a path" if Path in self.kinds else "text"
        return text + (' or "none"' if self.optional else "")

    def convert(self, value: Any) -> Any:
        """Return ``value`` (of TOML) in the setting's own type.

        Raises:
            ValueError: if it is of another kind or out of range.
        """
        if self.optional and (value is None or (isinstance(value, str) and value.lower() == "none")):
            return None
        if self.choices:
            if value not in self.choices:
                raise ValueError
            return value
        if isinstance(value, bool) or bool in self.kinds:
            if not (isinstance(value, bool) and bool in self.kinds):
                raise ValueError
            return value
        if isinstance(value, int | float):
            return self._number(value)
        if isinstance(value, str | Path) and str(value) and "\0" not in str(value):
            if Path in self.kinds:
                return Path(value).expanduser()
            if str in self.kinds:
                return value
        raise ValueError

    def _number(self, value: int | float) -> int | float:
        if float not in self.kinds and not (int in self.kinds and isinstance(value, int)):
            raise ValueError
        # Infinity and NaN would switch a limit off without saying so.
        if not math.isfinite(value) or abs(value) > 2**53:
            raise ValueError
        if (self.at_least is not None and value < self.at_least) or (self.above is not None and value <= self.above):
            raise ValueError
        return float(value) if float in self.kinds else value

    def read(self, text: str) -> Any:
        """Return what ``text``, from the environment or a flag, means, in the types of TOML."""
        text = text.strip()
        if bool in self.kinds:
            return {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False,
                    "off": False}.get(text.lower(), text)  # fmt: skip
        for kind in (int, float):
            if kind in self.kinds:
                try:
                    return kind(text)
                except ValueError:
                    continue
        return text


ABOUT: Final = {
    "model": "the model: a catalog name, FILE.gguf, hf:…, openai:… or transformers:…",
    "context": "tokens that the model reads at most, its reply included",
    "threads": "threads of the embedded model; none is one a physical core",
    "max_rounds": "executions that a task may take, the first one included",
    "max_tokens": "tokens of one reply at most",
    "temperature": "0 always takes the likeliest token; more is more varied",
    "seed": "makes a temperature above 0 repeatable",
    "vision": "show figures and uploaded pictures to the model; for openai: models that see",
    "approve": "ask before code is run",
    "backend": "the isolation that code runs in; none is no isolation at all, ray is bubblewrap on a Ray cluster",
    "docker_program": "the container engine of the backend docker; none is Docker, or Podman where there is no Docker",
    "docker_image": "the image of the backend docker; none is the one that this version brings the recipe for",
    "network": "let code in the sandbox use the network",
    "allow_install": "fetch a package that code misses for its session, after asking",
    "wheels": "folder of wheels from which packages that code misses are installed",
    "python": "the interpreter, or the virtual environment, that code runs in",
    "kernel": "the Jupyter kernelspec that code runs in; none is Python",
    "output": "folder that the files made are copied to; none leaves them in the session",
    "sessions_folder": "folder of the stored sessions",
    "models_folder": "folder of the fetched models",
    "theme": "colours for a dark or a light terminal",
    "images": "how figures are drawn in the terminal",
    "limits.wall_seconds": "seconds that one run may take",
    "limits.cpu_seconds": "seconds of processor time that one run may take",
    "limits.memory_mb": "megabytes of memory of all processes together",
    "limits.processes": "processes and threads together",
    "limits.open_files": "open files of one process",
    "limits.workspace_mb": "megabytes that the workspace may hold",
    "limits.output_bytes": "bytes of text that one run may keep",
    "limits.idle_seconds": "seconds after which an unused sandbox is put away",
}
AT_LEAST: Final = {
    "context": 512,
    "threads": 1,
    "max_rounds": 1,
    "max_tokens": 1,
    "temperature": 0,
    "seed": 0,
}


def _settings() -> dict[str, Setting]:
    found = {}
    for prefix, owner in (("", Config), ("limits.", Limits)):
        for name, hint in typing.get_type_hints(owner).items():
            if name in ("limits", "sources", "mcp", "mcp_files", "adapters"):
                continue
            key = prefix + name
            kinds = typing.get_args(hint) if isinstance(hint, types.UnionType) else (hint,)
            found[key] = Setting(
                key=key,
                about=ABOUT.get(key, ""),
                kinds=tuple(kind for kind in kinds if isinstance(kind, type) and kind is not types.NoneType),
                choices=typing.get_args(hint) if typing.get_origin(hint) is Literal else (),
                optional=types.NoneType in kinds,
                at_least=AT_LEAST.get(key),
                # A limit of 0 would mean "at once" to one reader and "never" to the next.
                above=0 if prefix else None,
            )
    return found


SETTINGS: Final[Mapping[str, Setting]] = _settings()

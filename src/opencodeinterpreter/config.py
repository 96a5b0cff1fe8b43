"""Every setting, where it came from, and the one place that reads the environment.

A value is taken from, each beating the one before: the defaults below, the configuration file, ``OCINT_*``
variables of the environment, the flags of the command line.
"""

from __future__ import annotations

import difflib
import json
import math
import os
import re
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import platformdirs

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.sandbox.base import Limits

if TYPE_CHECKING:
    from opencodeinterpreter.models.settings import ModelSettings

APP = "opencodeinterpreter"
PREFIX = "OCINT_"
NOT_SETTINGS = frozenset({"OCINT_CONFIG", "OCINT_DEBUG"})
"""Variables with our prefix that do not set anything in ``Config``."""


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


def config_path(environ: Mapping[str, str] = os.environ) -> Path:
    """Return the configuration file's path, whether or not it is there."""
    named = environ.get("OCINT_CONFIG")
    return Path(named).expanduser() if named else platformdirs.user_config_path(APP) / "config.toml"


def load_config(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] = os.environ) -> Config:
    """Return the settings that hold.

    Args:
        flags: key → value, as typed (text) or already in its type; a key that was not given is not there,
            which is not the same as a value of None, "without".
        environ: the environment.

    Raises:
        ConfigError: naming the file and line, the variable or the flag that cannot be used.
    """
    path = config_path(environ)
    layers = [
        (
            _from_file(path, named="OCINT_CONFIG" in environ),
            lambda setting: f"{path}: {setting.key}",
            str(path),
        ),
        (_from_environment(environ), lambda setting: setting.variable, None),
        (_from_flags(flags or {}), lambda setting: setting.flag, None),
    ]
    servers = layers[0][0].pop("mcp", {})
    files, adapters = (tuple(map(Path, layers[2][0].pop(key, ()))) for key in ("mcp_files", "adapters"))
    config = _merge(layers)
    sources = {**config.sources, **({"mcp": str(path)} if servers else {})}
    return replace(config, mcp=servers, mcp_files=files, adapters=adapters, sources=sources)


def _merge(layers: list[tuple[dict[str, Any], Any, str | None]]) -> Config:
    """Lay each layer over the ones before it, checking every value, those that are hidden later too."""
    values: dict[str, Any] = {}
    sources = dict.fromkeys(SETTINGS, "default")
    for layer, name, source in layers:
        for key, value in layer.items():
            setting = SETTINGS[key]
            try:
                values[key] = setting.convert(value)
            except ValueError:
                raise ConfigError(f"{name(setting)} must be {setting.expects()}, not {_shown(value)}.") from None
            sources[key] = source or name(setting)
    top = {key: value for key, value in values.items() if "." not in key}
    limits = {key.partition(".")[2]: value for key, value in values.items() if "." in key}
    config = Config(**top, limits=replace(Limits(), **limits), sources=sources)
    if config.max_tokens >= config.context:
        raise ConfigError(
            f"max_tokens ({config.max_tokens}) must be smaller than context ({config.context}), "
            "which holds the question and the reply together."
        )
    return config


def _from_file(path: Path, named: bool) -> dict[str, Any]:
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        if named:
            raise ConfigError(f"OCINT_CONFIG names {path}, which does not exist.") from None
        return {}
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not text in UTF-8 (byte {error.start}).") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not valid TOML: {str(error)[:200]}.") from error
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    found: dict[str, Any] = {}
    for key, value in table.items():
        if key == "mcp":
            if not isinstance(value, dict):
                raise ConfigError(f"{path}: mcp must be a table of servers, as in [mcp.NAME].")
            found[key] = value
        elif key != "limits":
            found[_known(key, str(path))] = value
        elif isinstance(value, dict):
            found.update({_known(f"limits.{name}", str(path)): item for name, item in value.items()})
        else:
            raise ConfigError(f"{path}: limits must be a table, not {_shown(value)}.")
    return found


def _from_environment(environ: Mapping[str, str]) -> dict[str, Any]:
    variables = {setting.variable: setting for setting in SETTINGS.values()}
    found = {}
    for name, text in environ.items():
        if not name.startswith(PREFIX) or name in NOT_SETTINGS:
            continue
        if setting := variables.get(name):
            found[setting.key] = setting.read(text)
        elif near := difflib.get_close_matches(name, variables, n=1, cutoff=0.85):
            raise ConfigError(f"{name} in the environment sets nothing; did you mean {near[0]}?")
    return found


def _from_flags(flags: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: SETTINGS[key].read(value) if isinstance(value, str) and key in SETTINGS else value
        for key, value in flags.items()
    }  # fmt: skip


def _known(key: str, where: str) -> str:
    if key in SETTINGS:
        return key
    near = difflib.get_close_matches(key, SETTINGS, n=1) or [
        full for full in SETTINGS if full.rpartition(".")[2] == key
    ]  # fmt: skip
    hint = f"did you mean {near[0]}?" if near else "known are " + ", ".join(SETTINGS) + "."
    raise ConfigError(f"{where}: there is no setting {_shown(key)}; {hint}")


def _shown(value: Any) -> str:
    try:
        text = json.dumps(value, ensure_ascii=True)
    except TypeError:
        text = ascii(str(value))
    return text if len(text) <= 60 else text[:57] + "…"


@dataclass(frozen=True)
class Terminal:
    """What the environment says of the terminal."""

    images: Literal["kitty", "iterm2", "sixel", "none"]
    """How it can draw pictures, by what is known of its kind; it is not asked."""
    editor: str | None
    """The editor that the person prefers."""
    light: bool
    """Whether it says that its background is light."""


def read_terminal(environ: Mapping[str, str] = os.environ) -> Terminal:
    """Return what the environment says of the terminal."""
    program, term = environ.get("TERM_PROGRAM", ""), environ.get("TERM", "")
    images: Literal["kitty", "iterm2", "sixel", "none"] = "none"
    if environ.get("TMUX") or term.startswith(("screen", "tmux")):
        images = "none"  # a multiplexer swallows or garbles what it does not know
    elif environ.get("KITTY_WINDOW_ID") or program == "ghostty" or environ.get("KONSOLE_VERSION"):
        images = "kitty"
    elif program in ("iTerm.app", "WezTerm", "mintty"):
        images = "iterm2"
    elif term.startswith(("foot", "mlterm", "contour", "yaft")) or environ.get("WT_SESSION"):
        images = "sixel"
    background = environ.get("COLORFGBG", "").rpartition(";")[2]
    editor = environ.get("VISUAL") or environ.get("EDITOR") or None
    return Terminal(images, editor, light=background in ("7", "15"))


def debug(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether tracebacks are to be shown."""
    return environ.get("OCINT_DEBUG", "") not in ("", "0")


def model_settings(config: Config, environ: Mapping[str, str] = os.environ) -> ModelSettings:
    """Return where models come from: the folder that is configured, and the usual variables of hub and index."""
    from opencodeinterpreter.models.settings import settings_from_environment

    settings = settings_from_environment(environ)
    return replace(
        settings,
        sources=replace(settings.sources, folder=config.models_folder),
        endpoint=replace(settings.endpoint, vision=config.vision),
    )


_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


def mcp_tables(config: Config, environ: Mapping[str, str] = os.environ) -> dict[str, Any]:
    """Return what is said of each MCP server; ``${NAME}`` and ``${NAME:-else}`` are put in from the environment.

    Raises:
        ConfigError: a file cannot be read, or a variable is not set.
    """
    tables = dict(config.mcp)
    for path in config.mcp_files:
        tables.update(_mcp_file(path))
    return {name: _filled_in(table, name, environ) for name, table in tables.items()}


def _mcp_file(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.expanduser().read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise ConfigError(f"{path} is not valid JSON: {str(error)[:200]}.") from error
    servers = content.get("mcpServers", content.get("servers")) if isinstance(content, dict) else None
    if not isinstance(servers, dict):
        raise ConfigError(f"{path} has no object mcpServers.")
    return servers


def _filled_in(value: Any, server: str, environ: Mapping[str, str]) -> Any:
    if isinstance(value, dict):
        return {key: _filled_in(item, server, environ) for key, item in value.items()}
    if isinstance(value, list):
        return [_filled_in(item, server, environ) for item in value]
    if not isinstance(value, str):
        return value

    def variable(match: re.Match[str]) -> str:
        found = environ.get(match[1], match[2])
        if found is None:
            raise ConfigError(f"The MCP server {server!r} needs the variable {match[1]}, which is not set.")
        return found

    return _VARIABLE.sub(variable, value)


def history_path() -> Path:
    """Return the file that keeps what was typed in conversations."""
    return platformdirs.user_state_path(APP) / "history"

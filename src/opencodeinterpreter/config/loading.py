"""The settings that hold, and where each came from.

A value is taken from, each beating the one before: the defaults, the configuration file, ``OCINT_*`` variables of the
environment, the flags of the command line.
"""

from __future__ import annotations

import difflib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import platformdirs

from opencodeinterpreter.config.settings import APP, PREFIX, SETTINGS, Config
from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.sandbox.base import Limits

NOT_SETTINGS: Final = frozenset({"OCINT_CONFIG", "OCINT_DEBUG"})
"""Variables with our prefix that do not set anything in ``Config``."""


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

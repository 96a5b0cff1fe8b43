"""Which MCP servers there are, as configuration files name them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from opencodeinterpreter.errors import ConfigError

_KEYS = {"command", "args", "env", "cwd", "url", "headers", "type", "transport", "timeout", "allow", "disabled"}
_NAME = re.compile(r"[A-Za-z0-9][\w .-]{0,63}")


@dataclass(frozen=True)
class ToolServer:
    """An MCP server: a program to be started, or an address."""

    name: str
    command: str | None = None
    args: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Added to the few variables that a program needs."""
    cwd: str | None = None
    url: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    allow: tuple[str, ...] = ()
    """Names of the tools that are used without asking; "*" is all."""
    timeout: float = 30.0
    """Seconds for one call; the start may take a minute at least."""

    def allows(self, tool: str) -> bool:
        """Return whether a tool may be used without asking."""
        return "*" in self.allow or tool in self.allow


def tool_servers(tables: Mapping[str, Any]) -> tuple[ToolServer, ...]:
    """Return the servers of a configuration, each under its name; those that are disabled are left out.

    Raises:
        ConfigError: naming the server and what about it cannot be used.
    """
    return tuple(_server(name, table) for name, table in tables.items() if not _disabled(table))


def _disabled(table: Any) -> bool:
    return isinstance(table, dict) and table.get("disabled") is True


def _server(name: str, table: Any) -> ToolServer:
    where = f"The MCP server {name!r}"
    if not _NAME.fullmatch(name):
        raise ConfigError(f"{where} needs a name of letters, digits, and - or _.")
    if not isinstance(table, dict):
        raise ConfigError(f"{where} must be a table with a command or a url.")
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise ConfigError(f"{where} has no setting {unknown[0]!r}; known are {', '.join(sorted(_KEYS))}.")
    kind = table.get("type", table.get("transport"))
    if kind == "sse":
        raise ConfigError(f"{where} speaks SSE, which MCP has given up: give the url of its streamable HTTP.")
    command, url = (_text(where, table, key) for key in ("command", "url"))
    if (command is None) == (url is None):
        raise ConfigError(f"{where} needs either a command or a url.")
    if url is not None and not url.startswith(("http://", "https://")):
        raise ConfigError(f"{where} has a url that does not begin with http:// or https://.")
    return ToolServer(
        name,
        command,
        _texts(where, table, "args"),
        _table(where, table, "env"),
        _text(where, table, "cwd"),
        url,
        _table(where, table, "headers"),
        _texts(where, table, "allow"),
        _seconds(where, table),
    )


def _text(where: str, table: Mapping[str, Any], key: Literal["command", "url", "cwd"]) -> str | None:
    value = table.get(key)
    if value is not None and (not isinstance(value, str) or not value or "\0" in value):
        raise ConfigError(f"{where}: {key} must be text.")
    return value


def _texts(where: str, table: Mapping[str, Any], key: str) -> tuple[str, ...]:
    value = table.get(key, [])
    if not isinstance(value, list) or not all(isinstance(item, str) and "\0" not in item for item in value):
        raise ConfigError(f"{where}: {key} must be a list of texts.")
    return tuple(value)


def _table(where: str, table: Mapping[str, Any], key: str) -> dict[str, str]:
    value = table.get(key, {})
    if not isinstance(value, dict) or not all(isinstance(item, str) and "\0" not in item for item in value.values()):
        raise ConfigError(f"{where}: {key} must be a table of texts.")
    return dict(value)


def _seconds(where: str, table: Mapping[str, Any]) -> float:
    value = table.get("timeout", ToolServer.timeout)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= 3600:
        raise ConfigError(f"{where}: timeout must be a number of seconds above 0 and up to 3600.")
    return float(value)

"""The tables of MCP servers: of the configuration file, and of files as other programs have them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from opencodeinterpreter.config.settings import Config
from opencodeinterpreter.errors import ConfigError

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

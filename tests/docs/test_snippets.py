"""The settings that the page on serving gives for other programs can be read by those, and name what is there."""

from __future__ import annotations

import json
import tomllib
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT, Block, blocks
from test_commands import UsageError, parse

from opencodeinterpreter.serving.access import read_keys

PAGE = ROOT / "docs" / "serving.md"
SETTINGS = [block for block in blocks(PAGE) if block.language in {"json", "toml"}]
SERVER_TABLES = {"mcpServers", "servers", "mcp_servers"}
"""The tables in which MCP clients name the servers that they start."""


def read(block: Block) -> dict[str, Any]:
    table = json.loads(block.text) if block.language == "json" else tomllib.loads(block.text)
    assert isinstance(table, dict)
    return table


def servers() -> list[dict[str, Any]]:
    """Return the MCP servers that the snippets name, one of each snippet."""
    tables = [table for block in SETTINGS for name, table in read(block).items() if name in SERVER_TABLES]
    return [server for table in tables for server in table.values()]


def test_every_snippet_is_of_a_kind_that_is_known() -> None:
    names = [set(read(block)) for block in SETTINGS]
    assert sorted(next(iter(each)) for each in names if len(each) == 1) == [
        "keys",
        "mcpServers",
        "mcp_servers",
        "servers",
    ]
    assert len(names) == 4


@pytest.mark.parametrize("server", servers(), ids=lambda server: "-".join(sorted(server)))
def test_an_mcp_client_is_told_to_start_what_is_there(server: dict[str, Any]) -> None:
    assert set(server) <= {"type", "command", "args"}
    assert server.get("type", "stdio") == "stdio"
    (program,) = entry_points(group="console_scripts", name=server["command"])
    assert program.load() is not None
    assert program.value.startswith("opencodeinterpreter.")
    assert server["args"][0] == "mcp"
    parse(list(server["args"]))


def test_a_command_that_is_not_there_would_be_noticed() -> None:
    for words in (["mpc"], ["mcp", "--stdio"]):
        with pytest.raises(UsageError):
            parse(words)


def test_the_table_of_keys_is_read(tmp_path: Path) -> None:
    (block,) = (each for each in SETTINGS if "keys" in read(each))
    path = tmp_path / "keys.toml"
    path.write_text(block.text.replace('"…"', f'"{"0" * 64}"'), encoding="utf-8")
    keys = read_keys(path)
    assert keys.find("a long random text, at least 16 characters") is not None

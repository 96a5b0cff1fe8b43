"""On the page a person lets code call a tool, or not."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from page_client import PageClient
from page_server import PageServer
from playwright.sync_api import Browser, expect
from scripts_of_page import cell

SERVER = Path(__file__).parents[2] / "interpreter" / "tool_server.py"
CODE = """import tools
try:
    tools.shop.say('a')
except tools.ToolError as error:
    print(error)
print(tools.shop.add(40, 2))"""


@pytest.fixture
def tool_server(tmp_path: Path) -> Iterator[PageServer]:
    (tmp_path / "tools.json").write_text(json.dumps([cell(CODE), "It is 42."]))
    servers = tmp_path / "servers.json"
    servers.write_text(json.dumps({"mcpServers": {"shop": {"command": sys.executable, "args": [str(SERVER)]}}}))
    running = PageServer(tmp_path, words=["--mcp", str(servers), "--offer", f"scripted:{tmp_path}/tools.json"])
    yield running
    running.end()


def test_a_tool_is_rejected_and_another_let(chromium: Browser, tool_server: PageServer, tmp_path: Path) -> None:
    client = PageClient(chromium, tool_server)
    client.enter()
    client.choose("tools")
    client.say("Use the tools")
    request = client.page.locator(".request")
    expect(request).to_contain_text("The code wants to call the tool shop.say")
    expect(request.locator(".given")).to_have_text('{"text": "a"}')
    expect(client.page.locator(".cell")).to_have_attribute("data-state", "waiting")
    client.page.reload()
    request.get_by_role("button", name="Reject").click()
    client.page.keyboard.type("too loud")
    client.page.keyboard.press("Enter")
    expect(request).to_contain_text("The code wants to call the tool shop.add")
    client.page.screenshot(path=tmp_path / "asked.png")
    request.get_by_role("button", name="Let it").click()
    client.ended()
    outputs = client.turn.locator(".outputs").first
    expect(outputs).to_contain_text("Tool shop.say was not called")
    expect(outputs).to_contain_text("too loud")
    expect(outputs).to_contain_text("Tool shop.add:")
    expect(outputs).to_contain_text("42.0")
    client.close()
    assert client.complaints == []
    assert client.elsewhere == []

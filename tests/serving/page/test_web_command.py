"""``ocint web`` itself: what it prints, whom it lets in, how it ends, and sessions that outlive it."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from page_client import PageClient
from page_server import PageServer
from playwright.sync_api import Browser, expect


def status(url: str, **headers: str) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_only_who_has_the_token_gets_past_the_page(server: PageServer) -> None:
    assert status(server.origin + "/") == 200
    assert status(server.origin + "/static/js/main.js") == 200
    assert status(server.origin + "/api/v1/sessions") == 401
    assert status(server.origin + "/api/v1/sessions", Authorization="Bearer wrong") == 401
    assert status(server.origin + "/api/v1/sessions", Authorization=f"Bearer {server.token}") == 200
    assert status(server.origin + "/", Host="evil.example") == 421
    assert (
        status(server.origin + "/api/v1/sessions", Authorization=f"Bearer {server.token}", Origin="http://evil.example")
        == 403
    )


@pytest.mark.browser
def test_a_session_outlives_the_server_and_its_variables_come_back(chromium: Browser, tmp_path: Path) -> None:
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\necho "$1" > "$0.address.part" && mv "$0.address.part" "$0.address"\n')
    browser.chmod(0o755)
    servers = [PageServer(tmp_path, browser)]
    try:
        opened = tmp_path / "browser.address"
        while not opened.exists():
            time.sleep(0.05)
        address = opened.read_text().strip()
        assert servers[0].token not in address  # everybody on the machine can see it
        client = PageClient(chromium, servers[0], link=address)
        client.enter()
        assert "ticket" not in client.page.url
        another = PageClient(chromium, servers[0], link=address)
        another.page.goto(address)
        expect(another.page.locator("#gate")).to_be_visible()
        another.close()
        client.choose("sessions")
        client.do("Set the value")
        session = client.session
        client.close()
        said = servers[0].end()
        assert servers[0].process.returncode in (0, 130)
        assert "Traceback" not in said
        servers.append(PageServer(tmp_path))
        client = PageClient(chromium, servers[1])
        client.enter()
        client.page.click(".session")
        assert client.session == session
        expect(client.page.locator("#log")).to_contain_text("It is set.")
        expect(client.page.locator("#resumed")).to_contain_text("variables of the earlier code are gone")
        client.page.locator("#resumed button").click()
        expect(client.page.locator(".turn.replay .cell")).to_have_attribute("data-state", "ok")
        expect(client.page.locator("#resumed")).to_be_hidden()
        client.page.keyboard.press("Escape")
        rows = (servers[1].sessions / session / "events.jsonl").read_text().splitlines()
        assert "replay_finished" in [json.loads(row)["type"] for row in rows]
        assert client.elsewhere == client.complaints == []
        client.close()
    finally:
        for server in servers:
            server.end()

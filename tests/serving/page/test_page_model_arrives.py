"""A model that is not on this machine yet: the page tells how far it is, and why it does not come."""

from __future__ import annotations

import contextlib
import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from page_client import PageClient
from page_server import PageServer
from playwright.sync_api import Browser, expect

from opencodeinterpreter.models import ModelFile
from opencodeinterpreter.models.catalog import CATALOG

MODEL = "qwen2.5-coder-0.5b"
FILE = CATALOG[MODEL]
assert isinstance(FILE, ModelFile)
PART = FILE.size // 20

pytestmark = pytest.mark.browser


@dataclass
class SlowHub:
    """A hub that sends a twentieth of the model's file, and then next to nothing until it is told to break off."""

    url: str = ""
    break_off: threading.Event = field(default_factory=threading.Event)


@pytest.fixture
def hub() -> Iterator[SlowHub]:
    hub = SlowHub()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.head()

        def do_GET(self) -> None:
            if hub.break_off.is_set():
                self.send_error(404)
                return
            self.head()
            for _ in range(PART // 2**20):
                self.wfile.write(bytes(2**20))
            with contextlib.suppress(ConnectionError):
                while not hub.break_off.wait(1):  # a connection that stands still would be given up
                    self.wfile.write(b"\0")

        def head(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(FILE.size))
            self.send_header("X-Linked-Etag", f'"{FILE.sha256}"')
            self.send_header("X-Linked-Size", str(FILE.size))
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        hub.url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield hub
        finally:
            hub.break_off.set()
            server.shutdown()
            thread.join()


def test_the_page_tells_how_far_the_model_is_and_why_it_does_not_come(
    chromium: Browser, hub: SlowHub, tmp_path: Path
) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    environment = {"HF_ENDPOINT": hub.url, "PIP_INDEX_URL": nowhere, "OCINT_MODELS_FOLDER": str(tmp_path / "models")}
    server = PageServer(tmp_path, words=["--offer", MODEL], guarded=False, environment=environment)
    try:
        client = PageClient(chromium, server)
        client.enter()
        client.page.click("#model")
        client.page.get_by_role("menuitemradio", name=MODEL).click()
        client.say("What is 6 * 7?")
        told = client.page.locator("#queue")
        expect(told).to_contain_text("The model is fetched from 127.0.0.1")
        expect(told).to_contain_text(", 4 %")
        client.page.reload()
        expect(told).to_contain_text(", 4 %")
        client.page.get_by_role("button", name="New session").click()
        expect(told).to_be_hidden()
        client.page.locator(".session").first.click()
        expect(told).to_contain_text(", 4 %")
        client.page.get_by_role("button", name="Stop").click()
        client.ended()
        expect(client.turn).to_contain_text("Stopped")
        expect(told).to_be_hidden()
        client.say("What is 6 * 7, then?")
        expect(told).to_contain_text(", 4 %")  # it went on meanwhile
        hub.break_off.set()
        expect(client.page.locator(".turn")).to_have_count(2)
        client.ended()
        expect(told).to_be_hidden()
        expect(client.turn).to_contain_text("could not be fetched")
        assert client.elsewhere == []
        client.close()
    finally:
        server.end()

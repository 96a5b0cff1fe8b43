from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator

import pytest
from page_client import PageClient
from page_server import PageServer
from playwright.sync_api import Browser, sync_playwright

CHROMIUM = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    running = PageServer(tmp_path_factory.mktemp("page"))
    yield running
    running.end()


# Of a module: while Playwright lives its loop runs in this thread, and tests elsewhere run loops of their own.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


Open = Callable[..., PageClient]


@pytest.fixture
def open_page(chromium: Browser, server: PageServer) -> Iterator[Open]:
    """Opens the page in a browser profile of its own, which must have asked no other host, and not complained."""
    opened: list[PageClient] = []

    def opening(script: str | None = None, **options: object) -> PageClient:
        client = PageClient(chromium, server, **options)
        opened.append(client)
        client.enter()
        if script is not None:
            client.choose(script)
        return client

    yield opening
    for client in opened:
        client.close()
    for client in opened:
        assert client.elsewhere == []
        assert client.complaints == []

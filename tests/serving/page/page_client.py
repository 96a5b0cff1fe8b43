"""The page in a browser, as a person uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Locator, expect

SECONDS = 60
ENDED = ".turn:last-child > .end:not([hidden])"


class PageClient:
    """One tab; ``page`` is playwright's. Its browser profile is its own, unless it is given that of another tab."""

    def __init__(self, browser: Browser, server: Any, **options: Any) -> None:
        self.server = server
        self.link = options.pop("link", server.link)
        size = {"viewport": {"width": 1280, "height": 860}, "locale": "en-US"}
        given = options.pop("context", None)
        self.context = given or browser.new_context(**{**size, **options})
        self.elsewhere: list[str] = []
        """What was asked of other hosts, whether or not it was let out."""
        self.complaints: list[str] = []
        self.page = self.context.new_page()
        self.page.set_default_timeout(SECONDS * 1000)
        expect.set_options(timeout=SECONDS * 1000)
        self.context.on("request", lambda request: self._asked(request.url))
        self.page.on("console", lambda said: self.complaints.append(said.text) if said.type == "error" else None)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _asked(self, url: str) -> None:
        origin = self.link.split("/#")[0]
        if not url.startswith((f"{origin}/", "data:", f"blob:{origin}/")):
            self.elsewhere.append(url)

    def enter(self) -> None:
        self.page.goto(self.link)
        self.page.wait_for_selector("#app:not([hidden])")
        self.page.wait_for_selector("#model span:last-child:not(:empty)")

    def choose(self, script: str) -> None:
        name = self.server.model(script)
        self.page.click("#model")
        self.page.get_by_role("menuitemradio", name=name).click()
        expect(self.page.locator("#model")).to_contain_text(name)

    def say(self, text: str) -> None:
        self.page.fill("#task", text)
        self.page.keyboard.press("Enter")

    def do(self, text: str) -> Locator:
        """Say something and wait for the end of the turn; return what is shown of it."""
        before = self.page.locator(".turn").count()
        self.say(text)
        expect(self.page.locator(".turn")).to_have_count(before + 1)
        self.ended()
        return self.turn

    def ended(self) -> None:
        self.page.wait_for_selector(ENDED)
        expect(self.page.locator("#send")).not_to_contain_text("Stop")

    @property
    def turn(self) -> Locator:
        return self.page.locator(".turn").last

    @property
    def session(self) -> str:
        return self.page.url.partition("#session=")[2]

    def shown(self) -> str:
        """What is shown of the whole conversation, without what tells the time."""
        return self.page.evaluate(
            "(() => { const copy = document.querySelector('#log').cloneNode(true);"
            "copy.querySelectorAll('time, .cost').forEach((each) => each.remove()); return copy.textContent })()"
        )

    def events(self, kind: str) -> list[dict[str, Any]]:
        path = self.server.sessions / self.session / "events.jsonl"
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        return [row for row in rows if row["type"] == kind]

    def saved(self, click: Locator) -> tuple[str, bytes]:
        """Click on what saves a file; return its name and what is in it."""
        with self.page.expect_download() as download:
            click.click()
        return download.value.suggested_filename, Path(download.value.path()).read_bytes()

    def close(self) -> None:
        self.context.close()

"""The page in a real browser, with the real model and the real sandbox.

What the model writes differs with the machine, so what is looked for is what the page and the sandbox make of it, and
what code of a person's own gives.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

pytestmark = [pytest.mark.model, pytest.mark.browser, pytest.mark.slow, pytest.mark.timeout(900)]

PROGRAM = Path(__file__).parents[1] / "serving" / "page" / "page_program.py"
CHROMIUM = next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := which(name))), None)
ENDED = ".turn:last-child > .end:not([hidden])"
MODEL_SECONDS, PAGE_SECONDS = 240, 60
TASK = "Write and run Python code that prints 123456789 * 987654321."
COUNT = "import time; [(print('tick', n, flush=True), time.sleep(0.1)) for n in range(6000)]"


@dataclass
class Visit:
    """The page with the 0.5B model behind it, as one person sees it."""

    page: Page
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def say(self, text: str) -> None:
        self.page.fill("#task", text)
        self.page.keyboard.press("Enter")

    def ended(self) -> None:
        self.page.wait_for_selector(ENDED, timeout=MODEL_SECONDS * 1000)

    def write_and_run(self, code: str) -> None:
        """Put code in place of what an editor that has just been opened holds, and run it."""
        self.page.keyboard.press("Control+A")
        self.page.keyboard.type(code)
        self.page.keyboard.press("Control+Enter")

    def edit_first_cell(self, code: str) -> None:
        self.page.locator(".turn.task .cell").first.get_by_role("button", name="Edit and run").click()
        self.write_and_run(code)

    @property
    def own(self) -> Locator:
        """What a person's own code printed last."""
        return self.page.locator(".turn.own").last.locator(".stream")


@contextmanager
def visiting(home: dict[str, str]) -> Iterator[Visit]:
    """The page of ``ocint web``, which is killed for asking for an Internet socket, in a browser of its own."""
    if CHROMIUM is None:
        pytest.skip("no Chromium is installed")
    from playwright.sync_api import expect, sync_playwright

    command = [sys.executable, str(PROGRAM), "web", "--no-browser", "-m", "qwen2.5-coder-0.5b"]
    program = subprocess.Popen(command, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        link = program.stdout.readline().strip()
        origin = link.partition("/#")[0]
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
            visit = Visit(browser.new_page(locale="en-US"))
            visit.page.set_default_timeout(PAGE_SECONDS * 1000)
            expect.set_options(timeout=PAGE_SECONDS * 1000)
            visit.page.on("request", lambda request: visit.requests.append(request.url))
            visit.page.on("pageerror", lambda error: visit.complaints.append(str(error)))
            visit.page.goto(link)
            yield visit
            browser.close()
        assert visit.requests
        assert all(url.startswith((f"{origin}/", "data:", f"blob:{origin}/")) for url in visit.requests), visit.requests
        assert visit.complaints == []
        assert program.poll() is None  # it would have been killed for an Internet socket
    finally:
        program.terminate()
        program.communicate(timeout=60)


def test_a_task_is_done_in_the_page_and_nothing_leaves_the_machine(home: dict[str, str], tmp_path: Path) -> None:
    from playwright.sync_api import expect

    (tmp_path / "data.csv").write_text("item,price\nchair,17\ntable,25\n")
    with visiting(home) as visit:
        visit.page.set_input_files("#picker", tmp_path / "data.csv")
        visit.say("Print the sum of the column price of data.csv.")
        visit.ended()
        expect(visit.page.locator("#log")).to_contain_text("42")
        expect(visit.page.locator(".cell[data-state=ok]")).not_to_have_count(0)
        visit.page.reload()
        expect(visit.page.locator("#log")).to_contain_text("42")


def test_code_of_the_model_is_approved_and_then_edited_before_it_runs_and_stopped(home: dict[str, str]) -> None:
    from playwright.sync_api import expect

    with visiting(home) as visit:
        page = visit.page
        request, cells = page.locator(".request"), page.locator(".turn:last-child .cell")
        page.check("#approve")
        visit.say(TASK)
        expect(request).to_contain_text("Run this code?", timeout=MODEL_SECONDS * 1000)
        expect(cells).to_have_attribute("data-state", "waiting")
        expect(cells.locator(".outputs")).to_be_hidden()
        request.get_by_role("button", name="Run").click()
        expect(cells.first).to_have_attribute("data-state", "ok")
        expect(cells.first).not_to_contain_text("by you")
        # Whether it wants to run more is the model's affair.
        page.locator(f".request, {ENDED}").first.wait_for(timeout=MODEL_SECONDS * 1000)
        if request.is_visible():
            page.click("#send")
        visit.ended()

        visit.say(TASK)
        expect(page.locator(".turn")).to_have_count(2)
        expect(request).to_contain_text("Run this code?", timeout=MODEL_SECONDS * 1000)
        request.get_by_role("button", name="Edit").click()
        visit.write_and_run(COUNT)
        expect(cells.last.locator(".stream")).to_contain_text("tick 3")
        expect(cells.last).to_contain_text("Python, by you")
        expect(page.locator("#send")).to_contain_text("Stop")
        page.click("#send")
        visit.ended()
        expect(cells.last).to_have_attribute("data-state", "stopped")
        expect(page.locator(".turn:last-child .end")).to_contain_text("Stopped")
        expect(page.locator("#send")).not_to_contain_text("Stop")


def test_a_cell_is_edited_and_the_session_gone_on_with_after_a_restart(home: dict[str, str]) -> None:
    from playwright.sync_api import expect

    with visiting(home) as visit:
        visit.say(TASK)
        visit.ended()
        visit.edit_first_cell("kept = 6 * 7; print('kept is', kept)")
        expect(visit.own).to_contain_text("kept is 42")
        visit.ended()
    with visiting(home) as visit:
        page = visit.page
        page.locator("#session-list .session").click()
        expect(visit.own).to_contain_text("kept is 42")
        expect(page.locator("#resumed")).to_contain_text("variables of the earlier code are gone")
        page.locator("#resumed button").click()
        expect(page.locator(".turn.replay .cell").last).to_have_attribute("data-state", "ok")
        expect(page.locator("#resumed")).to_be_hidden()
        visit.edit_first_cell("print('still', kept + 1)")
        expect(visit.own).to_contain_text("still 43")
        visit.ended()
        visit.say(TASK)
        expect(page.locator(".turn.task")).to_have_count(2)
        visit.ended()
        expect(page.locator(".turn.task").nth(1).locator(".prose, .cell")).not_to_have_count(0)
        expect(page.locator(".turn .note.bad")).to_have_count(0)

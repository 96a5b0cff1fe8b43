"""The page in a real browser, with the real model and the real sandbox."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parents[1] / "serving" / "page" / "page_program.py"


@pytest.mark.model
@pytest.mark.browser
def test_a_task_is_done_in_the_page_and_nothing_leaves_the_machine(home: dict[str, str], tmp_path: Path) -> None:
    from shutil import which

    from playwright.sync_api import expect, sync_playwright

    chromium = which("chromium") or which("chromium-browser") or which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed")
    (tmp_path / "data.csv").write_text("item,price\nchair,17\ntable,25\n")
    command = [sys.executable, str(PROGRAM), "web", "--no-browser", "-m", "qwen2.5-coder-0.5b"]
    program = subprocess.Popen(command, env=home, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert program.stdout is not None
        link = program.stdout.readline().strip()
        origin = link.partition("/#")[0]
        requests: list[str] = []
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            page = browser.new_page(locale="en-US")
            page.on("request", lambda request: requests.append(request.url))
            page.goto(link)
            page.set_input_files("#picker", tmp_path / "data.csv")
            page.fill("#task", "Print the sum of the column price of data.csv.")
            page.keyboard.press("Enter")
            page.wait_for_selector(".turn:last-child > .end:not([hidden])", timeout=240_000)
            expect(page.locator("#log")).to_contain_text("42")
            expect(page.locator(".cell[data-state=ok]")).not_to_have_count(0)
            page.reload()
            expect(page.locator("#log")).to_contain_text("42", timeout=30_000)
            browser.close()
        assert requests
        assert all(url.startswith((f"{origin}/", "data:", "blob:")) for url in requests), requests
        assert program.poll() is None  # it would have been killed for an Internet socket
    finally:
        program.terminate()
        program.communicate(timeout=60)

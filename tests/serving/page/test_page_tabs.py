"""One session in two tabs of one browser: what is done in either is seen in both."""

from __future__ import annotations

import time

import pytest
from page_client import SECONDS, PageClient
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def the_same(one: PageClient, other: PageClient) -> str:
    """Wait until both tabs show the same conversation, and return it."""
    deadline = time.monotonic() + SECONDS
    while (shown := one.shown()) != other.shown():
        assert time.monotonic() < deadline, f"{shown}\n\n{other.shown()}"
        one.page.wait_for_timeout(100)
    return shown


def test_two_tabs_on_the_same_session_show_the_same(open_page) -> None:
    one = open_page("tabs")
    one.say("Count in both tabs")
    expect(one.page.locator(".stream")).to_contain_text("tick 3")
    other = open_page(context=one.context)
    other.page.locator("#session-list .session").filter(has_text="Count in both tabs").click()
    expect(other.page.locator(".stream")).to_contain_text("tick 9")
    expect(one.page.locator(".stream")).to_contain_text("tick 9")
    assert other.session == one.session

    expect(other.page.locator("#send")).to_contain_text("Stop")
    other.page.locator("#send").click()
    for tab in (other, one):
        tab.ended()
        expect(tab.turn).to_contain_text("Stopped")
    assert "tick 9" in the_same(one, other)

    one.page.locator(".cell").get_by_role("button", name="Comment").click()
    one.page.keyboard.type("count slower")
    one.page.keyboard.press("Enter")
    expect(other.page.locator(".said")).to_have_text("count slower")
    other.page.locator(".cell").get_by_role("button", name="Edit and run").click()
    other.page.keyboard.press("Control+A")
    other.page.keyboard.type("open('made.txt', 'w').write('x'); print('from the other tab')")
    other.page.keyboard.press("Control+Enter")
    for tab in (one, other):
        expect(tab.page.locator(".turn.own .stream")).to_contain_text("from the other tab")
        expect(tab.page.locator("#file-count")).to_have_text("1")
        tab.ended()
    assert "count slower" in the_same(one, other)

    one.turn.get_by_role("button", name="Take back").click()
    for tab in (one, other):
        expect(tab.page.locator(".turn")).to_have_count(1)
    the_same(one, other)
    one.page.get_by_role("button", name="More for Count in both tabs").click()
    one.page.get_by_role("menuitem", name="Rename").click()
    one.page.get_by_role("dialog").get_by_role("textbox").fill("Renamed here")
    one.page.keyboard.press("Enter")
    expect(other.page.locator("#title")).to_have_text("Renamed here")

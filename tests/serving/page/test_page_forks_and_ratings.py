"""Sessions that are forked and answers that are rated, in a real browser against a real server."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import Locator, expect

pytestmark = pytest.mark.browser


def pressed(thumb: Locator, whether: bool) -> None:
    expect(thumb).to_have_attribute("aria-pressed", "true" if whether else "false")


def test_a_session_is_forked_at_a_turn_and_from_the_list(open_page) -> None:
    client = open_page("forks")
    page = client.page
    client.do("Keep number five")
    client.do("Set another")
    source, before = client.session, client.shown()

    page.locator(".turn").first.get_by_role("button", name="Fork from here").click()
    question = page.locator("dialog")
    expect(question).to_contain_text("Its files are those of now")
    question.get_by_role("button", name="Cancel").click()
    expect(question).to_have_count(0)
    assert client.session == source
    page.locator(".turn").first.get_by_role("button", name="Fork from here").focus()
    page.keyboard.press("Enter")
    question.get_by_role("button", name="Fork").click()
    page.wait_for_function("(id) => location.hash.length > 10 && !location.hash.endsWith(id)", arg=source)
    fork = client.session
    expect(page.locator(".turn")).to_have_count(1)
    expect(page.locator(".fork-mark")).to_contain_text("Up to here as in the session that this is a fork of.")
    expect(page.locator("#said")).to_contain_text("This is the fork")
    expect(page.locator("#title")).to_have_text("Keep number five")
    expect(page.locator("#resumed")).to_contain_text("variables of the earlier code are gone")
    row = page.locator(f'#session-list li[data-id="{fork}"]')
    expect(row.locator(".origin")).to_have_attribute("title", "Fork of “Keep number five”")
    expect(page.locator(f'#session-list li[data-id="{source}"] .origin')).to_have_count(0)

    page.fill("#task", "What is it?")
    page.keyboard.press("Enter")
    expect(page.locator(".turn.task")).to_have_count(2)
    client.ended()
    page.reload()
    expect(page.locator(".fork-mark")).to_have_count(1)
    expect(page.locator(".turn.task")).to_have_count(2)

    page.get_by_role("link", name="Go there").click()
    expect(page.locator(".turn")).to_have_count(2)
    expect(page.locator(".fork-mark")).to_have_count(0)
    assert client.session == source
    assert client.shown() == before

    page.locator(f'#session-list li[data-id="{source}"]').get_by_role(
        "button", name="More for Keep number five"
    ).click()
    page.get_by_role("menuitem", name="Fork").click()
    expect(page.locator(".fork-mark")).to_have_count(1)
    expect(page.locator(".turn")).to_have_count(2)
    assert client.session not in (source, fork)
    assert [(row["session"], row["turn"]) for row in client.events("forked")] == [(source, 1)]


def test_answers_are_rated_and_the_rating_is_there_after_a_reload(open_page) -> None:
    client = open_page("ratings")
    page = client.page
    turn = client.do("Six times seven?")
    good, bad = (turn.get_by_role("button", name=f"{word} answer") for word in ("Good", "Bad"))
    pressed(good, False)
    good.click()
    pressed(good, True)
    expect(good).to_be_focused()
    expect(page.locator("#said")).to_have_text("Rated good.")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    pressed(bad, True)
    pressed(good, False)
    client.do("What is it?")
    second = page.locator(".turn").nth(1)
    second.get_by_role("button", name="Good answer").click()
    pressed(second.get_by_role("button", name="Good answer"), True)
    page.reload()
    first = page.locator(".turn").first
    pressed(first.get_by_role("button", name="Bad answer"), True)
    pressed(first.get_by_role("button", name="Good answer"), False)
    pressed(second.get_by_role("button", name="Good answer"), True)
    page.click("#export")
    _, line = client.saved(page.get_by_role("menuitem", name="Code-Feedback"))
    messages = json.loads(line)["messages"]
    assert [each["meta"]["rating"] for each in messages if "rating" in each.get("meta", {})] == ["bad", "good"]
    first.get_by_role("button", name="Bad answer").click()
    pressed(first.get_by_role("button", name="Bad answer"), False)
    expect(page.locator("#said")).to_have_text("The rating is taken back.")
    assert [row["rating"] for row in client.events("rated")] == ["good", "bad", "good", None]


def test_both_speak_chinese(open_page) -> None:
    client = open_page("other", locale="zh-CN")
    turn = client.do("你好")
    turn.get_by_role("button", name="回答不错").click()
    pressed(turn.get_by_role("button", name="回答不错"), True)
    turn.get_by_role("button", name="从此处创建分支").click()
    expect(client.page.locator(".fork-mark")).to_contain_text("到此为止与原会话相同。")
    pressed(client.turn.get_by_role("button", name="回答不错"), True)

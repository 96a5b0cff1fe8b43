"""How the page looks: texts can be read in every look, and on a touch screen everything that can be done is seen."""

from __future__ import annotations

import pytest
from contrast import measured
from playwright.sync_api import expect

pytestmark = pytest.mark.browser


def test_a_wide_touch_screen_shows_what_else_only_pointing_shows(open_page) -> None:
    client = open_page("touch", viewport={"width": 1180, "height": 820}, has_touch=True, is_mobile=True)
    page = client.page
    client.do("The first one")
    page.locator("#new").tap()
    client.do("The second one")
    first, second = (page.get_by_role("button", name=f"More for The {each} one") for each in ("first", "second"))
    assert page.evaluate("matchMedia('(hover: none)').matches")
    for menu in (first, second):
        expect(menu).to_have_css("opacity", "1")
    expect(client.turn.get_by_role("button", name="Edit the message and do it again")).to_have_css("opacity", "1")
    first.tap()
    page.get_by_role("menuitem", name="Rename").tap()
    page.get_by_role("dialog").get_by_role("textbox").fill("Renamed by a finger")
    page.get_by_role("dialog").get_by_role("button", name="Save").tap()
    expect(page.get_by_role("button", name="More for Renamed by a finger")).to_have_count(1)


def test_a_text_that_is_too_faint_would_be_noticed(open_page) -> None:
    page = open_page().page
    page.locator("#welcome p").evaluate("(each) => (each.style.color = '#8888')")
    for look, texts in measured(page).items():
        assert [each.where for each in texts if each.ratio < each.needed] == ["div > p"], look


@pytest.mark.slow
def test_texts_stand_out_from_what_is_behind_them(open_page) -> None:
    client = open_page("colours")
    page = client.page
    looked: dict[str, int] = {}
    faint: set[str] = set()

    def look(where: str) -> None:
        for name, texts in measured(page).items():
            looked[f"{where}, {name}"] = len(texts)
            faint.update(
                f"{where}, {name}: {each.where} “{each.text}” {each.ratio:.2f}"
                for each in texts
                if each.ratio < each.needed
            )

    look("welcome")
    page.set_input_files("#picker", {"name": "given.csv", "mimeType": "text/csv", "buffer": b"name,n\na,1\n"})
    expect(page.locator(".attached-file th")).to_have_count(2)
    look("attached")
    turn = client.do("Show every colour")
    expect(turn.locator(".cell")).to_have_count(2)
    turn.locator("details").evaluate_all("(all) => all.forEach((each) => (each.open = true))")
    look("turn")
    turn.get_by_role("button", name="Comment").first.click()
    turn.get_by_role("textbox").fill("a comment")
    page.keyboard.press("Enter")
    expect(turn.locator(".said")).to_have_count(1)
    turn.get_by_role("button", name="Edit and run").first.click()
    look("editor")
    page.keyboard.press("Escape")
    turn.get_by_role("button", name="Good answer").click()
    expect(turn.get_by_role("button", name="Good answer")).to_have_attribute("aria-pressed", "true")
    page.locator("#open-files").click()
    expect(page.locator("#file-list li")).to_have_count(2)
    look("files")
    page.locator("#open-files").click()
    turn.get_by_title("Look at given.csv").click()
    expect(page.locator(".preview:not([aria-busy]) td")).not_to_have_count(0)
    look("viewer")
    page.keyboard.press("Escape")
    for button in ("sandbox", "settings", "share", "export", "model"):
        page.locator(f"#{button}").click()
        expect(page.locator("dialog[open], .menu")).to_be_visible()
        look(button)
        page.keyboard.press("Escape")
        expect(page.locator("dialog[open], .menu")).to_have_count(0)
    page.get_by_role("button", name="More for Show every colour").click()
    look("menu of a session")
    page.get_by_role("menuitem", name="Delete").click()
    look("question")
    page.keyboard.press("Escape")

    page.check("#approve")
    client.say("Ask me first")
    expect(page.locator(".request")).to_contain_text("Run this code?")
    look("request")
    page.locator(".request").get_by_role("button", name="Reject").click()
    look("reason")
    page.keyboard.press("Enter")
    client.ended()
    page.uncheck("#approve")
    client.do("The script is at its end")
    expect(client.turn.locator(".note.bad")).to_contain_text("The model failed")
    page.evaluate("for (const id of ['lost', 'resumed']) document.getElementById(id).hidden = false")
    page.evaluate("for (const id of ['lost', 'resumed']) document.getElementById(id).textContent = 'a banner'")
    look("notes")

    stranger = client.context.browser.new_context(locale="en-US")
    page = stranger.new_page()
    page.goto(client.server.origin)
    expect(page.locator("#gate h1")).to_be_visible()
    look("gate")
    stranger.close()
    assert not faint, "\n".join(sorted(faint))
    assert min(looked.values()) > 3, looked
    assert looked["turn, light"] > 150

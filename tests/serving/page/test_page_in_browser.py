"""The page in a real browser, against the real server and the real sandbox; only the model is scripted."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from cable import Cable
from playwright.sync_api import Page, expect
from scripts_of_page import TICKS

pytestmark = pytest.mark.browser


def test_a_task_from_text_to_files_and_the_same_after_a_reload(open_page) -> None:
    client = open_page("rich")
    turn = client.do("Draw a line")
    cells = turn.locator(".cell")
    expect(cells).to_have_count(3)
    expect(turn.locator(".prose").first).to_have_text("I draw it.")
    expect(cells.first.locator(".code .h-keyword").first).to_have_text("import")
    expect(cells.first.locator(".stream")).to_contain_text("first 42")
    assert cells.first.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth > 100)")
    rows = cells.first.locator("table.frame tbody tr")
    expect(rows).to_have_count(20)
    expect(rows.first).to_contain_text("row 0")
    cells.first.get_by_role("button", name="Later rows").click()
    expect(rows).to_have_count(10)
    expect(cells.nth(1).locator(".error-line")).to_have_text("ZeroDivisionError: division by zero")
    expect(turn.locator(".cost")).to_contain_text("4 rounds")
    name, content = client.saved(turn.locator(".end").get_by_title("Download line.png"))
    assert (name, content[:4]) == ("line.png", b"\x89PNG")
    shown = client.shown().replace("rows 21 to 30", "rows 1 to 20")
    client.page.reload()
    client.ended()
    assert client.shown()[:200] == shown[:200]
    expect(client.page.locator(".cell img")).to_have_count(1)
    expect(client.page.locator("#meter")).to_contain_text("of context")


def test_stop_ends_code_and_a_reload_shows_what_goes_on(open_page) -> None:
    client = open_page("ticks")
    client.say("Count")
    expect(client.page.locator(".stream")).to_contain_text("tick 3")
    expect(client.page.locator("#send")).to_contain_text("Stop")
    client.page.reload()
    expect(client.page.locator(".stream")).to_contain_text("tick 9")
    expect(client.page.locator(".cell")).to_have_attribute("data-state", "running")
    assert client.page.locator(".code").inner_text().strip() == TICKS.strip()
    client.page.click("#send")
    client.ended()
    expect(client.turn).to_contain_text("Stopped")
    numbers = [
        int(number) for number in re.findall(r"tick (\d+)", client.events("execution_finished")[0]["result"]["stdout"])
    ]
    assert numbers == list(range(len(numbers)))
    assert len(numbers) < 600


def test_a_broken_connection_loses_nothing(open_page, server) -> None:
    with Cable(int(server.origin.rpartition(":")[2])) as cable:
        client = open_page("lost", link=f"http://127.0.0.1:{cable.port}/#token={server.token}")
        client.say("Count")
        expect(client.page.locator(".stream")).to_contain_text("tick 3")
        cable.cut()
        expect(client.page.locator("#lost")).to_contain_text("Nothing is lost")
        client.page.wait_for_timeout(800)
        cable.join()
        expect(client.page.locator("#lost")).to_be_hidden()
        client.ended()
        client.page.get_by_role("button", name="Show all 30 lines").click()
        text = client.page.locator(".stream pre").inner_text()
        assert text.split("\n") == [f"tick {number}" for number in range(30)]
        client.close()
        assert client.complaints  # the browser reports the requests that did not get through
        client.complaints.clear()


def test_long_output_is_folded_and_all_of_it_can_be_saved(open_page) -> None:
    client = open_page("flood")
    turn = client.do("Print much")
    stream = turn.locator(".stream pre")
    expect(stream).to_contain_text("line 59999")
    assert stream.inner_text().count("\n") < 30
    name, content = client.saved(turn.get_by_role("button", name="Save all of it"))
    assert name == "output.txt"
    assert content.decode().splitlines()[30_000].startswith("line 30000")


def test_code_is_rejected_with_a_reason_then_edited_then_run(open_page) -> None:
    client = open_page("approve")
    client.page.check("#approve")
    client.say("Print something")
    request = client.page.locator(".request")
    expect(request).to_contain_text("Run this code?")
    request.get_by_role("button", name="Reject").click()
    client.page.keyboard.type("use another word")
    client.page.keyboard.press("Enter")
    expect(client.page.locator(".cell")).to_have_count(2)
    expect(client.page.locator(".cell").first).to_contain_text("use another word")
    expect(client.page.locator(".cell").first).to_have_attribute("data-state", "unrun")
    client.page.reload()
    request.get_by_role("button", name="Edit").click()
    client.page.keyboard.press("Control+A")
    client.page.keyboard.type("print('mine')")
    client.page.keyboard.press("Control+Enter")
    client.ended()
    expect(client.turn.locator(".cell").nth(1)).to_contain_text("Python, by you")
    expect(client.turn.locator(".stream")).to_have_text(re.compile("mine"))
    decided = [(row["verb"], row["text"]) for row in client.events("decided")]
    assert decided == [("reject", "use another word"), ("edit", "print('mine')")]


def test_cells_and_messages_are_edited_commented_and_taken_back(open_page) -> None:
    client = open_page("cells")
    cell = client.do("Add one to twenty").locator(".cell")
    cell.get_by_role("button", name="Comment").click()
    client.page.keyboard.type("x should be 30")
    client.page.keyboard.press("Enter")
    expect(cell.locator(".said")).to_have_text("x should be 30")
    cell.get_by_role("button", name="Edit and run").click()
    client.page.keyboard.press("Control+A")
    client.page.keyboard.type("print(x + 11)")
    client.page.keyboard.press("Control+Enter")
    own = client.page.locator(".turn.own")
    expect(own.locator(".stream")).to_contain_text("31")
    client.ended()
    expect(client.do("And now?")).to_contain_text("You have changed it.")
    message = client.events("turn_started")[-1]["message"]
    assert "x should be 30" in message
    client.turn.get_by_role("button", name="Try again").click()
    expect(client.turn).to_contain_text("Shown again.")
    client.ended()
    client.page.locator(".turn.task").first.locator(".asked").hover()
    client.page.get_by_role("button", name="Edit the message and do it again").first.click()
    client.page.keyboard.press("Control+A")
    client.page.keyboard.type("Do something else")
    client.page.keyboard.press("Control+Enter")
    expect(client.page.locator(".turn")).to_have_count(1)
    expect(client.turn).to_contain_text("Something else.")
    client.ended()
    client.turn.get_by_role("button", name="Take back").click()
    expect(client.page.locator(".turn")).to_have_count(0)
    expect(client.page.locator("#task")).to_have_value("Do something else")
    client.page.reload()
    expect(client.page.locator("#task")).to_have_value("Do something else")
    expect(client.page.locator(".turn")).to_have_count(0)


def test_files_are_uploaded_by_button_and_by_drop_with_their_first_rows(open_page, tmp_path: Path) -> None:
    client = open_page("upload")
    (tmp_path / "sales.csv").write_text('region,sold\n"north, far",3\nsouth,4\n')
    client.page.set_input_files("#picker", tmp_path / "sales.csv")
    attached = client.page.locator(".attached-file")
    expect(attached.locator("th")).to_have_text(["region", "sold"])
    expect(attached.locator("td").first).to_have_text("north, far")
    client.page.evaluate(
        "(() => { const data = new DataTransfer(); data.items.add(new File(['two\\nlines'], '<i>note<i>.txt'));"
        "for (const type of ['dragenter', 'dragover', 'drop'])"
        " document.body.dispatchEvent(new DragEvent(type, {bubbles: true, cancelable: true, dataTransfer: data})) })()"
    )
    expect(attached).to_have_count(2)
    expect(attached.nth(1).locator("pre")).to_have_text("two\nlines")
    turn = client.do("What is in them?")
    expect(turn.locator(".bubble .file")).to_have_text(["sales.csv", re.compile("note")])
    expect(turn.locator(".stream")).to_contain_text("north, far")
    client.page.click("#open-files")
    expect(client.page.locator("#file-list li")).to_have_count(2)
    assert client.saved(client.page.locator("#files").get_by_title("Download sales.csv"))[1].startswith(b"region,sold")
    client.page.get_by_role("button", name="Delete sales.csv").click()
    client.page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(client.page.locator("#file-list li")).to_have_count(1)


def test_nothing_that_a_model_or_its_code_wrote_can_act(open_page) -> None:
    client = open_page("hostile")
    turn = client.do("Try it")
    page = client.page
    expect(turn.locator(".prose").first).to_contain_text("<script>document.title='taken'</script>")
    assert turn.locator(".prose a").evaluate_all("(all) => all.map((each) => each.href)") == [
        "https://example.org/", "https://192.0.2.1/a.png",
    ]  # fmt: skip
    still = page.frame_locator("iframe[src='/frame/still']")
    expect(still.locator("#kept")).to_have_css("color", "rgb(1, 2, 3)")
    expect(still.locator("body")).not_to_contain_text("script ran")
    for forbidden in ("iframe", "link", "meta", "form", "img[src]", "[onclick]", "a[href]"):
        expect(still.locator(f"body {forbidden}")).to_have_count(0)
    expect(page.frame_locator("iframe[src='/frame/plotly']").locator(".gtitle")).to_have_text("Bars")
    expect(turn.locator(".stream")).to_contain_text("<b>not bold</b>")
    expect(turn.locator(".end .file .name")).to_have_text("<img src=x onerror=alert(1)>.txt")
    assert client.elsewhere == []
    assert (
        page.locator("iframe").evaluate_all("(all) => all.map((each) => each.getAttribute('sandbox'))")
        == ["allow-scripts"] * 2
    )
    page.get_by_role("button", name="Run them").click()
    live = page.frame_locator("iframe[src='/frame/live']")
    expect(live.locator("body")).to_contain_text("script ran")
    assert live.locator("body").evaluate("() => window.origin") == "null"
    sent = live.locator("body").evaluate("() => fetch('http://192.0.2.1/').then(() => 'sent', () => 'refused')")
    assert sent == "refused"
    assert "taken" not in page.title()
    for url in client.elsewhere:  # asked for by the scripts that a person let run, and not let out by the policy
        assert url.startswith("http://192.0.2.1/")
    assert all("Content Security Policy" in each or "violates" in each for each in client.complaints), client.complaints
    client.elsewhere.clear()
    client.complaints.clear()


def test_a_line_end_that_comes_late_is_no_output_of_its_own(open_page) -> None:
    turn = open_page("line end").do("Print it")
    expect(turn.locator(".stream")).to_have_count(1)
    expect(turn.locator(".stream")).to_contain_text("one line")


def test_sessions_are_found_renamed_exported_and_deleted(open_page) -> None:
    client = open_page("sessions")
    page = client.page
    client.do("Set the value")
    first = client.session
    other = open_page("other")
    other.do("Something different")
    assert other.session != first
    expect(other.page.locator("#log")).not_to_contain_text("Set the value")
    page.fill("#find", "different")
    expect(page.locator("#session-list li")).to_have_count(1)
    page.fill("#find", "the value")
    expect(page.locator("#session-list .title")).to_have_text("Set the value")
    page.get_by_role("button", name="More for Set the value").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("My <b>value</b>")
    page.keyboard.press("Enter")
    expect(page.locator("#session-list .title")).to_have_text("My <b>value</b>")
    expect(page.locator("#title")).to_have_text("My <b>value</b>")
    forms = {"ipynb": "value = 5", "py": "value = 5", "md": "```python", "jsonl": '"messages"', "html": "<article"}
    for form, held in forms.items():
        page.click("#export")
        name, content = client.saved(page.get_by_role("menuitem").filter(has_text=f".{form})"))
        assert name.endswith(f".{form}")
        assert held in content.decode()
    page.click("#sandbox")
    expect(page.get_by_role("dialog")).to_contain_text("bubblewrap")
    page.keyboard.press("Escape")
    expect(client.do("One more")).to_contain_text("Six.")
    page.fill("#find", "")
    page.get_by_role("button", name="More for Something different").click()
    page.get_by_role("menuitem", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("button", name="More for Something different")).to_have_count(0)
    expect(other.page.locator("#problem")).to_contain_text("deleted")
    expect(other.page.locator("#welcome")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "scheme", "said"), [("en-US", "light", "What is to be done?"), ("zh-CN", "dark", "要做什么？")]
)
def test_a_phone_in_both_languages_and_colours(open_page, locale: str, scheme: str, said: str) -> None:
    client = open_page(
        viewport={"width": 360, "height": 740}, locale=locale, color_scheme=scheme, has_touch=True, is_mobile=True
    )
    page = client.page
    expect(page.locator("#welcome h2")).to_have_text(said)
    page.locator("#open-sessions").tap()
    expect(page.locator("#sessions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#sessions")).to_be_hidden()
    client.choose(f"phone {locale}")
    for task in ("Show a wide table", "And another one"):
        client.do(f"{task} in {locale}")
        no_wider_than_the_phone(page)
        page.locator("#open-sessions").tap()
        page.locator("#new").tap()
        expect(page.locator("#welcome h2")).to_have_text(said)
        expect(page.locator("#sessions")).not_to_be_in_viewport()
    for task in ("Show a wide table", "And another one"):
        page.locator("#open-sessions").tap()
        page.locator(".session").filter(has_text=f"{task} in {locale}").tap()
        expect(page.locator(".bubble")).to_contain_text(f"{task} in {locale}")
        expect(page.locator("#sessions")).not_to_be_in_viewport()
        no_wider_than_the_phone(page)
    page.locator("#open-files").tap()
    expect(page.locator("#files")).to_be_in_viewport()
    page.locator("#close-files").tap()
    expect(page.locator("#files")).not_to_be_in_viewport()
    page.locator("#open-sessions").tap()
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 23)"
    assert dark == (scheme == "dark")
    page.locator("#settings").tap()
    page.locator("dialog select").first.select_option("light" if dark else "dark")
    assert (page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(15, 18, 23)") != dark
    page.locator("dialog select").nth(1).select_option("en" if locale == "zh-CN" else "zh")
    page.wait_for_function(f"document.querySelector('#welcome h2')?.textContent !== {json.dumps(said)}")


def no_wider_than_the_phone(page: Page) -> None:
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_everything_is_reached_by_the_keyboard_and_has_a_name(open_page) -> None:
    client = open_page("plain")
    page = client.page
    client.do("How much is it?")
    page.locator("#title").click()
    page.keyboard.press("/")
    expect(page.locator("#task")).to_be_focused()
    nameless = """[...document.querySelectorAll('button, input, textarea, select, iframe, img')].filter((each) =>
        each.checkVisibility() && !each.textContent.trim() && !each.ariaLabel && !each.labels?.length && !each.title &&
        each.alt === undefined).length"""
    assert page.evaluate(nameless) == 0
    seen = set()
    page.evaluate("document.activeElement.blur()")
    for _ in range(250):  # the sessions of other tests are passed, too
        page.keyboard.press("Tab")
        seen.add(
            page.evaluate(
                "document.activeElement.id || document.activeElement.ariaLabel || document.activeElement.className"
            )
        )
    assert {
        "new",
        "find",
        "settings",
        "sandbox",
        "share",
        "export",
        "open-files",
        "Edit and run",
        "Comment",
        "task",
        "attach",
    } <= seen
    expect(page.locator("#said")).to_have_text("The answer is there.")
    page.keyboard.press("Alt+n")
    expect(page.locator("#welcome")).to_be_visible()


def test_without_the_link_nothing_is_shown(open_page, chromium, server) -> None:
    context = chromium.new_context(locale="en-US")
    page = context.new_page()
    page.goto(server.origin)
    expect(page.locator("#gate h1")).to_have_text("Open the link of your terminal")
    page.fill("#gate-field", "not-the-token")
    page.keyboard.press("Enter")
    expect(page.locator("#gate-problem")).to_contain_text("key")
    page.fill("#gate-field", server.link)
    page.keyboard.press("Enter")
    expect(page.locator("#app")).to_be_visible()
    assert "token" not in page.url
    assert context.cookies() == []
    context.close()

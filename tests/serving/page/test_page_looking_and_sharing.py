"""Looking into files and sharing a session, in a real browser; whoever opens the link has a browser of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from files_of_office import docx, line
from playwright.sync_api import Browser, Page, Response, expect

pytestmark = pytest.mark.browser

TASK = "Try it <script>document.title='taken'</script>"


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A document of Word whose text looks like HTML."""
    attack = line("&lt;img src=x onerror=&quot;document.title='taken'&quot;&gt;")
    picture = line("", "", '<w:r><a:blip r:embed="r2"/></w:r>')
    path = tmp_path / "report.docx"
    path.write_bytes(docx(line("Results", "berschrift1") + attack + picture))
    return path


def test_files_are_looked_at_where_they_are(open_page, report: Path) -> None:
    client = open_page("folders")
    page = client.page
    page.set_input_files("#picker", report)
    turn = client.do("Make files")
    looking, shown = page.locator("dialog.viewer"), page.locator(".preview:not([aria-busy])")

    turn.locator(".bubble").get_by_title("Look at report.docx").click()
    expect(looking).to_have_attribute("aria-label", "report.docx")
    expect(shown.locator("h3")).to_have_text("Results")
    expect(shown.locator("p")).to_have_text("<img src=x onerror=\"document.title='taken'\">")
    assert shown.locator("img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 30
    name, content = client.saved(looking.get_by_title("Download report.docx"))
    assert (name, content) == ("report.docx", report.read_bytes())
    page.keyboard.press("Escape")
    expect(looking).to_have_count(0)
    expect(turn.locator(".bubble").get_by_title("Look at report.docx")).to_be_focused()

    page.click("#open-files")
    files = page.locator("#files")
    expect(files.locator("summary")).to_have_text([re.compile("made"), re.compile("deep")])
    row = files.get_by_title("Look at made/deep/<img src=x onerror=alert(1)>.csv")
    expect(row).to_contain_text("<img src=x onerror=alert(1)>.csv")
    row.focus()
    page.keyboard.press("Enter")
    expect(shown.locator("th")).to_have_text(["name", "n"])
    expect(shown.locator("tbody tr")).to_have_count(200)
    looking.get_by_role("button", name="Later rows").click()
    expect(shown.locator("tbody tr")).to_have_count(50)
    expect(shown.locator("td").first).to_have_text("row 200")
    page.keyboard.press("Escape")
    expect(row).to_be_focused()

    files.get_by_title("Look at made/page.html").click()
    expect(shown.locator("code")).to_have_text("<script>document.title='taken'</script>")
    page.keyboard.press("Escape")
    files.get_by_title("Look at zeros.bin").click()
    expect(shown).to_contain_text("There is no preview of this kind of file.")
    page.keyboard.press("Escape")
    files.locator("summary").first.click()
    expect(row).to_be_hidden()
    assert page.title() != "taken"


class Visit:
    """What somebody who has only the link sees."""

    def __init__(self, page: Page, response: Response) -> None:
        self.page, self.response = page, response
        self.asked: list[str] = []
        self.complaints: list[str] = []


@contextmanager
def visiting(browser: Browser, address: str) -> Iterator[Visit]:
    context = browser.new_context()
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    response = page.goto(address)
    visit = Visit(page, response)
    visit.asked, visit.complaints = asked, complaints
    yield visit
    assert context.cookies() == []
    context.close()


def acts_not(visit: Visit, address: str) -> None:
    """Everything that the hostile session holds is text or a picture, and nothing was asked for beside the page."""
    page = visit.page
    expect(page.locator("article")).to_contain_text("<script>document.title='taken'</script>")
    expect(page.locator("article")).to_contain_text("<b>not bold</b>")
    active = "script, iframe, form, input, button, object, embed, base, link[rel=stylesheet]"
    expect(page.locator(active)).to_have_count(0)
    assert page.title() == TASK
    assert [url for url in visit.asked if not url.startswith("data:")] == [address]
    sources = page.locator("img").evaluate_all("(all) => all.map((each) => each.src)")
    assert [source[:19] for source in sources] == ["data:image/svg+xml;"]
    assert visit.complaints == []


def test_a_session_is_shared_read_alone_and_ended(open_page, chromium: Browser, tmp_path: Path) -> None:
    client = open_page("shared", permissions=["clipboard-read", "clipboard-write"])
    page = client.page
    client.do(TASK)
    page.click("#share")
    sharing = page.get_by_role("dialog", name="Share")
    expect(sharing).to_contain_text("This server listens on this machine alone")
    sharing.get_by_label("With the files").check()
    sharing.get_by_label("The link ends after").select_option("1 day")
    sharing.get_by_role("button", name="Make a link").click()
    expect(sharing.locator(".links li")).to_contain_text("files: 1")
    address = sharing.get_by_label("Link", exact=True).input_value()
    sharing.get_by_role("button", name="Copy the link").click()
    assert page.evaluate("navigator.clipboard.readText()") == address

    with visiting(chromium, address) as visit:
        assert visit.response.status == 200
        acts_not(visit, address)
        expect(visit.page.locator("article .code")).to_contain_text("from IPython.display import")
        with visit.page.expect_download() as download:
            visit.page.locator(".offered a").click()
        assert Path(download.value.path()).read_bytes() == b"x"

    name, content = client.saved(sharing.get_by_role("button", name="Save one HTML file"))
    assert re.fullmatch(r"session-.*\.html", name)
    saved = tmp_path / name
    saved.write_bytes(content)
    with visiting(chromium, saved.as_uri()) as visit:
        acts_not(visit, saved.as_uri())

    sharing.get_by_role("button", name="Revoke").click()
    expect(sharing.locator(".links li")).to_have_count(0)
    with visiting(chromium, address) as visit:
        assert visit.response.status == 410
        expect(visit.page.locator("h1")).to_have_text("This link has ended")
    page.keyboard.press("Escape")
    expect(page.locator("#share")).to_be_focused()
    kinds = [len(client.events(kind)) for kind in ("shared", "unshared")]
    assert kinds == [1, 1]
    # The frame in the owner's own page, if it was shown in time: the browser tells what its policy kept from acting.
    assert all("Content Security Policy" in each for each in client.complaints), client.complaints
    client.complaints.clear()

"""The page of dialogs: what is in the file, and how it behaves in a real browser."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from browser_pipe import Browser
from hypothesis import given, settings
from hypothesis import strategies as st
from sample_dialogs import sample_dialogs, simulated
from static_pages import (
    HOSTILE,
    check_file_names_no_other_host,
    check_hostile_texts_do_nothing,
    check_light_and_dark,
    check_texts_stay_texts,
    needs_browser,
    packed_in,
    requests_of,
    sticks_out,
)

from opencodeinterpreter.codefeedback.presentation.page import dialogs_page, tree_of
from opencodeinterpreter.dialog import Dialog, Message

TRICKY = """# a comment
SELECT 'it''s' -- "not a string
const x = `a ${b}` /* over
lines */ // http://x
'never closed
<b>&amp;</b>"""


def hostile_dialog() -> Dialog:
    messages = (
        Message("user", HOSTILE, {"kind": HOSTILE}),
        Message("assistant", f"{HOSTILE}\n```{HOSTILE}\n{HOSTILE}\n```"),
    )
    return Dialog(messages, HOSTILE, {"method": HOSTILE, "language": HOSTILE, "sources": [HOSTILE]})


# The file


def test_the_page_names_no_other_host_and_is_the_same_each_time() -> None:
    page = dialogs_page(sample_dialogs(40))
    assert page == dialogs_page(sample_dialogs(40))
    check_file_names_no_other_host(page)


def test_texts_stay_texts_in_the_file() -> None:
    check_texts_stay_texts(dialogs_page([hostile_dialog()], HOSTILE), scripts=3)  # the index, one piece, the page's own


def words(trees: list[Any]) -> str:
    return "".join(
        each if isinstance(each, str) else words(each[2:] if each[0] == "block" else each[1:]) for each in trees
    )


@settings(max_examples=60)
@given(st.text(st.characters(whitelist_categories=["L", "N", "Zs"]), max_size=60))
def test_plain_words_are_kept(text: str) -> None:
    squeezed = "".join(text.split())
    assert "".join(words(tree_of(text)).split()) == squeezed


def test_markdown_becomes_known_elements() -> None:
    text = "# Head\n\nA **b** *c* `d` [e](http://f).\n\n1. g\n2. h\n\n> i\n\n```py\nx\n```\n\n"
    text += "| j | k |\n|---|---|\n| l | m |"
    trees = tree_of(text)
    assert trees[0] == ["h1", "Head"]
    assert trees[1] == ["p", "A ", ["strong", "b"], " ", ["em", "c"], " ", ["code", "d"], " [e](http://f)."]
    assert trees[2] == ["ol", ["li", "g"], ["li", "h"]]
    assert trees[4] == ["block", "python", "x"]
    assert trees[5][0] == "table"


def test_a_message_without_end_does_not_make_the_page_useless() -> None:
    page = dialogs_page([Dialog((Message("user", "again " * 1_000_000), Message("assistant", "x")), "e")])
    assert len(page) < 200_000
    assert "characters more]" in json.dumps(packed_in(page))


# In a browser


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "dialogs.html"
    path.write_text(dialogs_page(sample_dialogs(200), "Sample"), encoding="utf-8")
    return path


TITLE = "document.querySelector('#detail h2')?.textContent"
DETAIL = "document.querySelector('#detail').innerText"
ROWS = "document.querySelectorAll('#rows button').length"
COUNT = "document.querySelector('#count').textContent"


def choose(browser: Browser, name: str, value: str, event: str = "change") -> None:
    browser.ask(
        f"(document.querySelector('#{name}').value = {value!r}, "
        f"document.querySelector('#{name}').dispatchEvent(new Event('{event}')))"
    )


@needs_browser
def test_a_dialog_is_shown_and_nothing_is_asked_for(browser: Browser, page: Path) -> None:
    browser.open(page, "#simulation-4")
    browser.until(f"{TITLE} === 'simulation-4'")
    text = browser.ask(DETAIL)
    for part in (
        "human feedback",
        "NameError: name 'total'",
        "not to be learned",
        "passed its tests",
        "exercism",
        "python",
    ):
        assert part in text, part
    assert "Execution result:" not in text
    assert browser.ask("[...document.querySelectorAll('#detail .k')].some((word) => word.textContent === 'def')")
    assert browser.ask("document.querySelector('#detail strong').textContent") == "sum"
    assert requests_of(browser) == [page.as_uri()]
    assert browser.complaints == []


@needs_browser
def test_search_and_filters(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.until(f"{COUNT} === '200 of 200 dialogs'")
    assert browser.ask(ROWS) == 120
    choose(browser, "method", "simulation")
    browser.until(f"!{COUNT}.startsWith('200')")
    simulations = int(browser.ask(COUNT).split()[0])
    choose(browser, "find", "task 4.", "input")
    browser.until(f"{COUNT} === '1 of 200 dialogs'")
    choose(browser, "method", "")
    choose(browser, "find", "LET X = 12;", "input")  # deep in an answer
    browser.until(f"{COUNT} === '1 of 200 dialogs'")
    choose(browser, "find", "", "input")
    choose(browser, "state", "0")
    browser.until(f"{COUNT} !== '1 of 200 dialogs' && !{COUNT}.startsWith('200')")
    assert int(browser.ask(COUNT).split()[0]) >= simulations
    choose(browser, "language", "rust")
    browser.until(f"{COUNT} === '0 of 200 dialogs'")


@needs_browser
def test_dialogs_can_be_read_with_the_keyboard(browser: Browser, page: Path) -> None:
    browser.open(page)
    browser.until(f"{ROWS} > 0")
    browser.press("/")
    assert browser.ask("document.activeElement.id") == "find"
    browser.ask("document.querySelector('#rows button').focus()")
    browser.press("Enter")
    browser.until(f"{TITLE} === 'packing-0'")
    browser.press("ArrowDown")
    browser.until(f"!{TITLE}.startsWith('packing-0')")
    browser.press("End")
    browser.until(f"{TITLE}.endsWith('-199')")
    assert browser.ask("location.hash").endswith("-199")
    browser.ask("document.querySelector('#detail').focus()")
    browser.press("Escape")
    assert browser.ask("document.activeElement.getAttribute('role')") == "option"


@needs_browser
def test_hostile_texts_do_nothing(browser: Browser, tmp_path: Path) -> None:
    path = tmp_path / "dialogs.html"
    path.write_text(dialogs_page([hostile_dialog()]), encoding="utf-8")
    browser.open(path)
    browser.until(ROWS)
    browser.ask("document.querySelector('#rows button').click()")
    browser.until(TITLE)
    check_hostile_texts_do_nothing(browser, DETAIL, title="Dialogs")


@needs_browser
@pytest.mark.parametrize("width", [360, 768, 1360])
def test_nothing_sticks_out_at_any_width(browser: Browser, page: Path, width: int) -> None:
    browser.shape(width, 900)
    browser.open(page, "#simulation-4")
    browser.until(f"{TITLE} === 'simulation-4'")
    assert not sticks_out(browser, width)


@needs_browser
def test_light_and_dark(browser: Browser, page: Path) -> None:
    check_light_and_dark(browser, page)


@needs_browser
@pytest.mark.parametrize("language", ["python", "sql", "javascript", "rust", "odd name"])
def test_highlighting_changes_no_letter(browser: Browser, tmp_path: Path, language: str) -> None:
    path = tmp_path / "dialogs.html"
    text = f"So:\n\n```{language}\n{TRICKY}\n```"
    path.write_text(dialogs_page([Dialog((Message("user", "a"), Message("assistant", text)), "d")]), encoding="utf-8")
    browser.open(path, "#d")
    browser.until(TITLE)
    lines = browser.ask(
        "[...document.querySelectorAll('#detail .block pre > span')].map((line) => "
        "[...line.childNodes].slice(1).map((part) => part.textContent).join('').replace('\\u200b', ''))"
    )
    assert lines == TRICKY.splitlines()


def test_a_dialog_without_meta_can_be_shown() -> None:
    plain = Dialog(tuple(Message(each.role, each.content) for each in simulated(1)))
    (piece,) = packed_in(dialogs_page([plain]))
    assert [each["kind"] for each in piece[0]["messages"]].count("execution") == 2
    assert piece[0]["id"] == "0"

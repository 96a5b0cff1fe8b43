"""What every self-contained page has to keep, in its file and in a real browser."""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections import Counter
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from browser_pipe import Browser, browser_program

HOSTILE = "</script><script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\"><!--%%INDEX%%"
"""A text that ends the element that it stands in, acts where it may, and looks like a hole of a template."""

needs_browser = pytest.mark.skipif(browser_program() is None, reason="no Chromium is installed")


def packed_in(page: str) -> list[Any]:
    """What the packed pieces of a page hold."""
    found = re.findall(r'<script type="text/plain" id="piece-[\d-]+">([^<]*)</script>', page)
    return [json.loads(gzip.decompress(base64.b64decode(piece))) for piece in found]


def elements_of(page: str) -> Counter[str]:
    """Count the elements of a page by their names."""
    counts: Counter[str] = Counter()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: object) -> None:
            counts[tag] += 1

    Reader().feed(page)
    return counts


def check_file_names_no_other_host(page: str) -> None:
    """No address but a data one stands in the file, and the policy admits nothing from elsewhere."""
    assert not re.search(r"https?://(?!x)[^\s\"'<>)]+", page)
    assert not re.search(r"<(?:link|script|img|iframe)[^>]*\b(?:src|href)=\"(?!data:,)", page)
    assert "default-src 'none'" in page
    assert "unsafe" not in page.split("</head>")[0]


def check_texts_stay_texts(page: str, scripts: int) -> None:
    """The file holds the scripts that were meant to be there, and nothing that a text has added."""
    counts = elements_of(page)
    assert (counts["script"], counts["img"]) == (scripts, 0)


def requests_of(browser: Browser) -> list[str]:
    """All that the browser asked for, but data and empty pages."""
    return [url for url in browser.requests if not url.startswith(("data:", "about:"))]


def check_hostile_texts_do_nothing(browser: Browser, shown: str, title: str) -> None:
    """The open page shows ``HOSTILE`` where the expression ``shown`` looks, and is untouched by it."""
    assert HOSTILE in browser.ask(shown)
    assert browser.ask("document.title") == title
    assert browser.ask("document.images.length") == 0
    assert browser.complaints == []


def sticks_out(browser: Browser, width: int) -> bool:
    """Say whether the open page, with all that can be unfolded in it, is wider than the window."""
    browser.ask("document.querySelectorAll('details').forEach((each) => { each.open = true })")
    return bool(browser.ask("document.documentElement.scrollWidth") > width)


def check_light_and_dark(browser: Browser, page: Path) -> None:
    """The page is as the system is, until its button says otherwise."""
    colour = "getComputedStyle(document.body).backgroundColor"
    browser.open(page)
    browser.shape(1360, 900, "light")
    light = browser.ask(colour)
    browser.shape(1360, 900, "dark")
    dark = browser.ask(colour)
    assert light != dark
    browser.ask("document.querySelector('#theme').click()")
    assert browser.ask(colour) == light
    browser.ask("document.querySelector('#theme').click()")
    assert browser.ask(colour) == dark
    browser.shape(1360, 900, "light")
    assert browser.ask(colour) == dark

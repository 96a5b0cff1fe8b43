"""How pages are put together."""

from __future__ import annotations

import base64
import gzip
import json
import re
from pathlib import Path

import pytest
from browser_pipe import Browser
from hypothesis import given
from hypothesis import strategies as st
from static_pages import HOSTILE, check_file_names_no_other_host, elements_of, needs_browser, requests_of

from opencodeinterpreter.pages import assemble, embedded, packed, piece, text_of

BODY = "<h1>%%TITLE%%</h1><p>%%WORDS%%</p>"
VALUES = st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda each: st.lists(each, max_size=3))


def test_a_page_without_scripts_has_and_allows_none() -> None:
    page = assemble("A <title>", BODY, style="p{color:red}", holes={"WORDS": "words"})
    check_file_names_no_other_host(page)
    assert elements_of(page)["script"] == 0
    assert "script-src" not in page
    assert page.count("A &lt;title&gt;") == 2
    assert page.rstrip().endswith("<h1>A &lt;title&gt;</h1><p>words</p></body>\n</html>")


def test_what_fills_a_hole_is_not_looked_at_for_holes() -> None:
    page = assemble("%%WORDS%%", BODY, style="", holes={"WORDS": "%%TITLE%% %%POLICY%% 100%% %%"})
    assert "<p>%%TITLE%% %%POLICY%% 100%% %%</p>" in page
    assert "<h1>%%WORDS%%</h1>" in page


def test_a_hole_that_nothing_fills_is_an_error() -> None:
    with pytest.raises(KeyError, match="WORDS"):
        assemble("t", BODY, style="")


@given(VALUES | st.dictionaries(st.text(), VALUES, max_size=3))
def test_data_in_a_page_are_read_back_and_end_nothing(row: object) -> None:
    element = embedded(row, "index")
    (text,) = re.findall(r'<script type="application/json" id="index">(.*)</script>', element, re.DOTALL)
    assert not set(text) & set("<>&")
    assert json.loads(text) == row
    assert json.loads(gzip.decompress(base64.b64decode(packed(row)))) == row
    assert packed(row) == packed(row)


@needs_browser
def test_only_the_scripts_and_the_style_of_the_page_itself_work(browser: Browser, tmp_path: Path) -> None:
    script = (
        "const made = el('p', {id: 'made'}, index);\n"
        "document.body.append(made);\n"
        "unpack(byId('piece-0').textContent).then((row) => made.append(row[0]));\n"
    )
    body = "%%DATA%%<script>document.title = 'taken'</script><p style='color:red' onclick='1'>%%WORDS%%</p>"
    holes = {"DATA": embedded(HOSTILE, "index") + piece(packed(["é"]), "piece-0"), "WORDS": "words"}
    own = "const index = JSON.parse(byId('index').textContent);"
    path = tmp_path / "page.html"
    path.write_text(
        assemble(
            "Mine", body, style="#made{color:#010203}", scripts=[text_of("elements.js"), own, script], holes=holes
        ),
        encoding="utf-8",
    )
    browser.open(path)
    browser.until("document.querySelector('#made')?.textContent.endsWith('é')")
    assert browser.ask("document.querySelector('#made').textContent") == HOSTILE + "é"
    assert browser.ask("getComputedStyle(document.querySelector('#made')).color") == "rgb(1, 2, 3)"
    assert browser.ask("document.title") == "Mine"
    assert browser.ask("getComputedStyle(document.querySelector('p[style]')).color") != "rgb(255, 0, 0)"
    assert requests_of(browser) == [path.as_uri()]
    assert len(browser.complaints) >= 2  # of the script, of the style

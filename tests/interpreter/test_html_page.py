"""A session as one HTML page: everything is in it, nothing in it can act, nothing is fetched."""

from __future__ import annotations

import base64
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from opencodeinterpreter.interpreter import export
from opencodeinterpreter.interpreter.events import Answer, Round
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.interpreter.html_page import LANGUAGES, PageFile, html_page, markdown
from opencodeinterpreter.sandbox.base import Display, ErrorInfo, ExecutionResult, FileChange

ATTACKS = [
    "<script>document.title='taken'</script>",
    "<img src=http://192.0.2.1/a.png onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</pre></style></title><iframe src=javascript:alert(1)>",
    "[a](javascript:alert(1)) [b](data:text/html,x) ![c](http://192.0.2.1/a.png) <http://192.0.2.1/>",
    "[a](http://192.0.2.1/' onclick='alert(1)) [x]: javascript:alert(1)",
    "```html\n</code><script>1</script>\n```",
    "%%STYLE%% %%POLICY%% {reason} {n}",
    "\x1b]0;x\x07\x1b[31mred\r\n\x00\u202e",
]
ELEMENTS = set(
    re.findall(
        r"\w+",
        "html head meta link title style body div header main article section h1 h2 h3 h4 h5 h6 p ul ol li pre code "
        "span em strong a img table thead tbody tr th td details summary blockquote hr br s",
    )
)
ATTRIBUTES = set(
    re.findall(
        r"\S+",
        "lang charset http-equiv content name rel href class tabindex role aria-label alt src target scope colspan "
        "rowspan start download",
    )
)


class Reader(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)


def harmless(page: str) -> Reader:
    read = Reader(page)
    for tag, attributes in read.elements:
        assert tag in ELEMENTS, tag
        assert set(attributes) <= ATTRIBUTES, attributes
        if "src" in attributes:
            assert (attributes["src"] or "").startswith("data:image/")
        if tag == "a":
            assert re.match(r"https?://|mailto:|files/", attributes["href"] or "")
    assert page.count("<style>") == page.count("</style>") == 1
    return read


def turn_of(text: str, html: str = "", files: tuple[FileChange, ...] = ()) -> Turn:
    png = base64.b64encode(b"\x89PNG").decode()
    shown = [
        {"text/html": html, "text/plain": text},
        {"text/markdown": text},
        {"image/svg+xml": text},
        {"image/png": png},
    ]
    displays = tuple(Display(data) for data in [*shown, {"image/png": f'x" onerror="{text}', "text/plain": text}])
    error = ErrorInfo("ValueError", text, f"Traceback\n{text}")
    result = ExecutionResult("error", None, text, text, text, error, (*displays, *files), 1.0)
    round_ = Round(f"{text}\n\n```python\n{text}\n```\n", text, result, "feedback", None)
    return Turn(text, (text,), text, [round_], Answer(text, "stopped", ()))


FRAME = """<div><style scoped>.dataframe tbody tr th { vertical-align: top; }</style>
<table border="1" class="dataframe"><thead><tr style="text-align: right;"><th></th>
<th colspan="2">a &amp; b</th></tr></thead>
<tbody><tr><th>0</th><td>&lt;b&gt;</td><td>1.5</td></tr></tbody></table><p>1 rows</p></div>"""


def test_everything_that_was_said_and_done_is_on_the_page() -> None:
    page = html_page([turn_of("Größe **5**", FRAME, (FileChange("out.csv", 10, "created"),))])
    read = harmless(page)
    for part in ("Größe", "ValueError", "Where it happened", "out.csv", "a & b", "<b>"):
        assert part in read.text, part
    assert ("th", {"scope": "col", "colspan": "2"}) in read.elements
    assert ("td", {"class": "number"}) in read.elements
    assert [attributes["src"][:14] for tag, attributes in read.elements if tag == "img"] == [  # type: ignore[index]
        "data:image/svg", "data:image/png",
    ]  # fmt: skip
    assert "<strong>5</strong>" in page
    assert '<span class="k">import</span>' in html_page([Turn("x", (), "", [Round("", "import os", None, None)])])


def test_the_policy_lets_nothing_in() -> None:
    page = html_page([turn_of("x")])
    (policy,) = [each["content"] for tag, each in Reader(page).elements if each.get("http-equiv")]
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    assert "unsafe" not in policy
    assert ("meta", {"name": "referrer", "content": "no-referrer"}) in Reader(page).elements


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_was_written_becomes_more_than_text(attack: str) -> None:
    file = PageFile(attack, 5, "files/0")
    harmless(html_page([turn_of(attack, attack)], title=attack, told=attack, files=[file]))
    frame = FRAME.replace("&lt;b&gt;", attack).replace("1.5", attack.replace("<", "&lt;"))
    harmless(html_page([turn_of("x", frame)]))


@given(
    st.text(max_size=60) | st.lists(st.sampled_from([*"<>&\"'`[]()!*_#|\n %=x\\", *ATTACKS]), max_size=12).map("".join)
)
@example("> | a |\n> |---|\n> | <b> |")
@settings(max_examples=40, deadline=None, derandomize=True)
def test_no_text_at_all_becomes_more_than_text(text: str) -> None:
    harmless(html_page([turn_of(text, f'<table class="dataframe"><tr><td>{text}</table>')], title=text))


def test_links_lead_to_the_web_alone() -> None:
    assert markdown("[a](https://example.org)").count('rel="noopener noreferrer nofollow" target="_blank"') == 1
    assert "<a" not in markdown("[a](javascript:x) [b](file:///etc) [c](//x) [d](ftp://x)")
    assert "<img" not in markdown("![a](https://example.org/a.png)")


def test_html_that_is_not_a_plain_table_is_shown_as_its_text() -> None:
    shown = html_page([turn_of("the text", FRAME + "<form>")])
    assert "<table>" not in shown
    assert "the text" in shown
    alone = Display({"text/html": "<script>1</script>"})
    result = ExecutionResult("ok", artifacts=(alone,))
    assert "it is in the notebook" in html_page([Turn("x", (), "", [Round("", "1", result, None)])])


def test_progress_that_was_written_over_is_shown_as_it_was_last() -> None:
    result = ExecutionResult("ok", stdout="10 %\r50 %\r100 %\n\x1b[32mdone\x1b[0m\r\n")
    page = html_page([Turn("x", (), "", [Round("", "1", result, None)])])
    assert ">100 %\ndone</pre>" in page


def test_it_is_one_of_the_forms_of_export_in_both_languages() -> None:
    page = export([turn_of("x")], "html", title="A title", language="zh")
    assert "<title>A title</title>" in page
    assert "出错位置" in page
    assert LANGUAGES == ("en", "zh")

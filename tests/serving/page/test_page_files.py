"""What is in the page's files, how they are served, and what a ticket is good for; no browser is needed."""

from __future__ import annotations

import hashlib
import re
import time

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from opencodeinterpreter.serving.page import Tickets, page_routes
from opencodeinterpreter.serving.page.routes import PAGE_POLICY, frame_document, static_folder

STATIC = static_folder()
OWN = [path for path in STATIC.rglob("*") if path.is_file() and "vendor" not in path.parts]


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=page_routes(Tickets("the token"))))


def directives(policy: str) -> dict[str, list[str]]:
    return {name: values for name, *values in (part.split() for part in policy.split(";"))}


def test_the_policy_of_the_page_is_strict(client: TestClient) -> None:
    policy = directives(client.get("/").headers["content-security-policy"])
    assert policy == directives(PAGE_POLICY)
    assert (
        policy["default-src"] == policy["base-uri"] == policy["frame-ancestors"] == policy["form-action"] == ["'none'"]
    )
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["frame-src"] == ["'self'"]
    assert policy["require-trusted-types-for"] == ["'script'"]
    assert "unsafe" not in PAGE_POLICY
    assert "http" not in PAGE_POLICY


@pytest.mark.parametrize("kind", ["still", "live", "plotly"])
def test_a_frame_can_ask_for_nothing(client: TestClient, kind: str) -> None:
    answer = client.get(f"/frame/{kind}")
    policy = directives(answer.headers["content-security-policy"])
    assert policy["sandbox"] == ["allow-scripts"]
    assert policy["default-src"] == ["'none'"]
    sources = {value for name, values in policy.items() if name.endswith("-src") for value in values}
    assert not any(":" in source and source not in ("data:", "blob:") for source in sources - {"'none'"})
    assert not {"'self'", "*"} & sources
    assert ("'unsafe-inline'" in policy["script-src"]) == (kind == "live")
    assert not re.search(r"<(script|link|img|iframe)[^>]*\s(src|href)=", frame_document(kind)[0].split("<script")[0])


def test_there_is_no_other_frame_and_no_way_out_of_the_folder(client: TestClient) -> None:
    assert client.get("/frame/other").status_code == 404
    assert client.get("/static/../routes.py").status_code == 404
    assert client.get("/static/%2e%2e/routes.py").status_code == 404


def test_our_files_name_no_other_host_and_no_inline_script() -> None:
    for path in OWN:
        text = path.read_text(encoding="utf-8")
        hosts = set(re.findall(r"https?://[\w.-]+", text))
        assert hosts <= {"http://www.w3.org"}, path  # a name of the language SVG, not an address
        assert "innerHTML" not in text or path.name == "framed.js", path
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    assert not re.search(r"<script>|<style>|\son\w+=|\sstyle=", page)


def test_vendored_files_are_those_that_were_published() -> None:
    for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split()
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name
    listed = {line.split()[1] for line in (STATIC / "vendor" / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(STATIC / "vendor")) for path in (STATIC / "vendor").glob("*/*")}
    assert listed == there


def test_the_kinds_of_charts_that_are_drawn_are_those_of_the_vendored_library_that_need_no_other_host() -> None:
    library = (STATIC / "vendor" / "plotly" / "plotly.js").read_text(encoding="utf-8")
    listed = re.search(r"const DRAWN = new Set\(\[(.*?)\]\)", (STATIC / "js" / "charts.js").read_text(), re.DOTALL)
    assert listed is not None
    drawn = re.findall(r'"(\w+)"', listed[1])
    maps = {"scattergeo", "choropleth", "scattermap", "choroplethmap", "densitymap"}
    for_cards = {"scattergl", "scatterpolargl"}  # drawn as the same chart without a card
    assert set(drawn) == set(re.findall(r'moduleType:"trace",name:"(\w+)"', library)) - maps - for_cards
    assert len(drawn) == len(set(drawn)) > 10


def words(language: str) -> dict[str, str]:
    text = (STATIC / "js" / f"words-{language}.js").read_text(encoding="utf-8")
    found = re.findall(r'^  (?:"([^"]+)"|(\w+)):\s+"((?:[^"\\]|\\.)*)",$', text, re.MULTILINE)
    return {quoted or plain: said for quoted, plain, said in found}


def test_both_languages_say_the_same_things() -> None:
    english, chinese = words("en"), words("zh")
    assert len(english) > 150
    assert english.keys() == chinese.keys()
    for key, text in english.items():
        assert set(re.findall(r"\{\w+\}", text)) == set(re.findall(r"\{\w+\}", chinese[key])), key


def test_every_word_that_the_page_asks_for_is_there() -> None:
    english = words("en")
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    asked = set(re.findall(r'data-(?:t|aria-label|placeholder|title|icon-label)="([^"]+)"', page))
    for path in (STATIC / "js").glob("*.js"):
        asked |= set(re.findall(r'\bt\("([^"]+)"', path.read_text(encoding="utf-8")))
    assert asked - english.keys() == set()


def test_the_files_have_types_that_a_browser_takes_under_nosniff(client: TestClient) -> None:
    for name, kind in {
        "js/main.js": "text/javascript",
        "css/base.css": "text/css",
        "icon.svg": "image/svg+xml",
    }.items():
        answer = client.get(f"/static/{name}")
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["x-content-type-options"] == "nosniff"
        again = client.get(f"/static/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert again.status_code == 304


def test_a_ticket_is_good_for_one_use_and_a_short_while(client: TestClient) -> None:
    tickets = Tickets("the token", seconds=0.05)
    assert tickets.redeem("another") is None
    ticket = tickets.issue()
    assert tickets.redeem(ticket) == "the token"
    assert tickets.redeem(ticket) is None
    late = tickets.issue()
    time.sleep(0.06)
    assert tickets.redeem(late) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{", b'{"ticket": 1}', b'{"ticket": "x"}', b'{"ticket": "' + b"x" * 5000 + b'"}', b"\xff"]
)
def test_a_bad_ticket_is_refused(client: TestClient, body: bytes) -> None:
    answer = client.post("/ticket", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 403
    assert answer.json()["error"]["type"] == "no_ticket"


def test_a_ticket_is_taken_as_json_alone() -> None:
    tickets = Tickets("the token")
    client = TestClient(Starlette(routes=page_routes(tickets)))
    ticket = tickets.issue()
    assert client.post("/ticket", content=f'{{"ticket": "{ticket}"}}').status_code == 403
    assert client.post("/ticket", json={"ticket": ticket}).json() == {"token": "the token"}

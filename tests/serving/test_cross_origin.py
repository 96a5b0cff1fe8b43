"""Pages of other hosts: those that are let in can ask, as a browser asks for them, and no others."""

from __future__ import annotations

import pytest
from serving_client import TOKEN, Client

PAGE = "https://chat.example"
WISH = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
def test_a_page_that_is_let_in_may_ask_with_a_key(letting, method: str) -> None:
    with letting.client(key="") as browser:  # a browser asks for leave without the key
        asked = {**WISH, "Access-Control-Request-Method": method, "Origin": PAGE}
        leave = browser.options("/api/v1/sessions", headers=asked)
    assert leave.status_code == 204
    assert leave.content == b""
    assert leave.headers["access-control-allow-origin"] == PAGE
    assert method in leave.headers["access-control-allow-methods"].split(", ")
    assert "Authorization" in leave.headers["access-control-allow-headers"].split(", ")
    assert "access-control-allow-credentials" not in leave.headers
    assert leave.headers["vary"] == "Origin"


def test_it_may_read_every_answer_also_a_refusal(letting) -> None:
    with letting.client() as page, letting.client(key="") as stranger:
        origin = {"Origin": PAGE}
        session = page.post("/api/v1/sessions", json={}, headers=origin)
        assert session.status_code == 201
        refused = stranger.get("/api/v1/info", headers=origin)
        assert refused.status_code == 401
        missing = page.get("/api/v1/sessions/none", headers=origin)
        events = page.get(f"/api/v1/sessions/{session.json()['id']}/events?live=false", headers=origin)
        assert events.status_code == 200
        for answer in (session, refused, missing, events):
            assert answer.headers["access-control-allow-origin"] == PAGE
            assert answer.headers["access-control-expose-headers"] == "*"
            assert answer.headers["vary"] == "Origin"
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "null", "https://chat.example.evil.example", "http://chat.example", f"{PAGE}:8"]
)
def test_no_other_page_is_let_in(letting, origin: str) -> None:
    with letting.client() as page:
        leave = page.options("/api/v1/sessions", headers={**WISH, "Origin": origin})
        asked = page.get("/api/v1/info", headers={"Origin": origin})
    for answer in (leave, asked):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
        assert answer.headers["vary"] == "Origin"  # a cache must not give it to the page that is let in


def test_without_such_pages_nothing_is_said_of_them_and_a_key_is_needed_for_all_else(letting, client: Client) -> None:
    own = str(client.base_url).rstrip("/")
    answer = client.get("/api/v1/info", headers={"Origin": own})
    assert answer.status_code == 200
    assert not [name for name in answer.headers if name.startswith("access-control")]
    assert "vary" not in answer.headers
    with letting.client(key="") as stranger:
        assert stranger.options("/api/v1/info", headers={"Origin": PAGE}).status_code == 401  # asks for no leave
        assert stranger.options("/api/v1/info", headers=WISH).status_code == 401  # of no page
        wrong_host = {**WISH, "Origin": PAGE, "Host": "evil.example"}
        assert stranger.options("/api/v1/info", headers=wrong_host).status_code == 421
    with letting.client() as mine:
        assert mine.get("/api/v1/info", headers={"Authorization": f"Bearer {TOKEN}"}).status_code == 200

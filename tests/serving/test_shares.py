"""Read-only links: what they show, to whom, and until when."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from serving_client import Client

from opencodeinterpreter.interpreter.events import Answer, Round
from opencodeinterpreter.interpreter.history import Turn
from opencodeinterpreter.sandbox.workspace import Workspace
from opencodeinterpreter.serving.links import Links
from opencodeinterpreter.serving.shares import Shares, Wish

HOSTILE = '</title><script>alert(1)</script>"><img src=http://192.0.2.1/a.png onerror=alert(1)>'


@pytest.fixture
def stranger(server):
    """Somebody without a key."""
    with Client(server.url, "") as client:
        yield client


def shares_of(session: str) -> str:
    return f"/api/v1/sessions/{session}/shares"


def test_whoever_has_the_link_sees_the_session_as_it_stood(client: Client, stranger: Client, server) -> None:
    session = client.new(title=f"About {HOSTILE}")
    client.run(session, f"say: The **first** answer. {HOSTILE}")
    made = client.post(shares_of(session), json={})
    assert made.status_code == 201, made.text
    row = made.json()
    assert (row["files"], row["by"]) == (0, "")
    assert row["expires"] - row["created"] == pytest.approx(7 * 86400)
    shown = stranger.get(row["url"])
    assert shown.status_code == 200
    assert "<strong>first</strong>" in shown.text
    assert "<script" not in shown.text
    assert "<img" not in shown.text
    client.run(session, "say: A later answer.")
    assert stranger.get(row["url"]).text == shown.text
    (listed,) = client.get(shares_of(session)).json()
    assert listed == row
    told = [event for event in client.log(session) if event["type"] == "shared"]
    assert [(event["share"], event["by"], event["files"]) for event in told] == [(row["id"], "", 0)]
    token = row["url"].split("/")[2]
    assert token.split(".")[1] not in "".join(
        path.read_text() for path in (server.folder / "shares").rglob("*") if path.is_file()
    )


def test_what_the_page_may_do_is_nothing(client: Client, stranger: Client) -> None:
    session = client.new()
    client.run(session, "say: Hello.")
    url = client.post(shares_of(session), json={"language": "zh"}).json()["url"]
    for answer in (stranger.get(url), stranger.get("/shared/none/"), stranger.get(f"{url}files/0")):
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["sandbox"] == "allow-downloads allow-popups allow-popups-to-escape-sandbox"
        assert (
            policy["default-src"]
            == policy["base-uri"]
            == policy["form-action"]
            == policy["frame-ancestors"]
            == "'none'"
        )
        assert policy["img-src"] == "data:"
        assert "script-src" not in policy
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-robots-tag"].startswith("noindex")
        assert "set-cookie" not in answer.headers
    for method in ("POST", "PUT", "PATCH", "DELETE"):
        assert stranger.request(method, url).status_code == 405
    assert stranger.get(url, headers={"Host": "evil.example"}).status_code == 421
    assert stranger.get(url, headers={"Origin": "http://evil.example"}).status_code == 403


def test_files_go_along_only_if_they_are_wished_for(client: Client, stranger: Client) -> None:
    session = client.new()
    code = "import os; os.makedirs('d'); open('d/ä <b>.csv', 'w').write('a,b'); os.symlink('/etc/passwd', 'p')"
    client.run(session, f"run: {code}")
    without = client.post(shares_of(session), json={}).json()["url"]
    assert stranger.get(f"{without}files/0").status_code == 404
    row = client.post(shares_of(session), json={"files": True}).json()
    assert row["files"] == 1
    page = stranger.get(row["url"]).text
    assert 'href="files/0" download>d/ä &lt;b&gt;.csv</a>' in page
    got = stranger.get(f"{row['url']}files/0")
    assert (got.text, got.headers["content-type"]) == ("a,b", "application/octet-stream")
    assert got.headers["content-disposition"] == "attachment; filename*=UTF-8''%C3%A4%20%3Cb%3E.csv"
    client.run(session, "run: open('d/ä <b>.csv', 'w').write('changed')")
    assert stranger.get(f"{row['url']}files/0").text == "a,b"
    for name in ("1", "-1", "00000000", "0x0", "²", "%2e%2e", "..%2Fshare.json", "%2e%2e/share.json", "0/%2e%2e"):
        assert stranger.get(f"{row['url']}files/{name}").status_code == 404, name


def test_a_link_opens_nothing_else_and_cannot_be_guessed(client: Client, stranger: Client) -> None:
    session, other = client.new(), client.new()
    client.run(session, "say: Shared.")
    row = client.post(shares_of(session), json={}).json()
    token = row["url"].split("/")[2]
    guesses = [
        token[:-1], token[:-1] + ("A" if token[-1] != "A" else "B"), token.swapcase(), f"{row['id']}.", row["id"],
        "." + token.split(".")[1], f"{'A' * 22}.{token.split('.')[1]}", f"{row['id']}.{'A' * 43}",
        "..", "%2e%2e%2f%2e%2e", f"..%2f{row['id']}", "a" * 5000, "%00", "\N{SNOWMAN}",
    ]  # fmt: skip
    for guess in guesses:
        assert stranger.get(f"/shared/{guess}/").status_code in (404, 401), guess
    key = {"Authorization": f"Bearer {token}"}
    assert stranger.get(f"/api/v1/sessions/{session}", headers=key).status_code == 401
    assert stranger.get(f"{row['url']}../../api/v1/sessions/{other}").status_code == 401
    assert stranger.get(f"/shared/{token}/%2e%2e/%2e%2e/api/v1/info").status_code == 404
    assert stranger.post(shares_of(session), json={}).status_code == 401
    assert stranger.get(shares_of(session)).status_code == 401


def test_a_link_that_was_revoked_or_is_over_opens_nothing(client: Client, stranger: Client, server) -> None:
    session = client.new()
    client.run(session, "say: A secret.")
    first, second, third = (client.post(shares_of(session), json={"days": 1}).json() for _ in range(3))
    assert client.delete(f"{shares_of(session)}/{first['id']}").status_code == 204
    assert client.delete(f"{shares_of(session)}/{first['id']}").status_code == 404
    folder = server.folder / "shares"
    kept = json.loads((folder / second["id"] / "share.json").read_text())
    (folder / second["id"] / "share.json").write_text(json.dumps({**kept, "expires": kept["created"]}))
    for row in (first, second):
        answer = stranger.get(row["url"])
        assert answer.status_code == 410
        assert "This link has ended" in answer.text
        assert "secret" not in answer.text
    assert not (folder / first["id"] / "page.html").exists()
    assert [row["id"] for row in client.get(shares_of(session)).json()] == [third["id"]]
    assert [event["share"] for event in client.log(session) if event["type"] == "unshared"] == [first["id"]]
    client.delete(f"/api/v1/sessions/{session}")
    assert stranger.get(third["url"]).status_code == 410


@pytest.mark.parametrize(
    "body", [{"days": 0}, {"days": 366}, {"days": "x"}, {"files": 3}, {"more": 1}, {"language": "xx"}, []]
)
def test_what_cannot_be_wished_for_is_refused(client: Client, body: object) -> None:
    session = client.new()
    assert client.post(shares_of(session), json=body).status_code == 422


def test_an_empty_session_cannot_be_shared(client: Client) -> None:
    session = client.new()
    refused = client.post(shares_of(session), json={})
    assert (refused.status_code, refused.json()["error"]["message"]) == (400, "There is nothing to share yet.")
    assert client.delete(f"{shares_of(session)}/%2e%2e").status_code == 404
    assert client.delete(f"{shares_of(session)}/{'A' * 22}").status_code == 404


def test_a_key_shares_its_own_sessions_and_the_links_outlive_the_server(start_server, tmp_path: Path) -> None:
    keys = {name: {"key": f"the long key of {name}"} for name in ("ann", "bob")}
    first = start_server(tmp_path / "kept", keys=keys)
    with first.client(keys["ann"]["key"]) as ann, first.client(keys["bob"]["key"]) as bob:
        session = ann.new()
        ann.run(session, "say: Of Ann.")
        row = ann.post(shares_of(session), json={}).json()
        assert row["by"] == "ann"
        assert bob.get(shares_of(session)).status_code == 404
        assert bob.post(shares_of(session), json={}).status_code == 404
        assert bob.delete(f"{shares_of(session)}/{row['id']}").status_code == 404
        assert bob.get(row["url"]).status_code == 200
    assert re.search(rf'"message": "shared", "key": "ann", "share": "{row["id"]}"', first.log())
    assert row["url"].split(".")[1].strip("/") not in first.log()
    first.end()
    second = start_server(tmp_path / "kept", keys=keys)
    with second.client("") as stranger:
        assert "Of Ann." in stranger.get(row["url"]).text


# Without a server.


@pytest.fixture
def shares(tmp_path: Path) -> Shares:
    (tmp_path / "a-session").mkdir()
    (tmp_path / "a-session" / "events.jsonl").touch()
    return Shares(tmp_path, Links(b"secret"))


TURN = Turn("task", (), "task", [Round("said", None, None, None)], Answer("said", "answered", ()))


def test_files_that_are_too_many_are_refused_and_leave_nothing(shares: Shares, tmp_path: Path) -> None:
    from opencodeinterpreter.errors import InputError

    workspace = Workspace(tmp_path / "work")
    for number in range(201):
        (workspace.path / str(number)).touch()
    with pytest.raises(InputError, match="too many to be shared"):
        shares.make("a-session", "", "", [TURN], workspace, Wish(files=True))
    (tmp_path / "work" / "0").unlink()
    shares.make("a-session", "", "", [TURN], workspace, Wish(files=True))
    for _ in range(19):
        shares.make("a-session", "", "", [TURN], workspace, Wish())
    with pytest.raises(InputError, match="20 links"):
        shares.make("a-session", "", "", [TURN], workspace, Wish())


def test_another_secret_opens_nothing_and_a_broken_share_is_none(shares: Shares, tmp_path: Path) -> None:
    share = shares.make("a-session", "", "", [TURN], Workspace(tmp_path / "work"), Wish())
    token = shares.token(share)
    assert shares.find(token) == share
    assert Shares(tmp_path, Links(b"another")).find(token) is None
    (tmp_path / "shares" / share.id / "share.json").write_text("{")
    assert shares.find(token) is None
    assert shares.of("a-session") == []
    assert (tmp_path / "shares").stat().st_mode & 0o077 == 0

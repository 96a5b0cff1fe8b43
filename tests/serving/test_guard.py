"""Who is let in, and how much they may send."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from serving_client import TOKEN, Client

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.serving.access import digest_of, read_keys


def raw(url: str, request: bytes) -> bytes:
    """Send bytes as they are and return the beginning of the answer."""
    host, port = url.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.sendall(request)
        return connection.recv(65536)


@pytest.mark.parametrize("path", ["/api/v1/info", "/v1/models", "/metrics", "/openapi.json", "/mcp", "/nowhere"])
def test_nothing_but_health_is_open(server, path: str) -> None:
    with server.client(key="") as stranger:
        refused = stranger.get(path)
        assert refused.status_code == 401
        assert refused.json()["error"]["type"] == "no_key"
        assert stranger.get("/healthz").status_code == 200
    with server.client(key="wrong-key-wrong-key") as stranger:
        assert stranger.get(path).status_code == 401


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("evil.example", 421),
        ("127.0.0.1:1", 200),
        ("localhost:9", 200),
        ("[::1]:9", 200),
        ("a b", 400),
        ("", 400),
        ("[:::]", 421),
        ("[.]:1", 421),
        ("[::1.2.3.4.5]", 421),
        ("LOCALHOST", 200),
    ],
)
def test_only_our_own_names_are_answered(server, host: str, status: int) -> None:
    request = f"GET /api/v1/info HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    answered = int(raw(server.url, request.encode()).split()[1])
    assert answered == status or (status == 400 and answered == 421)


def test_a_name_that_is_let_in_is_known_however_it_is_written(start_server) -> None:
    server = start_server(guard={"hosts": ["Box.Example"]})
    with server.client() as client:
        for name in ("box.example", "BOX.example:8000", "Box.Example"):
            assert client.get("/api/v1/info", headers={"Host": name}).status_code == 200
        assert client.get("/api/v1/info", headers={"Host": "other.example"}).status_code == 421


PRINTED = st.binary(max_size=40).map(lambda sent: bytes(byte for byte in sent if byte > 31 and byte != 127))
HOSTS = st.one_of(PRINTED, st.text("[]:.0123456789abf%@/", max_size=12).map(str.encode))
"""Anything that a line of a request can hold; and what looks like an address."""


@given(host=HOSTS, origin=st.none() | HOSTS.map(lambda host: b"http://" + host), signature=PRINTED)
@settings(deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_nothing_that_a_stranger_sends_ends_in_a_fault(server, host: bytes, origin: bytes | None, signature) -> None:
    quoted = b"".join(b"%%%02x" % byte for byte in signature)
    for name, sig in ((host, quoted), (b"localhost", quoted), (b"localhost", signature.replace(b" ", b""))):
        request = b"GET /api/v1/sessions/a/files/b?sig=" + sig + b" HTTP/1.1\r\nHost: " + name + b"\r\n"
        request += b"Origin: " + origin + b"\r\n" if origin is not None else b""
        answered = raw(server.url, request + b"Connection: close\r\n\r\n")
        assert answered.startswith(b"HTTP/1.1 4"), (request, answered)


@pytest.mark.parametrize("signature", ["%C3%A9", "é", "%FF", "%00", "%", "", "a&sig=b"])
def test_a_signature_of_any_characters_is_only_a_wrong_one(server, client: Client, signature: str) -> None:
    session = client.new()
    client.post(f"/api/v1/sessions/{session}/files", files={"file": ("a.txt", b"a")})
    with server.client(key="") as stranger:
        refused = stranger.get(f"/api/v1/sessions/{session}/files/a.txt?sig={signature}")
        assert (refused.status_code, refused.json()["error"]["type"]) == (401, "no_key")


def test_scripts_of_other_pages_are_refused(client: Client) -> None:
    assert client.get("/api/v1/info", headers={"Origin": "https://evil.example"}).status_code == 403
    assert client.get("/api/v1/info", headers={"Origin": "null"}).status_code == 403
    assert client.get("/api/v1/info", headers={"Origin": ""}).status_code == 403
    own = str(client.base_url).rstrip("/")
    assert client.get("/api/v1/info", headers={"Origin": own}).status_code == 200


def test_answers_cannot_be_taken_for_pages(client: Client) -> None:
    headers = client.get("/api/v1/info").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_too_much_is_refused_and_the_server_goes_on(start_server) -> None:
    server = start_server(guard={"body_bytes": 10_000, "upload_bytes": 50_000})
    with server.client() as client:
        session = client.new()
        big = client.do(session, "messages", text="x" * 20_000)
        assert (big.status_code, big.json()["error"]["type"]) == (413, "too_large")

        def unannounced():
            for _ in range(100):
                yield b"x" * 1000

        refused = client.post(f"/api/v1/sessions/{session}/messages", content=unannounced())
        assert refused.status_code == 413
        upload = client.post(f"/api/v1/sessions/{session}/files", files={"file": ("a", b"x" * 60_000)})
        assert upload.status_code == 413
        assert client.post(f"/api/v1/sessions/{session}/files", files={"file": ("a", b"x" * 40_000)}).status_code == 201
        assert client.state(session)["state"] == "parked"


BAD_BODIES = [
    b"",
    b"{",
    b"[]",
    b"null",
    b'{"text": 1}',
    b'{"text": "a", "unknown": 1}',
    b'{"text": "\\ud800"}',
    b'{"text": "\xff\xfe"}',
    b"[" * 100_000,
    b'{"text": NaN}',
]


@pytest.mark.parametrize("body", BAD_BODIES, ids=[repr(body[:20]) for body in BAD_BODIES])
def test_malformed_bodies_are_refused_in_one_form(client: Client, body: bytes) -> None:
    session = client.new()
    for path in (f"/api/v1/sessions/{session}/messages", "/v1/chat/completions", f"/api/v1/sessions/{session}/edit"):
        refused = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert refused.status_code in (400, 422), refused.text
        assert refused.json()["error"]["message"]


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\evil.bat", "evil.bat"),
        ("a\nb.csv", "a_b.csv"),
        ("<script>alert(1)</script>.html", "script>.html"),
        ("%2e%2e%2fx", "%2e%2e%2fx"),
        ("é" * 300 + ".csv", None),
        ("con\u202etxt.exe", "con_txt.exe"),
    ],
)
def test_evil_file_names_stay_inside(server, client: Client, name: str, kept: str | None) -> None:
    session = client.new()
    quoted = name.replace('"', "%22").replace("\n", "%0A").replace("\\", "\\\\")
    body = (
        b'--edge\r\nContent-Disposition: form-data; name="file"; filename="' + quoted.encode() + b'"\r\n'
        b"Content-Type: text/csv\r\n\r\na,b\n1,2\n\r\n--edge--\r\n"
    )
    answer = client.post(
        f"/api/v1/sessions/{session}/files",
        content=body,
        headers={"Content-Type": "multipart/form-data; boundary=edge"},
    )
    assert answer.status_code == 201, answer.text
    (made,) = (server.folder / session / "workspace").iterdir()
    assert made.parent == server.folder / session / "workspace"
    if kept is not None and "\n" not in name:
        assert made.name == kept
    assert client.get(answer.json()[0]["url"]).content == b"a,b\n1,2\n"


@pytest.mark.parametrize(
    "path",
    ["../events.jsonl", "%2e%2e/events.jsonl", "..%2fevents.jsonl", "/etc/passwd", "%00", "a/../../events.jsonl"],
)
def test_no_path_leads_out_of_the_workspace(server, client: Client, path: str) -> None:
    session = client.new()
    request = (
        f"GET /api/v1/sessions/{session}/files/{path} HTTP/1.1\r\nHost: localhost\r\n"
        f"Authorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    )
    answer = raw(server.url, request.encode())
    assert int(answer.split()[1]) in (400, 404)
    assert b'"version"' not in answer


def test_a_link_opens_its_own_file_alone(client: Client) -> None:
    session = client.new()
    uploaded = client.post(
        f"/api/v1/sessions/{session}/files", files=[("file", ("a.txt", b"a")), ("file", ("b.txt", b"b"))]
    ).json()
    _, signature = uploaded[0]["url"].split("?sig=")
    with Client(str(client.base_url), key="") as stranger:
        assert stranger.get(uploaded[0]["url"]).text == "a"
        assert stranger.get(f"/api/v1/sessions/{session}/files/b.txt?sig={signature}").status_code == 401
        assert stranger.delete(uploaded[0]["url"]).status_code == 401
        assert stranger.get(f"/api/v1/sessions/{session}?sig={signature}").status_code == 401


def test_keys_have_sessions_and_limits_of_their_own(start_server) -> None:
    keys = {
        "ann": {"key": "key-of-ann-123456", "sessions": 2, "running": 1, "body_mb": 0.01},
        "bob": {"key": "key-of-bob-123456", "turn_seconds": 2},
    }
    server = start_server(keys=keys)
    with server.client("key-of-ann-123456") as ann, server.client("key-of-bob-123456") as bob:
        mine, second = ann.new(title="Ann's"), ann.new()
        theirs = bob.new()
        full = ann.post("/api/v1/sessions", json={})
        assert full.status_code == 429
        assert int(full.headers["retry-after"]) > 0
        assert {row["id"] for row in ann.get("/api/v1/sessions").json()} == {mine, second}
        assert bob.get(f"/api/v1/sessions/{mine}").status_code == 404
        assert bob.do(mine, "stop").status_code == 404
        assert ann.do(mine, "messages", text="x" * 20_000).status_code == 413
        ann.do(mine, "messages", text="run: import time; time.sleep(15)")
        busy = ann.do(second, "messages", text="say: x")
        assert busy.status_code == 429
        bob.do(theirs, "messages", text="run: import time; time.sleep(19)")
        late = bob.until(theirs, "answer")
        assert [row["type"] for row in late if row["type"] in ("interrupted", "answer")] == ["interrupted", "answer"]
        assert late[-1]["outcome"] == "stopped"
        ann.do(mine, "stop")
        ann.idle(mine)
    with server.client() as lead:
        assert lead.get("/api/v1/sessions").json() == []
        figures = lead.get("/metrics").text
    assert 'ocint_turns_total{outcome="stopped"} ' in figures
    assert 'route="/api/v1/sessions/{identity}/messages"' in figures
    assert "Ann's" not in server.log()
    assert "time.sleep" not in server.log()
    rows = [json.loads(line) for line in server.log().splitlines()]
    assert {"ann", "bob"} <= {row.get("key") for row in rows}


def test_a_file_of_keys_is_read_or_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "keys.toml"
    path.write_text(f'[keys.ann]\nsha256 = "{digest_of("sesame-sesame-sesame")}"\nsessions = 3\n')
    key = read_keys(path).find("sesame-sesame-sesame")
    assert key is not None
    assert (key.name, key.sessions) == ("ann", 3)
    assert read_keys(path).find("other") is None
    for text, said in [
        ("", "no \\[keys.NAME\\]"),
        ("[keys.a]\n", "either key or sha256"),
        ('[keys.a]\nkey = "short"\n', "at least 16"),
        ('[keys.a]\nkey = "long-enough-long-enough"\nsession = 1\n', "is no limit"),
        ('[keys.a]\nkey = "long-enough-long-enough"\nsessions = 0\n', "above 0"),
        ("[[", "not valid TOML"),
    ]:
        path.write_text(text)
        with pytest.raises(ConfigError, match=said):
            read_keys(path)


def test_numbers_of_any_length_are_refused_or_passed_over(server, client: Client) -> None:
    session = client.new()
    long = "9" * 5000
    got = client.get(f"/api/v1/sessions/{session}/events?live=false", headers={"Last-Event-ID": long})
    assert got.status_code == 200
    assert client.get(f"/api/v1/sessions/{session}/events?live=false&after={long}").status_code == 422
    request = (
        f"POST /api/v1/sessions HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {TOKEN}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {'9' * 18}\r\n\r\n"
    )
    assert int(raw(server.url, request.encode()).split()[1]) in (400, 413)

"""Links that open a file without a key: their secret, and the address that they begin with."""

from __future__ import annotations

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from serving_client import Client

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.serving.addresses import page_origin, public_base
from opencodeinterpreter.serving.links import Links


def test_the_secret_is_made_once_and_nobody_else_can_read_it(tmp_path: Path) -> None:
    link = Links.kept_in(tmp_path).to("a-session", "files/é b.txt")
    assert Links.kept_in(tmp_path).to("a-session", "files/é b.txt") == link
    secret = tmp_path / "link-secret"
    assert len(secret.read_bytes()) == 32
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert list(tmp_path.iterdir()) == [secret]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_secret_that_is_none_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "link-secret").write_bytes(content)
    with pytest.raises(ConfigError, match=r"not the 32 bytes.* delete it"):
        Links.kept_in(tmp_path)
    assert (tmp_path / "link-secret").read_bytes() == content


def test_a_server_does_not_start_with_a_secret_that_is_empty(tmp_path: Path) -> None:
    folder = tmp_path / "sessions"
    folder.mkdir()
    (folder / "link-secret").touch()
    words = [sys.executable, "-m", "opencodeinterpreter", "serve", "--port", "0", "-m", "scripted:none"]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "OCINT_SESSIONS_FOLDER": str(folder)}
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 2
    said = " ".join(ended.stderr.split())
    assert "link-secret" in said
    assert "delete it" in said
    assert "Traceback" not in said


def test_servers_that_start_at_the_same_time_have_the_same_secret(tmp_path: Path) -> None:
    for number in range(20):
        folder = tmp_path / str(number)
        folder.mkdir()
        ready, made = threading.Barrier(8), []

        def start(folder: Path = folder, ready: threading.Barrier = ready, made: list[str] = made) -> None:
            ready.wait()
            made.append(Links.kept_in(folder).to("a", "files/b"))

        threads = [threading.Thread(target=start) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(made) == 8
        assert len(set(made)) == 1


def test_a_folder_that_takes_no_secret_is_told_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "link-secret").mkdir()
    with pytest.raises(ConfigError, match="link-secret"):
        Links.kept_in(tmp_path)
    with pytest.raises(ConfigError, match="link-secret"):
        Links.kept_in(tmp_path / "missing" / "folder")


# The address that links begin with.


def answered(client: Client, **headers: str) -> tuple[str, str]:
    """Return what both of OpenAI's routes answer to a turn that makes a file."""
    task = "run: open('made.txt', 'w').write('x')"
    chat = {"model": "scripted", "messages": [{"role": "user", "content": task}]}
    first = client.post("/v1/chat/completions", json=chat, headers=headers).text
    items = client.post("/v1/responses", json={"model": "scripted", "input": f"{FIGURE}"}, headers=headers).text
    return first, items


FIGURE = (
    "run: from IPython.display import display, Image\n"
    "import base64\n"
    "display(Image(data=base64.b64decode('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg==')))"
)


def test_links_begin_with_the_public_address(start_server) -> None:
    server = start_server(guard={"public_url": "https://code.example/ocint"})
    with server.client() as client:
        chat, items = answered(client)
        assert "(https://code.example/ocint/api/v1/sessions/" in chat
        assert '"https://code.example/ocint/api/v1/sessions/' in items
        assert "http://" not in chat + items


def test_the_public_address_is_one_of_ours(start_server) -> None:
    server = start_server(guard={"public_url": "https://code.example:8443"})
    with server.client() as client:
        ours = {"Host": "code.example:8443", "Origin": "https://code.example:8443"}
        assert client.get("/api/v1/info", headers=ours).status_code == 200
        # A proxy that does not hand the name on.
        assert client.get("/api/v1/info", headers={"Origin": "https://code.example:8443"}).status_code == 200
        assert client.get("/api/v1/info", headers={"Host": "other.example"}).status_code == 421
        assert client.get("/api/v1/info", headers={"Origin": "https://code.example"}).status_code == 403


def test_without_one_they_begin_with_the_address_that_was_asked(start_server) -> None:
    server = start_server()
    with server.client() as client:
        chat, items = answered(client, Host="localhost:9")
        assert "(http://localhost:9/api/v1/sessions/" in chat
        assert '"http://localhost:9/api/v1/sessions/' in items


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://code.example", "https://code.example"),
        ("https://Code.Example/", "https://code.example"),
        ("https://code.example:443/ocint/", "https://code.example/ocint"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080"),
        ("http://[::1]:80", "http://[::1]"),
    ],
)
def test_an_address_is_taken_as_browsers_write_it(url: str, base: str) -> None:
    assert public_base(url) == base


@pytest.mark.parametrize(
    "url",
    [
        "", "code.example", "//code.example", "ftp://code.example", "https://", "https:///x", "https://a b", "https://a:x",
        "https://a:99999", "https://[:::]", "https://me:secret@a", "https://a/?b=c", "https://a/#b", "https://a/b c",
        "https://a/\n", "https://é.example", 'https://a/")',
    ],
)  # fmt: skip
def test_what_is_no_address_is_refused_in_a_sentence(url: str) -> None:
    with pytest.raises(ConfigError, match=r"--public-url.*https://") as refused:
        public_base(url)
    assert "secret" not in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_origin_of_a_page_is_taken_as_browsers_write_it() -> None:
    assert page_origin("https://Chat.Example/") == "https://chat.example"
    assert page_origin("https://chat.example:443") == "https://chat.example"
    assert page_origin("http://localhost:3000") == "http://localhost:3000"
    assert page_origin("chrome-extension://abcdef") == "chrome-extension://abcdef"
    for none in ("*", "null", "chat.example", "https://chat.example/page", ""):
        with pytest.raises(ConfigError, match="--allow-origin"):
            page_origin(none)

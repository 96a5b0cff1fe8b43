"""Files on their way in and out: what lies in the folder for temporary files meanwhile, and what is left there."""

from __future__ import annotations

import socket
import sys
import time
from pathlib import Path

import pytest

from opencodeinterpreter.sandbox.bubblewrap import candidates


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of servers that are started from now on."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def with_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Gives a folder a small disk of its own, in servers that are started from now on."""

    def small(folder: Path, size: int) -> None:
        folder.mkdir(exist_ok=True)
        program = tmp_path / "python"
        bwrap = f"exec {candidates()[0]} --die-with-parent --dev-bind / / --size {size} --tmpfs {folder}"
        program.write_text(f'#!/bin/sh\n{bwrap} {sys.executable} "$@"\n')
        program.chmod(0o755)
        monkeypatch.setattr(sys, "executable", str(program))

    return small


def copies(folder: Path) -> list[str]:
    """Return the copies of files that lie in a folder: all but the sandboxes' own things."""
    return [path.name for path in folder.iterdir() if path.is_file()]


WISHES = ["bytes=abc", "bytes=99999-", "bytes=5-2", "lines=1-2", "bytes=0-1", "bytes=0-1,4-5", "bytes=-3", ""]


def test_a_download_leaves_nothing_whatever_part_was_asked_for(start_server, scratch: Path) -> None:
    server = start_server()
    with server.client() as client, server.client(key="") as stranger:
        session = client.new()
        made = client.post(f"/api/v1/sessions/{session}/files", files={"file": ("a.txt", b"0123456789")}).json()
        answers = {wish: stranger.get(made[0]["url"], headers={"Range": wish} if wish else {}) for wish in WISHES}
        assert {wish: answer.status_code for wish, answer in answers.items()} == {
            "bytes=abc": 400, "bytes=99999-": 416, "bytes=5-2": 400, "lines=1-2": 400,
            "bytes=0-1": 206, "bytes=0-1,4-5": 206, "bytes=-3": 206, "": 200,
        }  # fmt: skip
        assert answers["bytes=-3"].content == b"789"
        assert answers[""].content == b"0123456789"
        assert client.get(f"/api/v1/sessions/{session}/files/none").status_code == 404
    assert copies(scratch) == []


def test_a_download_whose_client_leaves_leaves_nothing(start_server, scratch: Path) -> None:
    server = start_server()
    with server.client() as client:
        session = client.new()
        big = b"x" * (48 << 20)
        made = client.post(f"/api/v1/sessions/{session}/files", files={"file": ("a.bin", big)}).json()
        host, port = server.url.removeprefix("http://").split(":")
        for _ in range(3):
            with socket.create_connection((host, int(port)), timeout=20) as connection:
                connection.sendall(f"GET {made[0]['url']} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
        deadline = time.monotonic() + 10
        held = Path(f"/proc/{server.process.pid}/fd")
        while time.monotonic() < deadline and (copies(scratch) or copies_held(held)):
            time.sleep(0.1)
        assert (copies(scratch), copies_held(held)) == ([], [])


def copies_held(folder: Path) -> list[str]:
    """Return the removed files that a process still holds open, given its folder of descriptors."""
    targets = []
    for link in folder.iterdir():
        try:
            targets.append(str(link.readlink()))
        except FileNotFoundError:
            continue
    return [target for target in targets if "scratch" in target and target.endswith("(deleted)")]


def test_a_full_folder_for_temporary_files_is_the_servers_fault_and_told_so(
    start_server, scratch: Path, with_room
) -> None:
    with_room(scratch, 3_000_000)
    server = start_server()
    with server.client() as client:
        session = client.new()
        path = f"/api/v1/sessions/{session}/files"
        refused = client.post(path, files={"file": ("a.bin", b"x" * 5_000_000)})
        assert (refused.status_code, refused.json()["error"]["type"]) == (507, "no_room")
        assert "no room" in refused.json()["error"]["message"]
        (server.folder / session / "workspace" / "made.bin").write_bytes(b"x" * 5_000_000)
        refused = client.get(f"{path}/made.bin")
        assert (refused.status_code, refused.json()["error"]["type"]) == (507, "no_room")
        assert str(scratch) not in refused.text
        assert client.post(path, files={"file": ("b.bin", b"x" * 2_000_000)}).status_code == 201  # needs its size once
        assert client.get(f"{path}/b.bin").content == b"x" * 2_000_000
        malformed = client.post(path, content=b"--a", headers={"Content-Type": "multipart/form-data; boundary=b"})
        assert malformed.status_code in (400, 422)


def test_a_full_disk_of_the_sessions_is_told_in_the_same_way(start_server, tmp_path: Path, with_room) -> None:
    with_room(tmp_path / "sessions", 2_000_000)
    server = start_server(tmp_path / "sessions")
    with server.client() as client:
        session = client.new()
        refused = client.post(f"/api/v1/sessions/{session}/files", files={"file": ("a.bin", b"x" * 3_000_000)})
        assert (refused.status_code, refused.json()["error"]["type"]) == (507, "no_room")
        assert client.get(f"/api/v1/sessions/{session}/files").json() == []
        assert client.post(f"/api/v1/sessions/{session}/files", files={"file": ("b", b"x")}).status_code == 201

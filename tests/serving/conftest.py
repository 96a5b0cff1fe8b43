from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from serving_client import Client

PROGRAM = Path(__file__).with_name("scripted_server.py")


class Running:
    """A server in a process of its own."""

    def __init__(self, folder: Path, **options) -> None:
        self.folder = folder
        self.errors = (folder.parent / f"{folder.name}.err").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", str(PROGRAM), str(folder), json.dumps(options)],
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http://"), self.log()

    def client(self, key: str | None = None) -> Client:
        return Client(self.url) if key is None else Client(self.url, key)

    def log(self) -> str:
        self.errors.flush()
        return Path(self.errors.name).read_text()

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()
        self.errors.close()


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One server for all tests that leave it as it was."""
    running = Running(tmp_path_factory.mktemp("serving") / "sessions")
    yield running
    running.end()


@pytest.fixture(scope="module")
def letting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A server that lets the scripts of one page of another host in."""
    running = Running(tmp_path_factory.mktemp("letting") / "sessions", guard={"origins": ["https://chat.example"]})
    yield running
    running.end()


@pytest.fixture
def client(server: Running) -> Iterator[Client]:
    with server.client() as client:
        yield client


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """Starts servers of a test's own."""
    started: list[Running] = []

    def start(folder: Path | None = None, **options) -> Running:
        started.append(Running(folder or tmp_path / f"sessions-{len(started)}", **options))
        return started[-1]

    yield start
    for running in started:
        running.end()

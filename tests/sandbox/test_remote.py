"""Sandboxes elsewhere, with a real one at the far end of a link that can be cut. The same over Ray: ``test_on_ray``."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import pytest

from opencodeinterpreter.errors import SandboxError
from opencodeinterpreter.sandbox import Limits
from opencodeinterpreter.sandbox.link import LinkLostError
from opencodeinterpreter.sandbox.remote import RemoteSandbox
from opencodeinterpreter.sandbox.worker import Worker


class DirectLink:
    """Leads to a worker in this program, until it is cut."""

    def __init__(self, limits: Limits, up: bool = True) -> None:
        self._worker = Worker({"limits": limits})
        self._calls = ThreadPoolExecutor(4)
        self._cut = threading.Event()
        self._up = up
        self.called: list[str] = []

    def wait_up(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while not self._up and not stopped() and time.monotonic() < deadline:
            time.sleep(0.01)
        return self._up

    def call(self, method: str, *arguments: Any) -> Any:
        self.called.append(method)
        answer = self._calls.submit(getattr(self._worker, method), *arguments)
        while not self._cut.is_set():
            if wait([answer], timeout=0.01).done:
                return answer.result()
        raise LinkLostError

    def send(self, method: str, *arguments: Any) -> None:
        if not self._cut.is_set():
            self._calls.submit(getattr(self._worker, method), *arguments)

    def cut(self) -> None:
        self._cut.set()
        self._worker.close()

    def close(self) -> None:
        self._worker.close()
        self._calls.shutdown()


class Machines:
    """Every worker there ever was."""

    def __init__(self) -> None:
        self.links: list[DirectLink] = []
        self.up = True

    def sandbox(self, workspace: Path | None = None, **limits: Any) -> RemoteSandbox:
        wanted = Limits(**limits)

        def connect() -> DirectLink:
            self.links.append(DirectLink(wanted, self.up))
            return self.links[-1]

        return RemoteSandbox(connect, wanted, workspace)


@pytest.fixture
def machines() -> Iterator[Machines]:
    made = Machines()
    yield made
    for link in made.links:
        link.close()


def test_files_are_where_they_are_looked_for(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("1,2\n")
    with machines.sandbox(tmp_path / "workspace") as sandbox:
        sandbox.upload(tmp_path / "in.csv")
        made = sandbox.run("import os\nos.makedirs('sub')\nopen('sub/out', 'w').write(open('in.csv').read() * 2)")
        assert [file.path for file in made.files] == ["sub/out"]
        assert (tmp_path / "workspace" / "sub" / "out").read_text() == "1,2\n1,2\n"
        assert sandbox.download("sub/out", tmp_path / "out").read_text() == sandbox.read("sub/out", 99).decode()
        (tmp_path / "workspace" / "in.csv").unlink()
        assert sandbox.run("os.remove('sub/out')\nos.listdir()").result == "['sub']"
        assert sandbox.files() == []


def test_nothing_travels_that_has_not_changed(machines: Machines, tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("1,2\n")
    with machines.sandbox() as sandbox:
        sandbox.upload(tmp_path / "in.csv")
        sandbox.run("open('in.csv').read()")
        link = machines.links[0]
        link.called.clear()
        sandbox.run("1")
        assert not {"unpack", "pack", "remove"} & set(link.called)


def test_a_worker_lost_in_mid_run_is_told_and_the_next_run_is_on_another(machines: Machines) -> None:
    with machines.sandbox() as sandbox:
        sandbox.run("before = 1\nopen('kept', 'w').write('kept')")
        threading.Timer(0.5, lambda: machines.links[0].cut()).start()
        seen: list[str] = []
        began = time.monotonic()
        with pytest.raises(SandboxError, match="The worker that this code ran on is gone"):
            sandbox.run(
                "open('lost', 'w').write('x')\nprint('so far', flush=True)\nimport time\ntime.sleep(30)",
                on_output=lambda delta: seen.append(delta.text),
            )
        assert time.monotonic() - began < 5
        assert "".join(seen) == "so far\n"
        result = sandbox.run("import os\n'before' in globals(), sorted(os.listdir())")
        assert (result.result, result.state_lost) == ("(False, ['kept'])", True)
        assert not sandbox.run("1").state_lost
    assert len(machines.links) == 2
    assert [link.called.count("run") for link in machines.links] == [2, 2]


def test_a_worker_lost_between_two_runs_is_told_by_the_next(machines: Machines) -> None:
    with machines.sandbox() as sandbox:
        sandbox.run("open('kept', 'w').write('kept')")
        machines.links[0].cut()
        assert not sandbox.alive
        result = sandbox.run("open('kept').read()")
        assert (result.result, result.state_lost) == ("'kept'", True)


def test_a_worker_lost_before_its_first_run_is_no_loss(machines: Machines) -> None:
    with machines.sandbox() as sandbox:
        sandbox.wait_ready()
        machines.links[0].cut()
        result = sandbox.run("1 + 1")
        assert (result.result, result.state_lost) == ("2", False)


def test_one_that_waits_for_a_worker_can_be_stopped(machines: Machines) -> None:
    machines.up = False
    with machines.sandbox() as sandbox:
        timer = threading.Timer(0.1, sandbox.interrupt)
        timer.start()
        result = sandbox.run("1")
        timer.join()
        assert (result.status, result.reason) == ("killed", "stopped")


def test_no_room_is_told(machines: Machines, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("opencodeinterpreter.sandbox.remote.UP_SECONDS", 0.1)
    machines.up = False
    with machines.sandbox() as sandbox, pytest.raises(SandboxError, match="No worker had room"):
        sandbox.run("1")


def test_a_listener_that_fails_ends_the_run(machines: Machines) -> None:
    def listener(_: object) -> None:
        raise ZeroDivisionError

    with machines.sandbox() as sandbox:
        with pytest.raises(ZeroDivisionError):
            sandbox.run("before = 1\nprint(1, flush=True)\nimport time\ntime.sleep(30)", on_output=listener)
        assert sandbox.run("before").result == "1"


def test_the_log_of_long_output_is_brought(machines: Machines) -> None:
    with machines.sandbox(output_bytes=1000) as sandbox:
        results = [sandbox.run(f"for i in range(1000): print({number}, i)") for number in range(2)]
        for number, result in enumerate(results):
            assert result.log is not None
            assert result.log.read_text().startswith(f"{number} 0\n{number} 1\n")


def test_files_with_holes_do_not_fill_this_disk(machines: Machines) -> None:
    with machines.sandbox(workspace_mb=2) as sandbox:
        result = sandbox.run("for name in 'abc':\n    with open(name, 'wb') as file: file.truncate(1 << 20)")
        assert len(result.files) == 3
        assert [file.path for file in sandbox.files()] == ["a", "b"]
        assert sandbox.run("import os\nlen(os.listdir())").result == "3"


def test_files_that_cannot_be_brought_are_told(machines: Machines) -> None:
    with machines.sandbox() as sandbox:
        sandbox.run("1")
        (sandbox.workspace / "sub").symlink_to("/tmp")
        with pytest.raises(SandboxError, match="could not be brought here"):
            sandbox.run("import os\nos.mkdir('sub')\nopen('sub/a', 'w').write('x')")
        (sandbox.workspace / "sub").unlink()
        sandbox.run("1")
        assert sandbox.read("sub/a", 9) == b"x"

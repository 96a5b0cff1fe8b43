"""After many sessions, however they ended, nothing is left of them."""

from __future__ import annotations

import gc
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from opencodeinterpreter.sandbox import Sandbox
from opencodeinterpreter.sandbox.runtime import new_folder, remove

pytestmark = pytest.mark.alone

SESSIONS = 200
WAYS = ("closed", "closed", "closed while starting", "killed inside", "killed from outside", "closed in mid run")


def session(kind: str, number: int) -> None:
    way = WAYS[number % len(WAYS)]
    with Sandbox(backend=kind) as sandbox:
        if way == "closed while starting":
            return
        if way == "killed inside":
            assert sandbox.run("import os; os.kill(os.getpid(), 9)").reason == "kernel died"
        elif way == "killed from outside":
            sandbox.wait_ready()
            inside = processes_of(sandbox)
            assert inside
            for process in inside:
                os.kill(process, signal.SIGKILL)
            # The first may already have been on its way.
            assert "42" in [sandbox.run("6 * 7").result for _ in range(2)]
        elif way == "closed in mid run":
            timer = threading.Timer(0.4, sandbox.close)
            timer.start()
            assert sandbox.run("import time; time.sleep(60)").reason == "stopped"
            timer.join()
        else:
            assert sandbox.run("open('a', 'w').write('x'); 6 * 7").result == "42"


def processes_of(sandbox: Sandbox) -> list[int]:
    """Return the host pids of what works in the sandbox's workspace, whatever that is called inside."""
    found = []
    for process in psutil.pids():
        try:
            if os.path.samestat(Path(f"/proc/{process}/cwd").stat(), sandbox.workspace.stat()):
                found.append(process)
        except OSError:
            continue
    return found


def used() -> dict[str, object]:
    """What this program holds, once what is on its way out is gone."""
    gc.collect()
    me = psutil.Process()
    root = Path(new_folder()).parent
    for folder in root.iterdir():
        if not any(folder.iterdir()):
            folder.rmdir()
    return {
        "descriptors": me.num_fds(),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "children": sorted(child.name() for child in me.children(recursive=True)),
        "folders": sorted(str(path) for path in root.iterdir()),
        "temporary": sorted(path.name for path in Path(tempfile.gettempdir()).glob("opencodeinterpreter-*")),
    }


@pytest.mark.slow
def test_two_hundred_sessions_leave_nothing(kind: str) -> None:
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda number: session(kind, number), range(len(WAYS))))
    before = used()
    count = SESSIONS if kind == "bubblewrap" else SESSIONS // 4
    with ThreadPoolExecutor(2) as workers:
        list(workers.map(lambda number: session(kind, number), range(count)))
    assert used() == before


HOST = """
import os, signal, sys
from opencodeinterpreter.sandbox import Sandbox
sandboxes = [Sandbox(backend=sys.argv[1]) for _ in range(2)]
for sandbox in sandboxes:
    sandbox.run("import time, threading; threading.Thread(target=time.sleep, args=(60,)).start()")
    print(sandbox.workspace, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def short_folder() -> Iterator[Path]:
    """A folder for temporary files whose name leaves room for those of sockets."""
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:
        yield Path(folder)


def test_a_program_that_is_killed_takes_its_kernels_along_and_the_next_one_sweeps(
    kind: str, short_folder: Path
) -> None:
    environment = {**os.environ, "TMPDIR": str(short_folder)}
    done = subprocess.run([sys.executable, "-c", HOST, kind], env=environment, capture_output=True, text=True)
    assert done.returncode == -signal.SIGKILL, done.stderr
    folders = [Path(line) for line in done.stdout.splitlines()]
    assert len(folders) == 2
    root = folders[0].parent
    assert root.parent == short_folder
    deadline = time.monotonic() + 10
    while (left := users_of(root)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert left == []
    assert root.exists()
    fresh = new_folder(root.parent)
    assert not root.exists()
    assert list(root.parent.glob("*.lock")) == [fresh.parent.with_suffix(".lock")]
    remove(fresh)


def users_of(root: Path) -> list[int]:
    """Return the processes that have something of ``root`` in their arguments, or a file of it open."""
    found = []
    for process in psutil.process_iter():
        try:
            held = [*process.cmdline(), *(file.path for file in process.open_files()), process.cwd()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(root) in part for part in held):
            found.append(process.pid)
    return found


def test_folders_of_a_living_program_are_not_swept(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom opencodeinterpreter.sandbox.runtime import new_folder\n"
        "print(new_folder(Path(sys.argv[1])), flush=True)\nsys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        theirs = Path(other.stdout.readline().strip())
        ours = new_folder(tmp_path)
        assert theirs.exists()
        assert ours.parent != theirs.parent
        other.communicate("")
    remove(ours)

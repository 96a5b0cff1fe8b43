"""Containers of a real engine; skipped where none answers or the image has not been built."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox import Limits, Sandbox
from opencodeinterpreter.sandbox.docker import DockerBackend
from opencodeinterpreter.sandbox.docker_engine import LABEL, Engine, find_engine

HOST = """
import sys
from opencodeinterpreter.sandbox import Sandbox
sandbox = Sandbox(backend="docker")
sandbox.run("1")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    try:
        DockerBackend().check()
    except SandboxUnavailableError as error:
        pytest.skip(f"no container can be had here: {error}")
    return find_engine()


def containers(engine: Engine, pid: int | None = None) -> set[str]:
    """Return the containers of a program, by default of this one."""
    names = engine.call("ps", "--all", "--filter", f"label={LABEL}", "--format", "{{.Names}}").split()
    return {name for name in names if f"-{pid or os.getpid()}-" in name}


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("left_out", "fault"),
    [
        ("--read-only", "its root is open for writing"),
        ("--network none", "it sees the network"),
        ("--cap-drop ALL --user", "code in it keeps capabilities; code in it runs as root"),
        ("--security-opt no-new-privileges", "could gain rights by executing"),
    ],
)
def test_a_weaker_container_is_never_used(engine: Engine, tmp_path: Path, left_out: str, fault: str) -> None:
    program = tmp_path / "podman"
    words = left_out.split()
    program.write_text(
        f"#!{sys.executable} -I\nimport os, sys\nargv = sys.argv[:]\nif argv[1] == 'run':\n"
        "    for word in " + repr([word for word in words if word.startswith("--")]) + ":\n"
        "        at = argv.index(word)\n"
        "        del argv[at:at + (1 if word == '--read-only' else 2)]\n"
        + ("    argv[2:2] = ['--network', 'host']\n" if "--network" in words else "")
        + f"os.execv({str(engine.program)!r}, argv)\n"
    )
    program.chmod(0o755)
    before = containers(engine)

    with pytest.raises(SandboxUnavailableError, match=fault), Sandbox(backend=DockerBackend(program)):
        pass
    assert containers(engine) == before


def test_a_program_that_is_killed_takes_its_container_along(engine: Engine) -> None:
    with subprocess.Popen([sys.executable, "-c", HOST], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as host:
        assert host.stdout is not None
        assert host.stdout.readline() == b"ready\n"
        assert len(containers(engine, host.pid)) == 1
        os.kill(host.pid, signal.SIGKILL)
        wait_until(lambda: not containers(engine, host.pid))


def test_a_container_that_the_engine_removes_is_a_dead_kernel(engine: Engine) -> None:
    with Sandbox(backend="docker") as sandbox:
        sandbox.run("before = 1")
        engine.remove(*containers(engine))
        wait_until(lambda: not sandbox.alive)
        result = sandbox.run("'before' in globals()")

    assert (result.result, result.state_lost) == ("False", True)


def test_what_the_system_ends_for_want_of_memory_is_named(engine: Engine) -> None:
    # Faster than anyone looks: the container's own limit meets it first.
    with Sandbox(backend="docker", limits=Limits(memory_mb=128, wall_seconds=30)) as sandbox:
        result = sandbox.run(
            "import os, time\nfor i in range(9):\n"
            "    if os.fork() == 0: x = b'x' * (100 << 20); time.sleep(9); os._exit(0)\n"
            "for i in range(9): os.wait()"
        )
        assert (result.status, result.reason) == ("killed", "memory")
        assert sandbox.run("6 * 7").result == "42"


def test_what_nobody_reads_does_not_keep_it_open(engine: Engine) -> None:
    sandbox = Sandbox(backend="docker", limits=Limits(wall_seconds=None))
    sandbox.run("import subprocess\nchild = subprocess.Popen('yes', shell=True)")
    kernel = sandbox._kernel
    assert kernel is not None
    time.sleep(1)  # the pipes on the way are full
    began = time.monotonic()
    kernel.process.kill()  # as a watcher does while nobody reads
    assert time.monotonic() - began < 10
    sandbox.close()


def test_the_relay_is_out_of_reach(engine: Engine) -> None:
    with Sandbox(backend="docker") as sandbox:
        result = sandbox.run(
            "import os, signal\n"
            "for number in (9, 15, 19, 2): os.kill(1, number)\n"
            "for name in ('environ', 'mem', 'fd/1', 'maps'):\n"
            "    try: open(f'/proc/1/{name}', 'rb').read(1); print('open', name)\n"
            "    except OSError: pass\n"
        )
        assert (result.status, result.stdout) == ("ok", "")
        assert sandbox.run("6 * 7").result == "42"


def test_the_command_line_uses_it_when_told_so(engine: Engine, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_text("import sys, pandas\nprint(sys.executable, open('/etc/hostname').read())")
    environment = {**os.environ, "OCINT_BACKEND": "docker", "HOME": str(tmp_path)}
    command = [sys.executable, "-m", "opencodeinterpreter", "exec", str(tmp_path / "code.py")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)

    assert done.stdout.split() == ["/usr/local/bin/python3", "sandbox"], done.stderr

"""Sandboxes on the workers of a Ray cluster of two machines, both of which are this one."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from sandbox_kinds import cluster, needs_ray, processes_with

from opencodeinterpreter.errors import ConfigError, MissingExtraError, SandboxError
from opencodeinterpreter.interpreter import Answer, ExecutionFinished, Failure, Interpreter
from opencodeinterpreter.models import ScriptedModel
from opencodeinterpreter.sandbox.on_ray import sandbox_on_ray

TOLD_SECONDS = 10.0
"""From the end of a worker's process, on a busy machine; see docs/scaling.md."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    with cluster(nodes=2) as made:
        yield made


def workers(nodes: Any) -> dict[int, list[psutil.Process]]:
    """Return the processes of the sandboxes, by the process that stands for their machine."""
    found = {}
    for node in nodes.list_all_nodes():
        raylet = psutil.Process(node.all_processes["raylet"][0].process.pid)
        found[raylet.pid] = [each for each in raylet.children() if "ray::Worker" in " ".join(_words(each))]
    return found


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:  # it is on its way out
        return []


def only_worker(nodes: Any, before: set[int]) -> psutil.Process:
    """Return the worker that is new since ``before``."""
    (new,) = [each for found in workers(nodes).values() for each in found if each.pid not in before]
    return new


def pids(nodes: Any) -> set[int]:
    return {each.pid for found in workers(nodes).values() for each in found}


def when_seen(mark: str, act: Callable[[], object]) -> threading.Thread:
    """Do something as soon as a process with this mark runs."""

    def wait() -> None:
        assert processes_with(mark, 1)
        act()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def sleeping(mark: str) -> str:
    return f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', 'import time; time.sleep(300) #{mark}'])"


@pytest.mark.ray
@needs_ray
def test_two_sessions_on_two_machines_do_not_mix(nodes: Any) -> None:
    before = pids(nodes)
    with sandbox_on_ray() as first, sandbox_on_ray() as second:
        first.run("x = 1\nopen('a', 'w').write('x')")
        assert second.run("'x' in globals()").result == "False"
        assert second.files() == []
        assert [len([each for each in found if each.pid not in before]) for found in workers(nodes).values()] == [1, 1]
        results = {}
        threads = [
            threading.Thread(target=lambda box=box: results.update({box: box.run("import os; os.listdir()").result}))
            for box in (first, second)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert results == {first: "['a']", second: "[]"}
    deadline = time.monotonic() + TOLD_SECONDS
    while pids(nodes) - before and time.monotonic() < deadline:
        time.sleep(0.1)
    assert pids(nodes) <= before


@pytest.mark.ray
@needs_ray
def test_a_worker_killed_in_mid_run_is_told_to_its_session_alone(nodes: Any) -> None:
    mark = f"killed-{os.getpid()}-{time.monotonic_ns()}"
    script = [
        "```python\nkept = 1\nopen('kept.txt', 'w').write('kept')\n```",
        "There it is.",
        f"```python\nopen('lost.txt', 'w').write('x')\n{sleeping(mark)}\n```",
        "```python\nprint(open('kept.txt').read(), 'kept' in globals())\n```",
        "Only the file is left.",
    ]
    with sandbox_on_ray() as other:
        other.run("mine = 7")
        before = pids(nodes)
        with sandbox_on_ray() as sandbox, Interpreter(ScriptedModel(script), sandbox=sandbox) as interpreter:
            assert isinstance(list(interpreter.stream("Keep something."))[-1], Answer)
            worker = only_worker(nodes, before)
            thread = when_seen(mark, worker.kill)
            failure = list(interpreter.stream("Sleep."))[-1]
            thread.join()
            assert isinstance(failure, Failure)
            assert (failure.kind, "worker that this code ran on is gone" in failure.message) == ("sandbox", True)
            assert processes_with(mark) == []
            events = list(interpreter.stream("What is left?"))
            (result,) = [event.result for event in events if isinstance(event, ExecutionFinished)]
            assert (result.stdout, result.state_lost) == ("kept False\n", True)
            assert [file.path for file in sandbox.files()] == ["kept.txt"]
            assert "all variables and imports are gone, files are still there" in str(interpreter.dialog)
        after = other.run("mine")
        assert (after.result, after.state_lost) == ("7", False)


@pytest.mark.ray
@needs_ray
def test_the_end_of_a_killed_worker_is_told_at_once(nodes: Any) -> None:
    mark = f"timed-{os.getpid()}-{time.monotonic_ns()}"
    killed: list[float] = []
    before = pids(nodes)
    with sandbox_on_ray() as sandbox:
        sandbox.wait_ready()
        worker = only_worker(nodes, before)

        def kill() -> None:
            killed.append(time.monotonic())
            worker.kill()

        thread = when_seen(mark, kill)
        with pytest.raises(SandboxError, match="is gone"):
            sandbox.run(sleeping(mark))
        told = time.monotonic()
        thread.join()
    assert told - killed[0] < TOLD_SECONDS


HOST = """
import os, signal, sys
import ray
ray.init(sys.argv[1], log_to_driver=False, logging_level="ERROR")
from opencodeinterpreter.sandbox.on_ray import sandbox_on_ray
sandbox = sandbox_on_ray()
sandbox.run("import subprocess, sys; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(300) #MARK'])"
            .replace("MARK", sys.argv[2]))
print("ran", flush=True)
sys.stdin.read()
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.ray
@needs_ray
def test_a_program_that_is_killed_takes_its_sandboxes_along(nodes: Any) -> None:
    mark = f"host-{os.getpid()}-{time.monotonic_ns()}"
    with subprocess.Popen(
        [sys.executable, "-c", HOST, nodes.address, mark], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as program:
        assert program.stdout is not None
        assert program.stdout.readline() == "ran\n"
        assert len(processes_with(mark, 2)) == 2  # the program, and what it started in its sandbox
        program.communicate("")
    assert program.returncode == -signal.SIGKILL
    deadline = time.monotonic() + 30
    while (left := processes_with(mark)) and time.monotonic() < deadline:
        pass
    assert left == []


@pytest.mark.ray
@needs_ray
def test_a_machine_that_is_lost_in_mid_run_is_told_and_the_next_run_is_on_another(nodes: Any, tmp_path: Path) -> None:
    """The last of the module: one of the two machines is gone after it."""
    mark = f"machine-{os.getpid()}-{time.monotonic_ns()}"
    (other,) = nodes.worker_nodes
    elsewhere = other.all_processes["raylet"][0].process.pid
    (tmp_path / "in.txt").write_text("given")
    with contextlib.ExitStack() as stack:
        one = stack.enter_context(sandbox_on_ray())
        one.wait_ready()
        one_is_there = bool(workers(nodes)[elsewhere])
        two = stack.enter_context(sandbox_on_ray())
        two.wait_ready()
        assert [len(found) for found in workers(nodes).values()] == [1, 1]
        lost, kept = (one, two) if one_is_there else (two, one)
        kept.run("mine = 7")
        lost.upload(tmp_path / "in.txt")
        lost.run("open('made.txt', 'w').write('made')")
        thread = when_seen(mark, lambda: nodes.remove_node(other, allow_graceful=False))
        with pytest.raises(SandboxError, match="is gone"):
            lost.run(sleeping(mark))
        thread.join()
        assert processes_with(mark) == []
        result = lost.run("open('in.txt').read() + open('made.txt').read()")
        assert (result.result, result.state_lost) == ("'givenmade'", True)
        assert kept.run("mine").result == "7"


def test_packages_of_this_machine_cannot_be_had_there(tmp_path: Path) -> None:
    (tmp_path / "package.py").touch()
    with pytest.raises(ConfigError, match="install them there"):
        sandbox_on_ray(packages=tmp_path)


@pytest.mark.skipif(importlib.util.find_spec("ray") is not None, reason="Ray is installed")
def test_without_ray_the_extra_of_the_sandbox_is_named() -> None:
    with pytest.raises(MissingExtraError, match=r"opencodeinterpreter\[ray\]"):
        sandbox_on_ray()

"""The life of a process in a jail."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from jails import PYTHON, Start, alive, finish, own_descriptors, spec, wait_until
from probing import hosts

from opencodeinterpreter.sandbox.base import Limits
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
from opencodeinterpreter.sandbox.processes import descendants

SLEEP = "import time; print('ready', flush=True); time.sleep(60)"


def test_it_runs_in_the_workspace_and_ends_with_its_status(start: Start, tmp_path: Path) -> None:
    process = start("import os, sys; open('made', 'w').write(os.getcwd()); print('written'); sys.exit(3)")

    assert finish(process) == "written\n"
    assert process.poll() == 3
    assert (tmp_path / "workspace/made").read_text() == "/workspace"


def test_its_environment_is_the_given_one(start: Start) -> None:
    process = start("import os; print(sorted(os.environ.items()))", env={"NAME": "a value\nof two lines"})

    text = finish(process)

    assert "('NAME', 'a value\\nof two lines')" in text
    assert set(eval(text)) <= {("NAME", "a value\nof two lines"), ("PWD", "/workspace"), ("LC_CTYPE", "C.UTF-8")}


def test_files_of_the_specification_are_there_read_only(start: Start) -> None:
    code = """
print(open('/opt/given/start.py').read())
try:
    open('/opt/given/start.py', 'w')
except OSError as error:
    print(error.strerror)
"""
    assert finish(start(code, files={"/opt/given/start.py": b"x = 1"})) in {
        f"x = 1\n{reason}\n" for reason in ("Read-only file system", "Permission denied")
    }


def test_a_signal_that_ends_it_shows_in_its_status(start: Start) -> None:
    process = start("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    wait_until(lambda: process.poll() is not None)

    assert process.poll() == 128 + signal.SIGKILL


def test_interrupt_reaches_the_main_process_alone(start: Start) -> None:
    process = start("""
import os, signal, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs begin with it ignored
child = os.fork()
try:
    print('ready', flush=True)
    while True:
        time.sleep(0.1)  # a signal that comes just before a sleep is seen after it
except KeyboardInterrupt:
    print('interrupted', 'child' if child == 0 else 'main', flush=True)
time.sleep(60)
""")
    wait_until(lambda: process.output().count("ready") == 2)

    process.interrupt()
    wait_until(lambda: "interrupted" in process.output())
    time.sleep(0.1)

    assert process.output().count("interrupted") == 1
    assert "interrupted main" in process.output()
    assert process.poll() is None


def test_pids_are_the_hosts_and_the_main_process_is_first(start: Start) -> None:
    process = start("import os, time; os.fork(); os.fork(); print('ready', flush=True); time.sleep(60)")
    wait_until(lambda: process.output().count("ready") == 4)

    pids = process.pids()

    assert len(pids) == 4
    assert all(alive(pid) for pid in pids)
    assert pids[0] == min(pids)


def test_usage_counts_memory_of_all_and_files_in_memory(start: Start) -> None:
    process = start("""
import os, time
block = bytearray(40 << 20)
os.fork() or block.__setitem__(slice(None), bytes(b'1') * len(block))
open('/tmp/file', 'wb').write(bytes(30 << 20)) if os.getpid() == 2 or os.getpid() == 3 else None
print('ready', flush=True)
time.sleep(60)
""")
    wait_until(lambda: process.output().count("ready") == 2)
    memory, cpu = process.usage()

    assert 100 << 20 < memory < 200 << 20
    assert 0 < cpu < 20


def test_usage_keeps_the_cpu_of_ended_children(start: Start) -> None:
    process = start("""
import os, time
if os.fork() == 0:
    while time.process_time() < 0.5:
        pass
    os._exit(0)
os.wait()
print('ready', flush=True)
time.sleep(60)
""")
    wait_until(lambda: "ready" in process.output())

    assert process.usage()[1] >= 0.45


def test_kill_ends_all_at_once_and_may_be_called_twice(start: Start) -> None:
    process = start("""
import os, signal, time
for number in (1, 2, 3, 15):
    signal.signal(number, signal.SIG_IGN)
for turn in range(3):
    if os.fork() == 0:
        os.setsid()
        if turn == 2:
            os.kill(os.getpid(), signal.SIGSTOP)
print('ready', flush=True)
time.sleep(60)
""")
    wait_until(lambda: "ready" in process.output() and len(process.pids()) >= 4)
    pids = process.pids()

    began = time.monotonic()
    process.kill()

    assert time.monotonic() - began < 2
    assert not any(alive(pid) for pid in pids)
    assert process.poll() is not None
    assert process.pids() == []
    assert process.usage() == (0, 0.0)
    process.interrupt()
    process.kill()


@pytest.mark.parametrize("turn", range(10))
def test_kill_wins_against_a_fork_bomb(start: Start, turn: int) -> None:
    process = start("""
import os
print('ready', flush=True)
while True:
    try:
        os.fork()
    except OSError:
        pass
""")
    wait_until(lambda: "ready" in process.output())
    pids = process.pids()

    process.kill()

    assert not any(alive(pid) for pid in pids)


def test_stragglers_end_with_the_main_process(start: Start) -> None:
    process = start("""
import os, time
if os.fork() == 0:
    os.setsid()
    time.sleep(60)
time.sleep(0.3)
""")
    wait_until(lambda: len(process.pids()) == 2)
    straggler = process.pids()[1]
    wait_until(lambda: process.poll() is not None)
    process.kill()

    assert not alive(straggler)


def test_orphans_are_reaped_while_it_runs(start: Start) -> None:
    process = start("""
import os, time
for _ in range(200):
    pid = os.fork()
    if pid == 0:
        os.fork()
        os._exit(0)
    os.waitpid(pid, 0)
print('ready', flush=True)
time.sleep(60)
""")
    wait_until(lambda: "ready" in process.output() and len(process.pids()) == 1)


def test_nothing_is_left_on_the_host(start: Start) -> None:
    finish(start("print(1)"))
    threads, descriptors = threading.active_count(), own_descriptors()
    children = set(descendants(os.getpid()))  # of other tests, which keep some for the whole run

    for turn in range(20):
        process = start(SLEEP if turn % 2 else "print('x' * 1000000)")
        if turn % 3:
            wait_until(lambda process=process: process.output() != "")
        process.kill()

    assert (threading.active_count(), own_descriptors()) == (threads, descriptors)
    # One that has ended and was not waited for is still among them.
    assert set(descendants(os.getpid())) <= children


def test_it_outlives_the_thread_that_asked_for_it(start: Start) -> None:
    started = []
    thread = threading.Thread(target=lambda: started.append(start(SLEEP)))
    thread.start()
    thread.join()
    time.sleep(0.3)

    assert started[0].poll() is None


@pytest.mark.parametrize("way", ["this user", "ordinary user"])
def test_it_dies_with_the_host_program(tmp_path: Path, way: str) -> None:
    program = f"""
import os, signal, sys
from pathlib import Path
from jails import spec
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
command = {[*PYTHON, "import os, time; os.fork(); time.sleep(60)"]!r}
process = BubblewrapBackend().launch(spec(Path(sys.argv[1]), command))
while len(process.pids()) < 2:
    pass
print(*process.pids(), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    with hosts.own_bubblewrap() as folder:
        command = [sys.executable, "-B", "-c", program, str(folder)]
        command = hosts.as_ordinary_user(command) if way == "ordinary user" else command
        done = subprocess.run(command, env=hosts.environment(folder), capture_output=True, text=True, check=False)
        pids = [int(pid) for pid in done.stdout.split()]

    assert len(pids) == 2, done.stderr
    wait_until(lambda: not any(alive(pid) for pid in pids))


def test_a_flood_of_output_keeps_its_end_and_never_blocks(start: Start) -> None:
    text = finish(start("for number in range(400_000): print(number)"))

    assert text.endswith("399999\n")
    assert len(text) < 200_000


def test_input_is_empty(start: Start) -> None:
    assert "EOFError" in finish(start("input()"))


def test_network_only_if_asked_for(start: Start) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = f"import socket; socket.create_connection(('127.0.0.1', {port}), 5).close(); print('connected')"

        assert "refused" in finish(start(code))
        assert finish(start(code, network=True)) == "connected\n"


def test_a_start_script_may_come_from_the_host_interpreters_own_files(start: Start) -> None:
    assert finish(start("import numpy, pandas; print(numpy.ones(3).sum())")) == "3.0\n"


def test_a_program_that_is_not_there_ends_with_127(tmp_path: Path) -> None:
    process = BubblewrapBackend().launch(spec(tmp_path, ["/usr/bin/no-such-program"]))

    assert "no-such-program" in finish(process)
    assert process.poll() == 127


def test_large_allocations_raise_memory_error(start: Start) -> None:
    code = """
blocks = []
try:
    while True:
        blocks.append(b'1' * (16 << 20))
except MemoryError:
    print(len(blocks) * 16)
"""
    process = start(code, limits=Limits(memory_mb=512, processes=64))

    assert 400 < int(finish(process)) < 800


def test_workspace_and_runtime_have_names_inside(tmp_path: Path) -> None:
    given = spec(tmp_path, ["true"])
    backend = BubblewrapBackend()

    assert backend.inside(given, given.workspace) == "/workspace"
    assert backend.inside(given, given.workspace / "a/b.csv") == "/workspace/a/b.csv"
    assert backend.inside(given, given.runtime / "socket") == "/run/kernel/socket"
    with pytest.raises(ValueError, match="not visible"):
        backend.inside(given, Path("/etc/passwd"))


def test_passwords_of_package_indexes_are_not_shown(start: Start, tmp_path: Path) -> None:
    environment = tmp_path / "environment"
    environment.mkdir(mode=0o755)
    (environment / "pip.conf").write_text("index-url = https://me:password@example.org")
    (environment / "pyvenv.cfg").write_text("home = /usr")
    code = f"for name in ('pip.conf', 'pyvenv.cfg'): print(repr(open({str(environment)!r} + '/' + name).read()))"

    assert finish(start(code, readable=[*spec(tmp_path, []).readable, environment])) == "''\n'home = /usr'\n"

"""Trees of processes and what they use, on processes of this test's."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest
from jails import wait_until

from opencodeinterpreter.sandbox import handles, processes

TREE = """
import os, sys, threading, time
def start_child():
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
thread = threading.Thread(target=start_child)
block = bytearray(32 << 20)
block[:] = bytes(b"1") * len(block)
if os.fork() == 0:
    os.fork()
    time.sleep(60)
time.sleep(60)
"""


def test_descendants_and_usage() -> None:
    process = subprocess.Popen([sys.executable, "-c", TREE])
    try:
        wait_until(lambda: len(processes.descendants(process.pid)) == 3)
        pids = processes.descendants(process.pid)
        memory, cpu = processes.usage(pids)
        alone, _ = processes.usage([process.pid])
    finally:
        for pid in processes.descendants(process.pid)[::-1]:
            os.kill(pid, signal.SIGKILL)
        process.wait()

    assert pids[0] == process.pid
    # The block is shared by all three, and so counts once.
    assert 32 << 20 < alone <= memory < 80 << 20
    assert cpu > 0
    assert processes.descendants(process.pid) == []
    assert processes.usage(pids) == (0, 0.0)


@pytest.mark.parametrize("built_without", [False, True])
def test_handles(monkeypatch: pytest.MonkeyPatch, built_without: bool) -> None:
    if built_without:
        monkeypatch.delattr(os, "pidfd_open")
        monkeypatch.delattr(signal, "pidfd_send_signal")
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    handle = handles.open_handle(process.pid)
    try:
        assert not handles.has_ended(handle)
        handles.send_signal(handle, signal.SIGKILL)
        assert handles.has_ended(handle, 5)
        assert process.wait() == -signal.SIGKILL
        handles.send_signal(handle, signal.SIGKILL)
    finally:
        os.close(handle)
    with pytest.raises(ProcessLookupError):
        handles.open_handle(process.pid)

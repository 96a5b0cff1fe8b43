"""Nothing is sent anywhere: a whole job is done without one Internet socket, in the program and all that it starts."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest


def test_an_internet_socket_would_be_noticed(no_internet: list[str]) -> None:
    child = "[sys.executable, '-c', 'import socket; socket.socket()']"
    code = f"import subprocess, sys; sys.exit(subprocess.run({child}).returncode)"
    plain = subprocess.run([sys.executable, "-c", code], check=False)
    watched = subprocess.run([*no_internet, sys.executable, "-c", code], check=False)
    assert plain.returncode == 0
    assert watched.returncode == (-signal.SIGSYS & 0xFF)


@pytest.mark.model
def test_a_job_with_the_embedded_model_opens_no_internet_socket(job: Any) -> None:
    assert "121932631112635269" in job.done.stdout  # the product, which only code can tell
    assert job.done.returncode == 0, job.done.stderr

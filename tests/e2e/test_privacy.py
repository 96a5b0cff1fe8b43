"""Nothing is sent anywhere: a whole job is done without one Internet socket, in the program and all that it starts."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

NO_INTERNET = [sys.executable, str(Path(__file__).with_name("no_internet.py"))]


def test_an_internet_socket_would_be_noticed() -> None:
    child = "[sys.executable, '-c', 'import socket; socket.socket()']"
    code = f"import subprocess, sys; sys.exit(subprocess.run({child}).returncode)"
    plain = subprocess.run([sys.executable, "-c", code], check=False)
    watched = subprocess.run([*NO_INTERNET, sys.executable, "-c", code], check=False)
    assert plain.returncode == 0
    assert watched.returncode == (-signal.SIGSYS & 0xFF)


@pytest.mark.model
def test_a_job_with_the_embedded_model_opens_no_internet_socket(ocint, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("item,price\nchair,17\ntable,25\n")
    done = ocint(
        "run", "Print the sum of the column price of data.csv.", "--file", "data.csv", "--model", "qwen2.5-coder-0.5b",
        before=NO_INTERNET,
    )  # fmt: skip
    assert "42" in done.stdout
    assert done.returncode in {0, 1}, done.stderr

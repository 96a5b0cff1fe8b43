from __future__ import annotations

import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pexpect
import pytest
from cli_program import PROGRAM, Program
from ready_program import ReadyProgram


@pytest.fixture(scope="session")
def ready() -> Iterator[ReadyProgram]:
    program = ReadyProgram()
    yield program
    program.close()


@pytest.fixture
def ocint(tmp_path: Path, ready: ReadyProgram) -> Program:
    return Program(tmp_path, ready)


@pytest.fixture
def terminal(ocint: Program) -> Iterator[Callable[..., pexpect.spawn]]:
    """Starts the program in a terminal of its own."""
    children: list[pexpect.spawn] = []

    def start(*words: str, columns: int = 90, env: dict[str, str] | None = None) -> pexpect.spawn:
        command: Sequence[str] = [*PROGRAM, *words]
        child = pexpect.spawn(
            command[0],
            list(command[1:]),
            cwd=str(ocint.work),
            env={**ocint.env, **(env or {})},
            dimensions=(40, columns),
            timeout=120,  # of a machine that has other things to do
            encoding="utf-8",
        )
        children.append(child)
        return child

    yield start
    for child in children:
        if child.isalive():
            child.kill(signal.SIGKILL)
            child.wait()

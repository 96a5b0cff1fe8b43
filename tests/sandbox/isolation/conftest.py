"""A jail for a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from jails import PYTHON, Start, spec

from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
from opencodeinterpreter.sandbox.jailed import JailedProcess


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start Python code in a jail, and end the jail with the test."""
    started: list[JailedProcess] = []

    def launch(code: str, **options: object) -> JailedProcess:
        started.append(BubblewrapBackend().launch(spec(tmp_path, [*PYTHON, code], **options)))
        return started[-1]

    yield launch
    for process in started:
        process.kill()

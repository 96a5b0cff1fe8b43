from __future__ import annotations

from collections.abc import Iterator

import pytest

from opencodeinterpreter import Limits, Sandbox


@pytest.fixture(scope="module")
def shared_sandbox() -> Iterator[Sandbox]:
    """One sandbox for the tests of a module; each of them names its variables for itself."""
    with Sandbox(limits=Limits(wall_seconds=10)) as sandbox:
        yield sandbox

"""The same probes in containers: what gets out there, and not out of the jail, is known by name and harmless."""

from __future__ import annotations

from functools import cache

import measure
import pytest
from measure import PROBES, Verdict
from probing.probe import Probe

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox.docker import DockerBackend

KNOWN_GAPS = {
    "learn the users' names": "the image's own, none of the host's",
    "read addresses of the kernel": "the list is there, with every address as zero",
    "doors in /proc": "the engine hides what is in them behind empty files, which can be opened",
    "use a file system that honours set-uid": "the engine mounts the image so; rights cannot be gained by executing",
}
"""Probe → why it counts as contained although it says that it got something."""


@cache
def contained() -> dict[str, Verdict]:
    return measure.in_containers()


@pytest.fixture(scope="module", autouse=True)
def _engine() -> None:
    try:
        DockerBackend().check()
    except SandboxUnavailableError as error:
        pytest.skip(f"no container can be had here: {error}")


@pytest.mark.parametrize("probe", PROBES, ids=lambda probe: f"{probe.group}: {probe.name}")
def test_the_container_holds(probe: Probe) -> None:
    verdict = contained()[probe.name]

    assert not verdict.outside
    if probe.name not in KNOWN_GAPS:
        assert not verdict.flagged, verdict.said

"""Sandboxes of every kind, made alike; and a small cluster of Ray for those on its workers."""

from __future__ import annotations

import importlib.util
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
import pytest

from opencodeinterpreter.sandbox import AnySandbox, Sandbox

LOCAL = ("bubblewrap", "docker", "none")
needs_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None, reason='Ray is not installed: pip install "opencodeinterpreter[ray]"'
)
RAY = pytest.param("ray", marks=(pytest.mark.ray, needs_ray))


def sandbox_of(kind: str, **options: Any) -> AnySandbox:
    """Make a sandbox of a kind, unstarted."""
    if kind != "ray":
        return Sandbox(backend=kind, **options)
    from opencodeinterpreter.sandbox.on_ray import sandbox_on_ray

    return sandbox_on_ray(**options)


@contextmanager
def cluster(nodes: int = 1) -> Iterator[Any]:
    """Have a cluster of so many nodes on this machine; yield it."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray.cluster_utils import Cluster

    made = Cluster()
    try:
        for number in range(nodes):
            _add_node(made, first=number == 0)
        ray.init(made.address, log_to_driver=False, logging_level="ERROR")
        yield made
    finally:
        ray.shutdown()
        made.shutdown()


def _add_node(made: Any, first: bool) -> None:
    # Ray's workers step back behind all else on their machine, which here are the tests themselves.
    system = {"_system_config": {"worker_niceness": 0}} if first else {}
    for last in (False, False, True):
        try:
            made.add_node(num_cpus=2, object_store_memory=80 << 20, include_dashboard=False, **system)
        except Exception as error:  # Ray raises no other
            # A node starts several programs and gives up if they take long, as they do on a busy machine.
            if last or "timed out" not in str(error):
                raise
        else:
            return


def processes_with(mark: str, expected: int = 0) -> list[int]:
    """Return the processes whose arguments hold ``mark``, once there are as many as expected, or time is up."""
    deadline = time.monotonic() + 5
    while True:
        found = []
        for process in psutil.process_iter(["cmdline"]):
            if any(mark in part for part in process.info["cmdline"] or ()):
                found.append(process.pid)
        if len(found) == expected or time.monotonic() > deadline:
            return found
        time.sleep(0.02)

"""Sandboxes on the workers of a Ray cluster: each has a process of its own there, an actor, and its jail below that.

The cluster is the one that ``RAY_ADDRESS`` names, as for every program of Ray; without it one is started on this
machine. Every machine of it needs this package in the same version. Ray takes any code from whoever reaches its ports,
and so belongs into a network that only its own machines reach (``docs/scaling.md``).
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import ConfigError, MissingExtraError, OcintError, SandboxError
from opencodeinterpreter.sandbox.base import Limits
from opencodeinterpreter.sandbox.link import LinkLostError
from opencodeinterpreter.sandbox.remote import RemoteSandbox
from opencodeinterpreter.sandbox.worker import Worker

CORES: Final = 0.1
"""That Ray counts for a sandbox: most of them wait for a model or a person."""
_AT_ONCE: Final = 4
"""Calls: the one that waits for a run, an interrupt, a look at whether it is alive."""
_LOOK_SECONDS: Final = 0.1
_END_SECONDS: Final = 20.0
_connecting = threading.Lock()


def sandbox_on_ray(
    limits: Limits | None = None,
    workspace: Path | str | None = None,
    network: bool = False,
    python: Path | str | None = None,
    kernel: str | None = None,
    packages: Path | str | None = None,
    logs: Path | str | None = None,
    backend: str = "bubblewrap",
    cores: float = CORES,
) -> RemoteSandbox:
    """Make a sandbox whose code runs on a worker of the cluster; its arguments are those of ``Sandbox``.

    Args:
        python: as it is called on the workers.
        kernel: of the kernelspecs that the workers have.
        packages: must be empty: a folder of this machine is not on the workers.
        backend: the isolation there.
        cores: that the sandbox takes of those that the cluster gives out.

    Raises:
        MissingExtraError: if Ray is not installed.
        ConfigError: if there are packages.
        SandboxError: if the cluster cannot be reached.
    """
    if packages is not None and Path(packages).is_dir() and any(Path(packages).iterdir()):
        raise ConfigError("Packages of a session cannot be used on workers of a cluster; install them there.")
    ray = _connected()
    limits = limits or Limits()
    options = {"backend": backend, "limits": limits, "network": network, "python": python, "kernel": kernel}
    return RemoteSandbox(
        lambda: _RayLink(ray, options, cores),
        limits,
        None if workspace is None else Path(workspace).expanduser(),
        None if logs is None else Path(logs),
        isolation=backend,
        language="python" if kernel is None else None,
    )


class _RayLink:
    """An actor. Ray ends it, and with it its jail, when the program that started it ends."""

    def __init__(self, ray: Any, options: Mapping[str, Any], cores: float) -> None:
        self._ray = ray
        # Neither the actor nor a call is ever tried again by Ray itself: code must not run twice.
        worker = ray.remote(Worker).options(
            num_cpus=cores, max_concurrency=_AT_ONCE, max_restarts=0, max_task_retries=0, scheduling_strategy="SPREAD"
        )
        self._actor = worker.remote(options)
        self._up = self._actor.__ray_ready__.remote()
        self._is_up = False

    def wait_up(self, seconds: float, stopped: Callable[[], bool]) -> bool:
        deadline = time.monotonic() + seconds
        while not self._is_up:
            left = max(0.0, min(_LOOK_SECONDS, deadline - time.monotonic()))
            if self._ray.wait([self._up], timeout=left)[0]:
                self._get(self._up)
                self._is_up = True
            elif stopped() or time.monotonic() >= deadline:
                return False
        return True

    def call(self, method: str, *arguments: Any) -> Any:
        return self._get(getattr(self._actor, method).remote(*arguments))

    def send(self, method: str, *arguments: Any) -> None:
        getattr(self._actor, method).remote(*arguments)

    def close(self) -> None:
        try:
            if self._is_up:
                self._get(self._actor.close.remote(), _END_SECONDS)
                # By itself, so that it sweeps up what it had for all its sandboxes.
                self._get(self._actor.__ray_terminate__.remote(), _END_SECONDS)
        except (LinkLostError, OcintError):
            pass  # it is gone, or ended the hard way
        finally:
            self._ray.kill(self._actor)

    def _get(self, reference: Any, seconds: float | None = None) -> Any:
        from ray import exceptions

        try:
            return self._ray.get(reference, timeout=seconds)
        except exceptions.RayTaskError as error:
            cause = error.cause
            if isinstance(cause, OcintError):
                raise cause from None
            raise SandboxError(f"The worker failed: {type(cause).__name__}: {cause}") from error
        except exceptions.RayError as error:
            raise LinkLostError(str(error)) from error


def _connected() -> Any:
    try:
        # Before it is imported: nothing is ever sent anywhere that nobody has asked for.
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        import ray
    except ImportError as error:
        raise MissingExtraError("The sandbox on Ray", "ray") from error
    with _connecting:
        if not ray.is_initialized():
            try:
                ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
            except (ConnectionError, RuntimeError, ValueError) as error:
                raise SandboxError(f"The Ray cluster cannot be reached: {error}") from error
    return ray

"""The kinds of isolation, and the places for sandboxes, by name."""

from __future__ import annotations

import importlib
from typing import Any

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.sandbox.base import AnySandbox, SandboxBackend

_KINDS = {
    "bubblewrap": ("opencodeinterpreter.sandbox.bubblewrap", "BubblewrapBackend"),
    "docker": ("opencodeinterpreter.sandbox.docker", "DockerBackend"),
    "none": ("opencodeinterpreter.sandbox.unsandboxed", "Unsandboxed"),
}


def load_backend(backend: str | SandboxBackend) -> SandboxBackend:
    """Return the backend of a name, or what already is one.

    Raises:
        ConfigError: if there is none of this name.
    """
    if not isinstance(backend, str):
        return backend
    if backend not in _KINDS:
        raise ConfigError(f'There is no sandbox "{backend}"; known are {", ".join(sorted(_KINDS))}.')
    module, name = _KINDS[backend]
    found: SandboxBackend = getattr(importlib.import_module(module), name)()
    return found


def make_sandbox(backend: str | SandboxBackend, **options: Any) -> AnySandbox:
    """Make a sandbox, unstarted: on the workers of a cluster for the name "ray", else on this machine.

    Args:
        options: those of ``Sandbox``.

    Raises:
        ConfigError, MissingExtraError, SandboxError: what was asked for cannot be had.
    """
    if backend == "ray":
        from opencodeinterpreter.sandbox.on_ray import sandbox_on_ray

        return sandbox_on_ray(**options)
    from opencodeinterpreter.sandbox.sandbox import Sandbox

    return Sandbox(backend, **options)

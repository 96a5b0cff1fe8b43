"""The kinds of isolation, by name."""

from __future__ import annotations

import importlib

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.sandbox.base import SandboxBackend

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

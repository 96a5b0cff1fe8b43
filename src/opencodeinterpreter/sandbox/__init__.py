"""Runs code in isolation: sandbox, limits, results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from opencodeinterpreter.sandbox.base import (
    AnySandbox,
    Artifact,
    Display,
    ErrorInfo,
    ExecutionResult,
    FileChange,
    IsolatedProcess,
    LaunchSpec,
    Limits,
    OutputDelta,
    SandboxBackend,
)

if TYPE_CHECKING:
    from opencodeinterpreter.sandbox.pool import KernelPool
    from opencodeinterpreter.sandbox.sandbox import Sandbox
    from opencodeinterpreter.sandbox.workspace import FileInfo

_HOMES = {"FileInfo": "workspace", "KernelPool": "pool", "Sandbox": "sandbox"}

__all__ = [
    "AnySandbox",
    "Artifact",
    "Display",
    "ErrorInfo",
    "ExecutionResult",
    "FileChange",
    "FileInfo",
    "IsolatedProcess",
    "KernelPool",
    "LaunchSpec",
    "Limits",
    "OutputDelta",
    "Sandbox",
    "SandboxBackend",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""OpenCodeInterpreter: a local, private code interpreter.

The public names are loaded when they are first used, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opencodeinterpreter.dialog import Dialog, Message
    from opencodeinterpreter.errors import OcintError
    from opencodeinterpreter.interpreter import Interpreter
    from opencodeinterpreter.models import ChatModel, Generation, ScriptedModel, load_model
    from opencodeinterpreter.sandbox import ExecutionResult, Limits, Sandbox

__version__ = "0.1.0"

_HOMES = {
    "ChatModel": "models",
    "Dialog": "dialog",
    "ExecutionResult": "sandbox",
    "Generation": "models",
    "Interpreter": "interpreter",
    "Limits": "sandbox",
    "Message": "dialog",
    "OcintError": "errors",
    "Sandbox": "sandbox",
    "ScriptedModel": "models",
    "load_model": "models",
}

__all__ = [
    "ChatModel",
    "Dialog",
    "ExecutionResult",
    "Generation",
    "Interpreter",
    "Limits",
    "Message",
    "OcintError",
    "Sandbox",
    "ScriptedModel",
    "__version__",
    "load_model",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""The module ``tools`` as code in the jail sees it: functions that the program outside carries out.

Imported from beside the start script when code asks for it; nothing here may come from outside the standard library.
"""

# mypy: allow-untyped-defs, allow-incomplete-defs, allow-untyped-calls

from __future__ import annotations

import inspect
import json
import os
import socket
import struct
import sys
from types import ModuleType

_SOCKET = os.path.join(os.path.dirname(os.path.abspath(__file__)), "k-c")  # noqa: PTH100, PTH118, PTH120
_HEAD = struct.Struct(">I")
_LARGEST = 1 << 20
_KINDS = {kind.__name__: kind for kind in (str, int, float, bool, list, dict, object)}


class ToolError(Exception):
    """A tool that failed, was refused, or cannot be reached; the text says which."""

    __module__ = "__main__"  # as which a traceback names it without a module


def _ask(request):
    data = json.dumps(request, default=_plain, allow_nan=False).encode()
    if len(data) > _LARGEST:
        raise ToolError(f"the arguments take {len(data):,} bytes, and {_LARGEST:,} are allowed")
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(_SOCKET)
            connection.sendall(_HEAD.pack(len(data)) + data)
            reply = json.loads(_read(connection, _HEAD.unpack(_read(connection, _HEAD.size))[0]))
    except OSError as error:
        raise ToolError("tools cannot be reached any more") from error
    if not reply["ok"]:
        raise ToolError(reply["error"])
    return reply["value"]


def _read(connection, size):
    data = bytearray()
    while len(data) < size:
        piece = connection.recv(min(size - len(data), 1 << 16))
        if not piece:
            raise ConnectionResetError
        data += piece
    return bytes(data)


def _plain(value):
    """Return what JSON has for the values that code works with."""
    for name in ("item", "tolist", "isoformat", "to_dict"):  # numbers and arrays of numpy, dates, tables
        method = getattr(value, name, None)
        if callable(method) and not (name == "item" and getattr(value, "size", 1) != 1):
            return method()
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, set | frozenset):
        return list(value)
    raise TypeError(f"a tool cannot be given a {type(value).__name__}")


def _function(server, told):
    parameters = told["parameters"]
    wires = {each["name"]: each for each in parameters}
    kinds = inspect.Parameter
    signature = [
        kinds(
            each["name"],
            kinds.POSITIONAL_OR_KEYWORD,
            default=kinds.empty if each["required"] else each["default"],
            annotation=_KINDS.get(each["type"], each["type"]),
        )
        for each in parameters
    ]
    if told["more"]:
        signature.append(kinds("more", kinds.VAR_KEYWORD))

    def tool(*args, **kwargs):
        given = dict(made.bind(*args, **kwargs).arguments)
        arguments = given.pop("more", {}) if told["more"] else {}
        for name, value in given.items():
            # What is not required may be left out, and None is how code says so.
            if value is not None or wires[name]["required"]:
                arguments[wires[name]["wire"]] = value
        return _ask({"do": "call", "server": server, "tool": told["wire"], "arguments": arguments})

    made = inspect.Signature(signature)
    tool.__signature__ = made  # type: ignore[attr-defined]
    tool.__name__ = tool.__qualname__ = told["name"]
    tool.__module__ = f"tools.{server}"
    tool.__doc__ = told["about"]
    return tool


def _fill(package) -> None:
    names = []
    for told in _ask({"do": "list"}):
        module = ModuleType(f"tools.{told['name']}", told["about"])
        functions = [_function(told["name"], each) for each in told["tools"]]
        for function in functions:
            setattr(module, function.__name__, function)
        module.__all__ = [function.__name__ for function in functions]  # type: ignore[attr-defined]
        module.ToolError = ToolError  # type: ignore[attr-defined]
        sys.modules[module.__name__] = module
        setattr(package, told["name"], module)
        names.append(told["name"])
    package.__all__ = [*names, "ToolError"]
    package.__doc__ = "Tools outside of the sandbox: " + ", ".join(names)


_fill(sys.modules[__name__])

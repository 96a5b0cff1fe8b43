"""What the tools of MCP servers look like to code and to the model: Python names, parameters, one line each."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

PROMPT_CHARACTERS = 3000
"""Of the prompt, for all tools together."""
_LINE_CHARACTERS = 110
_ABOUT_CHARACTERS = 2000
_MOST_TOOLS = 200
"""Of one server."""
_MOST_PARAMETERS = 50
_TYPES = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "array": "list",
    "object": "dict",
    "null": "None",
}


@dataclass(frozen=True)
class Parameter:
    """One parameter of a tool."""

    name: str
    """In Python."""
    wire: str
    """For the server."""
    type: str
    required: bool
    default: Any = None
    about: str = ""

    def __str__(self) -> str:
        return f"{self.name}: {self.type}" + ("" if self.required else f" = {self.default!r}")


@dataclass(frozen=True)
class Tool:
    """One tool of a server."""

    name: str
    wire: str
    about: str
    parameters: tuple[Parameter, ...]
    more: bool
    """Whether it takes parameters that its schema does not name."""
    schema: Mapping[str, Any] = field(repr=False)
    wrapped: bool = False
    """Whether its structured result is one value under the name ``result``."""

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join([*map(str, self.parameters), *(['**more'] if self.more else [])])})"

    def told(self) -> dict[str, Any]:
        """Return what code in the jail makes a function of."""
        lines = [f"  {each.name}: {each.about}" for each in self.parameters if each.about]
        text = "\n".join([self.about, *(["", "Parameters:", *lines] if lines else [])])
        parameters = [
            {key: getattr(each, key) for key in ("name", "wire", "type", "required", "default")}
            for each in self.parameters
        ]
        return {"name": self.name, "wire": self.wire, "about": text, "parameters": parameters, "more": self.more}


@dataclass(frozen=True)
class Offer:
    """The tools of one server."""

    name: str
    """In Python; ``server`` is what the person calls it."""
    server: str
    tools: tuple[Tool, ...]

    def told(self) -> dict[str, Any]:
        """Return what code in the jail makes a module of."""
        lines = [f"{tool.signature}  # {_line(tool.about, 200)}" for tool in self.tools]
        return {"name": self.name, "about": "\n".join(lines), "tools": [tool.told() for tool in self.tools]}


def offers_of(listed: Mapping[str, Sequence[Any]]) -> tuple[Offer, ...]:
    """Return what is offered of each server's tools, as ``tools/list`` gave them."""
    names: set[str] = {"ToolError"}
    return tuple(Offer(_name(server, names), server, _tools(tools)) for server, tools in listed.items())


def prompt(offers: Iterable[Offer]) -> str:
    """Return the paragraph that tells the model of the tools; empty where there are none."""
    offers = [offer for offer in offers if offer.tools]
    if not offers:
        return ""
    head = (
        "Besides, your code can call these tools, which work outside and reach what your code cannot "
        "(`import tools`; a tool that fails raises tools.ToolError; print what it returns):"
    )
    lines = [_offered(offer, tool) for offer in offers for tool in offer.tools]
    if sum(map(len, lines)) > PROMPT_CHARACTERS:
        lines = [f"- tools.{offer.name}.{tool.signature}" for offer in offers for tool in offer.tools]
    kept: list[str] = []
    room = PROMPT_CHARACTERS
    for line in lines:
        room -= len(line) + 1
        if room < 0:
            names = ", ".join(f"tools.{offer.name}" for offer in offers)
            kept.append(f"- and {len(lines) - len(kept)} more: print(tools.NAME.__doc__) lists them, for {names}"[:500])
            break
        kept.append(line)
    return "\n".join([head, *kept])


def _offered(offer: Offer, tool: Tool) -> str:
    about = _line(tool.about, _LINE_CHARACTERS)
    return f"- tools.{offer.name}.{tool.signature}" + (f"  # {about}" if about else "")


def _tools(listed: Sequence[Any]) -> tuple[Tool, ...]:
    names: set[str] = {"ToolError"}
    return tuple(_tool(each, names) for each in listed[:_MOST_TOOLS])


def _tool(listed: Any, names: set[str]) -> Tool:
    schema = listed.input_schema if isinstance(listed.input_schema, dict) else {}
    described = schema.get("properties")
    every = described if isinstance(described, dict) else {}
    properties = dict(list(every.items())[:_MOST_PARAMETERS])
    required = schema.get("required")
    named = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
    needed = [name for name in dict.fromkeys(named) if name in properties]
    taken: set[str] = {"more"}
    # Python has the parameters that can be left out at the end.
    order = [*needed, *(name for name in properties if name not in needed)]
    parameters = tuple(_parameter(wire, properties[wire], wire in needed, taken) for wire in order)
    more = bool(schema.get("additionalProperties", described is None)) or len(properties) < len(every)
    output = listed.output_schema.get("properties") if isinstance(listed.output_schema, dict) else None
    wrapped = isinstance(output, dict) and list(output) == ["result"]
    about = _clean(listed.description or listed.title or "")[:_ABOUT_CHARACTERS]
    return Tool(_name(listed.name, names), listed.name, about, parameters, more, schema, wrapped)


def _parameter(wire: str, schema: Any, required: bool, taken: set[str]) -> Parameter:
    schema = schema if isinstance(schema, dict) else {}
    default = schema.get("default")
    simple = isinstance(default, str | int | bool) or (isinstance(default, float) and math.isfinite(default))
    simple = simple and len(repr(default)) <= 40
    about = _line(str(schema.get("description") or ""), 300)
    choices = schema.get("enum")
    if isinstance(choices, list):
        about = f"{about} One of {_line(', '.join(map(repr, choices)), 200)}.".strip()
    return Parameter(_name(wire, taken), wire, _type(schema), required, default if simple else None, about)


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    if isinstance(kind, str):
        return _TYPES.get(kind, "object")
    several = schema.get("anyOf", schema.get("oneOf"))
    either = several if isinstance(several, list) else []
    kinds = kind if isinstance(kind, list) else [each.get("type") for each in either if isinstance(each, dict)]
    named = [_TYPES[each] for each in kinds if isinstance(each, str) and each in _TYPES]
    return " | ".join(dict.fromkeys(named)) or "object"


def _name(text: str, taken: set[str]) -> str:
    """Return ``text`` as a name in Python, other than those taken; it is taken from then on."""
    name = re.sub(r"\W+", "_", text, flags=re.ASCII).strip("_") or "tool"
    name = f"_{name}" if name[0].isdigit() else name
    name = f"{name}_" if keyword.iskeyword(name) else name
    number, found = 2, name[:80]
    while found in taken:
        found, number = f"{name[:80]}_{number}", number + 1
    taken.add(found)
    return found


def _clean(text: str) -> str:
    return "".join(char for char in text if char.isprintable() or char == "\n").strip()


def _line(text: str, characters: int) -> str:
    line = " ".join(_clean(text.replace("\n", " ")).split())
    return line if len(line) <= characters else line[: characters - 1] + "…"

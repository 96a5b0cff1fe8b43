"""What a tool gave, as code in the jail gets it: text, structured values, and files in the workspace."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
import tempfile
from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.interpreter.tools.offered import Tool
from opencodeinterpreter.sandbox import AnySandbox

_ERROR_CHARACTERS = 2000
_ENDINGS = {"image/jpeg": ".jpg", "text/plain": ".txt", "audio/wav": ".wav"}


def value_of(result: Any, tool: Tool, sandbox: AnySandbox) -> Any:
    """Return the value for the code: text or what is structured, or, where files came, their names in the workspace.

    With both it is a dict of ``value`` and ``files``.

    Raises:
        InputError: a file does not fit into the workspace.
    """
    texts = [block.text for block in result.content if block.type == "text"]
    files = [name for block in result.content for name in _saved(block, tool, sandbox)]
    links = [f"{block.name}: {block.uri}" for block in result.content if block.type == "resource_link"]
    value: Any = "\n".join([*texts, *links])
    structured = result.structured_content
    if structured is not None:
        value = structured["result"] if tool.wrapped and set(structured) == {"result"} else structured
    if not files:
        return value
    if structured is None and not value:
        return files[0] if len(files) == 1 else files
    return {"value": value, "files": files}


def failure_of(result: Any) -> str:
    """Return what a tool said of its failure."""
    text = "\n".join(block.text for block in result.content if block.type == "text").strip()
    return text[:_ERROR_CHARACTERS] or "the tool failed and did not say why"


def _saved(block: Any, tool: Tool, sandbox: AnySandbox) -> list[str]:
    """Save what is no text into the workspace; return its name there."""
    name = re.sub(r"\W+", "_", tool.name)
    if block.type in ("image", "audio"):
        content, ending = block.data, _ending(block.mime_type)
    elif block.type == "resource":
        resource = block.resource
        name = re.sub(r"[^\w.-]+", "_", str(resource.uri).rpartition("/")[2])[-80:].strip("._") or name
        ending = "" if "." in name else _ending(resource.mime_type)
        content = getattr(resource, "blob", None)
        if content is None:
            return [_put(sandbox, f"{name}{ending}", resource.text.encode("utf-8", "replace"))]
    else:
        return []
    try:
        return [_put(sandbox, f"{name}{ending}", base64.b64decode(content, validate=True))]
    except (binascii.Error, ValueError) as error:
        raise InputError("The tool sent a file that is not base64.") from error


def _ending(kind: str | None) -> str:
    return _ENDINGS.get(kind or "") or mimetypes.guess_extension(kind or "") or ".bin"


def _put(sandbox: AnySandbox, name: str, content: bytes) -> str:
    with tempfile.NamedTemporaryFile(prefix="ocint-tool-") as copy:
        copy.write(content)
        copy.flush()
        return sandbox.upload(Path(copy.name), name).path

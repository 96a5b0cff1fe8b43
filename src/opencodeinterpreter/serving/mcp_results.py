"""What an MCP client gets to see of a run: text, small previews of figures, and links to everything else."""

from __future__ import annotations

import base64
import io
from pathlib import Path
from typing import Any
from urllib.parse import quote

from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent

from opencodeinterpreter.interpreter.feedback import shorten
from opencodeinterpreter.serving.room import Room

TEXT_CHARACTERS = 20_000
_PREVIEW_PIXELS = 512
_PREVIEWS = 4
_LARGEST_PICTURE = 20 << 20


def uri(room: Room, path: str) -> str:
    """Return the address of a file (``files/NAME``) or a figure (``outputs/NAME``) of a session."""
    return f"ocint://sessions/{room.id}/{quote(path)}"


def link(room: Room, path: str, size: int | None = None) -> ResourceLink:
    """Return a link that a client can read the whole file by."""
    return ResourceLink(uri=uri(room, path), name=path.rpartition("/")[2], size=size)


def preview(path: Path) -> ImageContent | None:
    """Return a picture, made small: whole ones overflow what a client's model can read."""
    from PIL import Image, UnidentifiedImageError

    try:
        if path.stat().st_size > _LARGEST_PICTURE:
            return None
        with Image.open(path) as image:
            image.thumbnail((_PREVIEW_PIXELS, _PREVIEW_PIXELS))
            small = io.BytesIO()
            image.convert("RGBA" if image.mode in ("P", "LA", "RGBA") else "RGB").save(small, "PNG", optimize=True)
    except (OSError, ValueError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
    return ImageContent(data=base64.b64encode(small.getvalue()).decode(), mime_type="image/png")


def of_run(room: Room, rows: list[dict[str, Any]], text: str | None = None) -> CallToolResult:
    """Return what a run gave.

    Args:
        rows: its events.
        text: what is said of it; None for the output of its code.
    """
    results = [row["result"] for row in rows if row["type"] == "execution_finished"]
    failures = [row["message"] for row in rows if row["type"] == "failure"]
    told = [row["text"] for row in rows if row["type"] == "interrupted"]
    said = text if text is not None else "\n".join(_output(result) for result in results)
    blocks: list[ContentBlock] = [
        TextContent(text="\n".join(part for part in (shorten(said, TEXT_CHARACTERS), *told, *failures) if part))
    ]
    figures = [path for result in results for path in _figures(result)]
    for path in figures[:_PREVIEWS]:
        small = preview(room.folder / path)
        blocks += [small] if small is not None else []
    files = {each["path"]: each["size"] for result in results for each in result["artifacts"] if "change" in each}
    blocks += [link(room, path) for path in figures]
    blocks += [link(room, f"files/{path}", size) for path, size in files.items()]
    last = results[-1] if results else None
    structured = {
        "session": room.id,
        "status": "failed" if failures else last["status"] if last else "ok",
        "reason": last["reason"] if last else None,
        "state_lost": any(result["state_lost"] for result in results),
        "seconds": round(sum(result["duration"] for result in results), 3),
        "figures": [uri(room, path) for path in figures],
        "files": [{"path": path, "size": size} for path, size in files.items()],
    }
    return CallToolResult(content=blocks, structured_content=structured, is_error=bool(failures))


def _output(result: dict[str, Any]) -> str:
    parts = [result["stdout"].rstrip("\n"), result["stderr"].rstrip("\n"), result["result"] or ""]
    if result["error"] is not None:
        parts.append(result["error"]["traceback"])
    elif result["reason"] is not None:
        parts.append(f"Ended by the sandbox: {result['reason']}.")
    if result["state_lost"]:
        parts.append("The interpreter was restarted: variables are gone, files are still there.")
    return "\n".join(part for part in parts if part) or "(no output)"


def _figures(result: dict[str, Any]) -> list[str]:
    return [
        form["path"]
        for each in result["artifacts"]
        for kind, form in each.get("data", {}).items()
        if kind in ("image/png", "image/jpeg", "image/gif") and isinstance(form, dict)
    ]

"""Jupyter notebooks: texts, programs, and what these gave in the form that can be shown without running anything."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from typing import Any

from .parts import Parts

_PICTURES = ("image/png", "image/jpeg", "image/gif")
_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def read(path: Path, parts: Parts) -> int:
    """Read a notebook; return how many cells it has."""
    with path.open(encoding="utf-8", errors="replace") as file:
        notebook = json.load(file)
    language = str(notebook.get("metadata", {}).get("kernelspec", {}).get("language", "python")).lower()
    cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
    for cell in cells:
        if parts.full:
            parts.cut = True
            break
        source = _joined(cell.get("source", cell.get("input", "")))
        if cell.get("cell_type") == "code":
            parts.text("code", source, language=language)
            for output in cell.get("outputs", []):
                _output(output, parts)
        else:
            parts.text("markdown" if cell.get("cell_type") == "markdown" else "paragraph", source)
    return len(cells)


def _output(output: dict[str, Any], parts: Parts) -> None:
    data = output.get("data", {})
    picture = next((kind for kind in _PICTURES if kind in data), None)
    if picture is not None:
        parts.picture(base64.b64decode(_joined(data[picture])))
    elif "text/plain" in data:
        parts.text("output", _joined(data["text/plain"]))
    elif output.get("output_type") == "error":
        parts.text("output", _ANSI.sub("", "\n".join(str(line) for line in output.get("traceback", []))))
    elif "text" in output:
        parts.text("output", _ANSI.sub("", _joined(output["text"])))


def _joined(text: object) -> str:
    return "".join(str(part) for part in text) if isinstance(text, list) else str(text)

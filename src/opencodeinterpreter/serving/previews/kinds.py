"""What kind of file a name stands for, and what a preview of it needs."""

from __future__ import annotations

from pathlib import PurePosixPath

FORMS = {
    "pdf": "pdf",
    "docx": "docx", "docm": "docx", "dotx": "docx",
    "pptx": "pptx", "pptm": "pptx", "ppsx": "pptx",
    "xlsx": "xlsx", "xlsm": "xlsx",
    "csv": "csv", "tsv": "tsv", "tab": "tsv",
    "json": "json", "geojson": "json", "jsonl": "jsonl", "ndjson": "jsonl",
    "parquet": "parquet",
    "ipynb": "ipynb",
}  # fmt: skip
"""Ending → what reads it in the jail."""
TEXT_FORMS = frozenset({"csv", "tsv", "json", "jsonl", "ipynb"})
"""Those that are shown as the text that they are where they cannot be read."""
OLD_OFFICE = frozenset({"doc", "xls", "ppt", "dot", "pps"})
PACKAGES = {"pdf": "pip install pypdfium2", "parquet": 'pip install "opencodeinterpreter[data]"'}
"""What an installation may lack."""

PICTURES = {
    "png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "gif": "image/gif", "webp": "image/webp",
    "svg": "image/svg+xml", "bmp": "image/bmp", "avif": "image/avif",
}  # fmt: skip
"""What a browser shows in an <img>, where even an SVG runs nothing and fetches nothing."""

_LANGUAGES = {
    "py": "python", "pyi": "python", "sh": "bash", "bash": "bash", "zsh": "bash", "js": "javascript",
    "mjs": "javascript", "ts": "javascript", "jsx": "javascript", "sql": "sql", "r": "r", "json": "json",
    "jsonl": "json", "ndjson": "json", "geojson": "json", "ipynb": "json",
}  # fmt: skip


def ending(path: str) -> str:
    """Return the ending of a name, in lower case and without its dot."""
    return PurePosixPath(path).suffix.lower().removeprefix(".")


def language(path: str) -> str:
    """Return the language that a text is in, as the page's highlighter calls it."""
    return _LANGUAGES.get(ending(path), "")

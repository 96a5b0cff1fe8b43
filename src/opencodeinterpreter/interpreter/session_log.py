"""The log of a session on disk: one event a line, images and other binary outputs as files beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

logger = logging.getLogger(__name__)

_BINARY = {"image/png": "png", "image/jpeg": "jpg", "image/gif": "gif", "application/pdf": "pdf"}


def read_events(folder: Path, outputs: bool = True) -> Iterator[dict[str, Any]]:
    """Yield the events saved in a session's folder; a last line that a crash cut is passed over.

    Args:
        outputs: put images back in where the log refers to them.
    """
    with (folder / "events.jsonl").open(encoding="utf-8", newline="\n") as file:
        for line in file:
            try:
                row = json.loads(line)
            except json.JSONDecodeError:
                logger.warning("An unreadable line in %s was passed over.", folder / "events.jsonl")
                continue
            yield _with_outputs(row, folder) if outputs else row


def read_numbered(events: Path, after: int = 0) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the saved events past number ``after``, each with its number: its line in the log, from 1.

    Outputs are left as references. A line that is still being written is not there yet.
    """
    with events.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if number <= after or not line.endswith(b"\n"):
                continue
            try:
                yield number, json.loads(line)
            except ValueError:
                logger.warning("An unreadable line in %s was passed over.", events)


def count_events(events: Path) -> int:
    """Return how many lines the log has: the number of its last event."""
    with events.open("rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _with_outputs(value: Any, folder: Path) -> Any:
    if isinstance(value, dict):
        restored: dict[str, Any] = {}
        for key, item in value.items():
            if key in _BINARY and isinstance(item, dict) and isinstance(item.get("path"), str):
                path = folder / "outputs" / Path(item["path"]).name
                restored[key] = base64.b64encode(path.read_bytes()).decode() if path.is_file() else ""
            else:
                restored[key] = _with_outputs(item, folder)
        return restored
    if isinstance(value, list):
        return [_with_outputs(item, folder) for item in value]
    return value


def by_reference(value: Any, folder: Path) -> Any:
    """Put binary outputs into files of their own: a log full of base64 is of no use to anyone."""
    if isinstance(value, dict):
        kept: dict[str, Any] = {}
        for key, item in value.items():
            if key in _BINARY and isinstance(item, str):
                kept[key] = {"path": _store_output(item, _BINARY[key], folder)}
            else:
                kept[key] = by_reference(item, folder)
        return kept
    if isinstance(value, list):
        return [by_reference(item, folder) for item in value]
    return value


def _store_output(text: str, suffix: str, folder: Path) -> str:
    try:
        content = base64.b64decode(text)
    except ValueError:
        content = text.encode()
    name = f"{hashlib.sha256(content).hexdigest()[:16]}.{suffix}"
    path = folder / "outputs" / name
    if not path.exists():
        path.parent.mkdir(exist_ok=True)
        partial = path.with_suffix(".part")
        partial.write_bytes(content)
        partial.replace(path)
    return f"outputs/{name}"


def drop_torn_line(events: Path) -> None:
    """Cut off a last line that a crash left unfinished, so that the next event starts on a line of its own."""
    if not events.exists():
        return
    with events.open("rb+") as file:
        file.seek(0, os.SEEK_END)
        end = file.tell()
        while end > 0:
            start = max(0, end - 4096)
            file.seek(start)
            block = file.read(end - start)
            newline = block.rfind(b"\n")
            if newline >= 0:
                file.truncate(start + newline + 1)
                return
            end = start
        file.truncate(0)

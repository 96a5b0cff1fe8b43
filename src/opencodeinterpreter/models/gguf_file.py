"""Whether a GGUF file can be opened: first by its head, then by the engine in a process of its own."""

from __future__ import annotations

import contextlib
import hashlib
import json
import signal
import subprocess
import sys
from pathlib import Path

from opencodeinterpreter.errors import ModelFileError

_OPENING_SECONDS = 60.0
_BYTES_A_SECOND = 20e6
"""What a slow disk gives: a large file may take longer to open."""


def check_head(path: Path) -> None:
    """Look at the file's first bytes.

    Raises:
        ModelFileError: if it cannot be read or is no GGUF file.
    """
    try:
        with path.open("rb") as file:
            head = file.read(512)
    except FileNotFoundError as error:
        raise ModelFileError(f"there is no model file {path}") from error
    except OSError as error:
        raise ModelFileError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}") from error
    if head[:4] == b"GGUF":
        version = int.from_bytes(head[4:8], "little")
        if version in {2, 3}:
            return
        raise ModelFileError(f"{path} is a GGUF file of version {version}, which the engine does not read")
    raise ModelFileError(f"{path} is not a model: {_what_it_is(head)}")


def _what_it_is(head: bytes) -> str:
    if not head:
        return "it is empty"
    start = head.lstrip()[:64].lower()
    if start.startswith((b"<!doctype", b"<html", b"<?xml")):
        return "it is a web page, saved instead of the file"
    if start.startswith(b"version https://git-lfs"):
        return "it is a Git LFS pointer; fetch the file itself (git lfs pull)"
    if head[:2] == b"PK":
        return "it is a zip file"
    return "it does not begin as a GGUF file does"


def check_opens(path: Path, records: Path) -> None:
    """Let the engine open the file in a child process, so that a broken one takes only that down.

    Args:
        path: a file whose head is right.
        records: a folder in which it is noted that a file could be opened, to ask only once.

    Raises:
        ModelFileError: naming the reason.
    """
    record = records / f"{hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]}.json"
    state = path.stat()
    row = {"path": str(path.resolve()), "size": state.st_size, "mtime_ns": state.st_mtime_ns}
    with contextlib.suppress(OSError, ValueError):
        if json.loads(record.read_text(encoding="utf-8")) == row:
            return
    reason = why_not(path)
    if reason is not None:
        raise ModelFileError(f"{path} cannot be used: {reason}")
    # Without the note the file is only opened twice at the next start.
    with contextlib.suppress(OSError):
        record.parent.mkdir(parents=True, exist_ok=True)
        record.write_text(json.dumps(row), encoding="utf-8")


def why_not(path: Path) -> str | None:
    """Return why the engine cannot open the file, or None if a child process could."""
    command = [sys.executable, "-m", "opencodeinterpreter.models.probe", str(path)]
    limit = _OPENING_SECONDS + path.stat().st_size / _BYTES_A_SECOND
    try:
        child = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return f"the engine did not open it within {limit:.0f} s"
    if child.returncode == 0:
        return None
    if child.returncode < 0:
        return f"the engine crashes on it ({signal.Signals(-child.returncode).name}); it is damaged or too large"
    return _reason(child.stderr.decode("utf-8", "replace"))


def _reason(log: str) -> str:
    """Pick what the engine itself says is wrong."""
    lowered = log.lower()
    if "invalid data" in lowered:
        return "it holds values that are no numbers; fetch it again"
    if "not within the file bounds" in lowered or "failed to read" in lowered or "unexpectedly reached end" in lowered:
        return "it is cut short or damaged; fetch it again"
    if "unknown model architecture" in lowered:
        return "the engine does not know this kind of model"
    if "failed to allocate" in lowered or "out of memory" in lowered or "bad_alloc" in lowered:
        return "there is not enough memory for it"
    wrong = [line for line in log.splitlines() if "error" in line.lower() or "failed" in line.lower()]
    detail = wrong[0].split(": ", 1)[-1].strip() if wrong else ""
    return f"the engine says: {detail[:200]}" if detail else "the engine cannot open it"

"""The manifest of a stage: what went in, what came out, how, and why each dropped row was dropped."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.codefeedback.files.row_files import measure
from opencodeinterpreter.codefeedback.pipeline.journal import OtherRunError

FORMAT: Final = 1
_ENDINGS: Final = (".jsonl.gz", ".jsonl", ".json", ".parquet")


def key_of(deciding: Mapping[str, Any]) -> str:
    """Return the hash of all that decides a result."""
    text = json.dumps(deciding, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def beside(out: Path, ending: str) -> Path:
    """Return the path of a file that belongs to an output: ``OUT.manifest.json`` for ``OUT.jsonl``."""
    name = next((out.name.removesuffix(each) for each in _ENDINGS if out.name.endswith(each)), out.name)
    return out.with_name(name + ending)


def manifest_path(out: Path) -> Path:
    return beside(out, ".manifest.json")


def dropped_path(out: Path) -> Path:
    return beside(out, ".dropped.jsonl")


def read_manifest(out: Path) -> dict[str, Any] | None:
    """Return the manifest of an output; None if there is none.

    Raises:
        OtherRunError: if there is one that cannot be read.
    """
    path = manifest_path(out)
    try:
        row = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise OtherRunError(f"{path} cannot be read: {error}; --restart makes it anew") from error
    if not isinstance(row, dict) or row.get("format") != FORMAT or not isinstance(row.get("deciding"), dict):
        raise OtherRunError(f"{path} is no manifest of this version of the program; --restart makes it anew")
    return row


def is_whole(out: Path, manifest: Mapping[str, Any]) -> bool:
    """Hold if the outputs are the very files that the manifest tells of."""
    for output in manifest.get("outputs", []):
        path = out.with_name(str(output.get("name")))
        if not path.is_file() or measure(path).sha256 != output.get("sha256"):
            return False
    return True


def write_manifest(out: Path, manifest: Mapping[str, Any]) -> None:
    """Write the manifest; it is there whole or not at all."""
    path = manifest_path(out)
    partial = path.with_name(path.name + ".partial")
    with partial.open("w", encoding="utf-8") as file:
        json.dump({"format": FORMAT, **manifest}, file, indent=2, ensure_ascii=False)
        file.write("\n")
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def add_notes(total: dict[str, Any], notes: Mapping[str, Any]) -> None:
    """Add numbers to those of the same name, at any depth; what is no number replaces what was there."""
    for name, value in notes.items():
        here = total.get(name)
        if isinstance(value, Mapping):
            if not isinstance(here, dict):
                here = total[name] = {}
            add_notes(here, value)
        elif isinstance(value, int | float) and isinstance(here, int | float) and not isinstance(value, bool):
            total[name] = here + value
        else:
            total[name] = value

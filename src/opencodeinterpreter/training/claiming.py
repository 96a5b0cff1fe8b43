"""Whose folder it is: a run goes on only where all that decides its result is as it was."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.training.preparing import Prepared

_KEY: Final = "run.json"


def claim(output: Path, prepared: Prepared, restart: bool) -> None:
    """Note whose folder it is, or find that it is ours.

    Raises:
        InputError: if it holds another run, a finished one, or anything else.
    """
    row = _key(prepared)
    path = output / _KEY
    if restart and path.exists():
        for old in (*output.glob("checkpoint-*"), output / "model", output / "logs"):
            shutil.rmtree(old, ignore_errors=True)
        path.unlink()
    if (output / "model").exists():
        raise InputError(f"{output} holds a finished run: --restart begins anew, or name another output")
    if path.exists():
        known = json.loads(path.read_text(encoding="utf-8"))
        other = [name for name in row if known.get(name) != row[name]]
        if other:
            said = ", ".join(_differing(known.get(name), row[name], name) for name in other)
            raise InputError(f"{output} holds a run with another {said}: --restart begins anew, or name another output")
        return
    if output.exists() and any(output.iterdir()):
        raise InputError(f"{output} is not empty and holds no run of ours: name another output")
    output.mkdir(parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(row, indent=2), encoding="utf-8")
    new.replace(path)


def _key(prepared: Prepared) -> dict[str, Any]:
    """Return all that decides the result."""
    recipe = prepared.recipe.to_json()
    for name in ("output", "keep_checkpoints", "log_steps"):
        recipe.pop(name)
    digest = hashlib.sha256()
    for sample in (*prepared.train.samples, *prepared.held_out.samples):
        digest.update(repr((sample.ids, sample.labels)).encode())
    row = {"recipe": recipe, "base": prepared.base.sha256 or prepared.base.where, "tokens": digest.hexdigest()}
    return dict(json.loads(json.dumps(row)))


def _differing(known: Any, wanted: Any, name: str) -> str:
    if isinstance(known, dict) and isinstance(wanted, dict):
        return ", ".join(key for key in wanted if known.get(key) != wanted[key])
    return {"tokens": "content of its data", "base": "base model"}.get(name, name)

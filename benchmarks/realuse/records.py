"""The measurement's file: one JSON line a finished run, only ever added to."""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import platform
import subprocess
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import opencodeinterpreter
from benchmarks.realuse.arms import Arm, Run, Settings
from benchmarks.realuse.outcome import LINES_SEEN, Verdict
from benchmarks.realuse.task import DATA, Task

FORMAT = 1
_ENGINES = ("xllamacpp", "openai", "transformers", "ipykernel", "numpy", "pandas")
_DECIDES = ("dialog.py", "interpreter", "models", "sandbox")
"""Parts of the package that decide what a run gives."""


def _sha256(parts: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.hexdigest()


def task_digest(task: Task) -> str:
    """Return what changes with the messages and files of a task, and not with its checker."""
    turns = [turn.message.encode() + b"\0" + "\0".join(turn.files).encode() for turn in task.turns]
    return _sha256([*turns, *((DATA / name).read_bytes() for name in task.files)])


@cache
def source_digest() -> str:
    """Return what changes with the code of the interpreter, as it was when this process began."""
    root = Path(opencodeinterpreter.__file__).parent
    paths = [
        path for part in _DECIDES for path in ([root / part] if part.endswith(".py") else (root / part).rglob("*.py"))
    ]
    return _sha256(part for path in sorted(paths) for part in (str(path.relative_to(root)).encode(), path.read_bytes()))


@cache
def versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "opencodeinterpreter": opencodeinterpreter.__version__}
    for name in _ENGINES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


@cache
def commit() -> str | None:
    """Return the checked out commit, marked where files differ from it; None outside a checkout."""
    here = Path(__file__).parent
    try:
        done = subprocess.run(
            ["git", "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
            cwd=here,
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() or None


def run_key(task: Task, model: str, seed: int, settings: Settings) -> str:
    """Return the name of a run by all that decides its result: two runs of one name are the same measurement."""
    parts = {
        "task": task.id,
        "content": task_digest(task),
        "model": model,
        "seed": seed,
        "settings": asdict(settings),
        "source": source_digest(),
        "versions": versions(),
    }
    return _sha256([json.dumps(parts, sort_keys=True).encode()])[:24]


def miss_kind(arm: Arm, verdict: Verdict) -> str:
    """Say in a few fixed words why a run missed; empty for a pass."""
    if verdict.passed:
        return ""
    if "failure" in arm.ended:
        return arm.ended.split(":")[0]
    if arm.ended == "time limit" or (arm.last is not None and arm.last.status == "timeout"):
        return "timeout"
    if arm.executions == 0:
        return "no code"
    if arm.last is not None and not arm.last.ok:
        return "error at the end"
    if arm.ended in ("max rounds", "repeated"):
        return arm.ended if arm.executions > 1 else "wrong answer"
    return "wrong answer"


def _arm_row(task: Task, arm: Arm) -> dict[str, Any]:
    verdict = task.check(arm.outcome)
    error = arm.last.error if arm.last is not None else None
    return {
        "passed": verdict.passed,
        "reason": verdict.reason,
        "kind": miss_kind(arm, verdict),
        "ended": arm.ended,
        "rounds": arm.outcome.rounds,
        "executions": arm.executions,
        "error": f"{error.name}: {error.value}"[:500] if error is not None else None,
        "text": arm.outcome.text,
        "shown": "\n".join(arm.outcome.shown.splitlines()[-LINES_SEEN:])[-20_000:],
        "files": sorted(
            str(path.relative_to(arm.outcome.files)) for path in arm.outcome.files.rglob("*") if path.is_file()
        ),
        "cost": {name: round(value, 3) for name, value in asdict(arm.cost).items()},
    }


def record(task: Task, model: str, seed: int, settings: Settings, run: Run) -> dict[str, Any]:
    """Judge both arms and return the line to be written."""
    return {
        "format": FORMAT,
        "key": run_key(task, model, seed, settings),
        "task": task.id,
        "suite": task.suite,
        "category": task.category,
        "language": task.language,
        "turns": len(task.turns),
        "model": model,
        "seed": seed,
        "settings": asdict(settings),
        "commit": commit(),
        "source": source_digest(),
        "versions": versions(),
        "feedback": _arm_row(task, run.feedback),
        "single": _arm_row(task, run.single),
        "dialog": run.dialog["messages"],
        "dialog_single": run.dialog_single["messages"] if run.dialog_single else None,
    }


def append(path: Path, row: dict[str, Any]) -> None:
    """Add a line and wait until it is on the disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as file:
        file.seek(0, os.SEEK_END)
        if file.tell():
            file.seek(-1, os.SEEK_END)
            if file.read(1) != b"\n":  # the line before was cut by a crash; it must not spoil this one
                file.write(b"\n")
        file.write(json.dumps(row, ensure_ascii=False).encode() + b"\n")
        file.flush()
        os.fsync(file.fileno())


def read(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the records of a file, compressed or not; a line that a crash has cut is passed over."""
    if not path.exists():
        return
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    for line in content.split(b"\n"):
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and row.get("format") == FORMAT:
            yield row

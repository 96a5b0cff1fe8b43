from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

Ocint = Callable[..., subprocess.CompletedProcess[str]]


@dataclass(frozen=True)
class Job:
    """A job that was done by the program with the embedded model, without any Internet socket."""

    done: subprocess.CompletedProcess[str]
    ocint: Ocint
    """runs the program again, in the same folders"""
    folder: Path


@pytest.fixture(scope="session")
def no_internet() -> list[str]:
    """What stands before a command to end whatever opens an Internet socket, in it and in all that it starts."""
    return [sys.executable, str(Path(__file__).with_name("no_internet.py"))]


@pytest.fixture
def home(tmp_path: Path, small_model_path: Path) -> dict[str, str]:
    """An environment with folders of its own, and the models that are there already."""
    return _home(tmp_path, small_model_path)


@pytest.fixture(scope="session")
def job(tmp_path_factory: pytest.TempPathFactory, small_model_path: Path, no_internet: list[str]) -> Job:
    """One job with its events as JSON: what it shows, several tests look at."""
    folder = tmp_path_factory.mktemp("job")
    environment = _home(folder, small_model_path)

    def ocint(*words: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "opencodeinterpreter", *words]
        return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=280)

    task = "Write and run Python code that prints 123456789 * 987654321."
    return Job(ocint("run", task, "--json", "--model", "qwen2.5-coder-0.5b", before=no_internet), ocint, folder)


def _home(folder: Path, model: Path) -> dict[str, str]:
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(folder / "home"),
        "XDG_DATA_HOME": str(folder / "data"),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "OCINT_MODELS_FOLDER": str(model.parent),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }

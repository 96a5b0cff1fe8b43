from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

Ocint = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def home(tmp_path: Path, small_model_path: Path) -> dict[str, str]:
    """An environment with folders of its own, and the models that are there already."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path / "home"),
        "XDG_DATA_HOME": str(tmp_path / "data"),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "OCINT_MODELS_FOLDER": str(small_model_path.parent),
        "LANG": "C.UTF-8",
        "NO_COLOR": "1",
    }


@pytest.fixture
def ocint(home: dict[str, str], tmp_path: Path) -> Ocint:
    """Runs the program as a user does."""

    def run(*words: str, before: Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        command = [*before, sys.executable, "-m", "opencodeinterpreter", *words]
        return subprocess.run(command, cwd=tmp_path, env=home, capture_output=True, text=True, timeout=280)

    return run

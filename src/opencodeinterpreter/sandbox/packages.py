"""Further packages for one session: the host puts wheels into a folder of its own, and code inside can import them.

The host never runs anything of a package: only wheels are taken, which are archives, and they are unpacked into a
folder that the jail shows read-only.
"""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from opencodeinterpreter.errors import InputError, PackageError

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?(?:\[[A-Za-z0-9,_-]+\])?(?:==[A-Za-z0-9.!+_-]+)?")
_TIMEOUT_SECONDS = 600

# Where the package index knows an importable module under another name.
_DISTRIBUTIONS = {
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python-headless",
    "dateutil": "python-dateutil",
    "docx": "python-docx",
    "dotenv": "python-dotenv",
    "fitz": "PyMuPDF",
    "Levenshtein": "levenshtein",
    "pptx": "python-pptx",
    "skimage": "scikit-image",
    "sklearn": "scikit-learn",
    "PIL": "pillow",
    "yaml": "PyYAML",
    "Crypto": "pycryptodome",
}


class PackageFolder:
    """Installs packages for the sandboxes that are given this folder.

    Args:
        folder: made if it is not there; what is in it stays.
        python: the interpreter that code runs in; None for the one that runs this.
        wheels: a folder of wheel files to take packages from.
        index: whether packages may be fetched from the package index that pip is set up to use.

    Raises:
        InputError: there is no such folder of wheels.
    """

    def __init__(
        self, folder: Path, *, python: Path | None = None, wheels: Path | None = None, index: bool = False
    ) -> None:
        if wheels is not None and not wheels.is_dir():
            raise InputError(f'There is no folder of wheels at "{wheels}".')
        self.folder = folder
        self.index = index
        self._python = python
        self._wheels = wheels

    def has_wheel(self, name: str) -> bool:
        """Hold for a distribution that the folder of wheels has."""
        wanted = _normal(name)
        return self._wheels is not None and any(
            _normal(path.name.partition("-")[0]) == wanted for path in self._wheels.glob("*.whl")
        )

    def install(self, name: str) -> tuple[str, ...]:
        """Install a distribution and what it needs that is not there; return the names and versions of the new ones.

        Raises:
            InputError: the name is not one of a distribution.
            PackageError: it cannot be had as a wheel, or pip is not there.
        """
        if not _NAME.fullmatch(name):
            raise InputError(f"{name!r} is not the name of a package.")
        needed = self._needed(name)
        if needed:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._pip(name, "--no-deps", "--target", str(self.folder), "--upgrade", *needed)
            self._let_be_read()
        return tuple(needed)

    def _let_be_read(self) -> None:
        """Let the user that the jail has for the code read all of it, whatever the umask was."""
        for path in (self.folder, *self.folder.rglob("*")):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() else 0o444))

    def _needed(self, name: str) -> list[str]:
        """Return the pins of what is to be installed, as pip finds it out for the interpreter as it is."""
        report = self._pip(name, "--dry-run", "--quiet", "--report", "-", name)
        try:
            entries: list[dict[str, Any]] = json.loads(report)["install"]
            return [f"{entry['metadata']['name']}=={entry['metadata']['version']}" for entry in entries]
        except (ValueError, KeyError, TypeError) as error:
            raise PackageError(f"{name} cannot be installed: pip's answer was not understood.") from error

    def _pip(self, name: str, *arguments: str) -> str:
        if importlib.util.find_spec("pip") is None:
            raise PackageError(
                f"{name} cannot be installed, for pip is not in this environment; run: {sys.executable} -m ensurepip"
            )
        source = ["--find-links", str(self._wheels)] if self._wheels is not None else []
        source += [] if self.index else ["--no-index"]
        python = ["--python", str(self._python)] if self._python is not None else []
        command = [
            # -I: the folder that the program was started in has no say in what pip is.
            *(sys.executable, "-I", "-m", "pip", "--disable-pip-version-check", "--no-input", *python, "install"),
            *("--only-binary", ":all:", "--no-warn-script-location", "--no-compile", *source, *arguments),
        ]
        try:
            finished = subprocess.run(
                command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, stdin=subprocess.DEVNULL, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PackageError(f"{name} could not be fetched within {_TIMEOUT_SECONDS} seconds.") from error
        if finished.returncode != 0:
            errors = [line for line in finished.stderr.splitlines() if line.startswith("ERROR:")]
            reason = errors[-1].removeprefix("ERROR:").strip() if errors else "pip failed"
            raise PackageError(f"{name} cannot be installed: {reason}")
        return finished.stdout


def distribution_of(module: str) -> str:
    """Return what the package index calls the package that brings a module."""
    top = module.partition(".")[0]
    return _DISTRIBUTIONS.get(top, top)


def _normal(name: str) -> str:
    """Return a name in the one form that all its spellings have (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()

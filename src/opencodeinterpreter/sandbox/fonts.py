"""Matplotlib's list of the fonts of this machine, made once and given to every kernel.

Each kernel starts without a cache of its own and would look through all fonts again at its first figure, which takes
seconds where there are many.
"""

from __future__ import annotations

import atexit
import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import platformdirs

_FONT_FOLDERS = (Path("/usr/share/fonts"), Path("/usr/local/share/fonts"))
_BUILD_SECONDS = 120
_TICK_SECONDS = 0.1
_ENDING_SECONDS = 2.0
_building: set[Path] = set()
_lock = threading.Lock()
_ended = threading.Event()


@dataclass(frozen=True)
class FontList:
    """The font list for one Python."""

    python: Path
    matplotlib: str
    """Its version."""

    def put(self, folder: Path) -> bool:
        """Copy the list into a new configuration folder of Matplotlib.

        Where there is none yet, it is made in the background, for the kernels to come; return False then.
        """
        made = self._folder()
        if not made.is_dir():
            with _lock:
                if made not in _building:
                    _building.add(made)
                    builder = threading.Thread(target=self._build, args=(made,), name="font-list", daemon=True)
                    builder.start()
                    atexit.register(_end, builder)
            return False
        with contextlib.suppress(OSError):  # someone has emptied the cache: the kernel makes its own
            shutil.copytree(made, folder)
        return True

    def _folder(self) -> Path:
        changed = [str(folder.stat().st_mtime_ns) for folder in _FONT_FOLDERS if folder.is_dir()]
        key = "\0".join([str(self.python), self.matplotlib, *changed])
        name = hashlib.sha256(key.encode()).hexdigest()[:16]
        return platformdirs.user_cache_path("opencodeinterpreter") / "fonts" / name

    def _build(self, made: Path) -> None:
        # Without a cache everything works, only slower; a full disk is for others to complain about.
        with contextlib.suppress(OSError, subprocess.SubprocessError):
            made.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=made.parent) as name:
                folder = Path(name, "matplotlib")
                environment = {"MPLCONFIGDIR": str(folder), "HOME": name, "PATH": os.defpath}
                command = [str(self.python), "-I", "-B", "-c", "import matplotlib.font_manager"]
                if _ran(command, environment):
                    folder.rename(made)


def _ran(command: list[str], environment: dict[str, str]) -> bool:
    """Run a command until it is done, takes too long, or the program ends; return whether it succeeded."""
    deadline = time.monotonic() + _BUILD_SECONDS
    silent = subprocess.DEVNULL
    with subprocess.Popen(command, env=environment, stdin=silent, stdout=silent, stderr=silent) as process:
        while process.poll() is None and time.monotonic() < deadline:
            if _ended.wait(_TICK_SECONDS):
                break
        process.kill()
    return process.returncode == 0


def _end(builder: threading.Thread) -> None:
    """Leave no process and no half-made list behind when the program ends."""
    _ended.set()
    builder.join(_ENDING_SECONDS)

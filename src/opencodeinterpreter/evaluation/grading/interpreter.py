"""Which Python solutions run in, and what of this machine they can read.

Only the interpreter with its standard library, and, where the program names one, a few packages of this environment.
The environment as a whole is not shown: a package in it may carry the benchmarks with their answers.
"""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import re
import sys
import sysconfig
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("numpy", "scipy", "pandas", "sympy")
"""What programs may import besides the standard library."""
_BELONGING = ("numpy.libs", "scipy.libs", "pandas.libs", "dateutil", "pytz", "tzdata", "six.py", "mpmath")
_NAMED = re.compile(r"\b(" + "|".join((*PACKAGES, "dateutil", "pytz", "mpmath")) + r")\b")
_ANSWERS = re.compile(r"(human_?eval|mbpp).*\.(jsonl?|parquet|pkl|csv|txt)(\.(gz|zst|xz|bz2))?$", re.IGNORECASE)
_MOST_LOOKED_AT = 20_000


@dataclass(frozen=True)
class InsidePython:
    """An interpreter as it is found inside, at the same place as outside."""

    argv: tuple[str, ...]
    readable: tuple[Path, ...]
    packages: str
    """The folder that the packages are below."""
    extra: tuple[Path, ...]
    """The packages themselves, readable for programs that name one."""
    emptied: tuple[str, ...]
    """Files that hold answers in spite of all: shown empty."""

    def shown_to(self, code: str) -> tuple[Path, ...]:
        """Return what a program can read besides the system."""
        # Each mount makes every start slower, and most programs name none.
        return (*self.readable, *self.extra) if _NAMED.search(code) else self.readable


@functools.cache
def inside_python() -> InsidePython:
    """Return the interpreter that runs this, without the virtual environment that it may be in."""
    executable = os.path.realpath(getattr(sys, "_base_executable", "") or sys.executable)
    prefix = Path(sys.base_prefix)
    folders = tuple(dict.fromkeys((prefix, prefix.resolve())))
    packages = Path(sysconfig.get_path("purelib"))
    extra = tuple(packages / name for name in (*PACKAGES, *_BELONGING) if (packages / name).exists())
    # No settings from outside reach the jail, so that -I, which would forbid the fixed hash seed, is not needed.
    argv = (executable, "-P", "-s", "-S", "-B")
    return InsidePython(argv, folders, str(packages), extra, tuple(_answers(folders)))


def package_versions() -> str:
    """Return the versions of the packages here that programs may import: ``numpy 2.3.5, pandas 2.3.3``."""
    found = []
    for name in PACKAGES:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            found.append(f"{name} {importlib.metadata.version(name)}")
    return ", ".join(found)


def _answers(folders: tuple[Path, ...]) -> Iterator[str]:
    """Find data files of the benchmarks in packages that lie below what is shown as a whole."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    roots = [folder / "lib" / version for folder in (*folders, Path("/usr"), Path("/usr/local"))]
    roots += [Path("/usr/lib/python3")]
    looked = 0
    for site in dict.fromkeys((root / name).resolve() for root in roots for name in ("site-packages", "dist-packages")):
        if not site.is_dir():
            continue
        for entry in site.iterdir():
            if not ("eval" in entry.name.lower() or entry.name == "data") or not entry.is_dir():
                continue
            for path, _, names in os.walk(entry):
                looked += len(names)
                yield from (os.path.join(path, name) for name in names if _ANSWERS.search(name))  # noqa: PTH118
                if looked > _MOST_LOOKED_AT:
                    return

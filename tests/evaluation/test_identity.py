"""What a model is known by in records and in the response cache."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from opencodeinterpreter.evaluation.identity import Identity, identify
from opencodeinterpreter.models import ScriptedModel
from opencodeinterpreter.models.settings import Endpoint, ModelSettings, settings_from_environment

MODEL = ScriptedModel([])
"""Loaded models are not looked at where the name says where the files are."""


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    for name, text in {
        "config.json": '{"hidden_size": 8}',
        "tokenizer.json": "{}",
        "model.safetensors": "weights",
        "README.md": "a model",
        "trainer_state.json": "{}",
    }.items():
        (folder / name).write_text(text)
    return folder


def known(name: str | Path, settings: ModelSettings | None = None) -> Identity:
    return identify(str(name), MODEL, settings or settings_from_environment({}))


def test_a_checkpoint_is_known_by_its_files_and_not_by_its_folder(checkpoint: Path) -> None:
    first = known(f"transformers:{checkpoint}")
    assert len(first.sha256) == 64
    assert first.key == f"transformers:{first.sha256}"
    moved = checkpoint.rename(checkpoint.with_name("elsewhere"))
    assert known(f"transformers:{moved}").key == first.key
    assert known(moved).key == first.key


@pytest.mark.parametrize("name", ["config.json", "tokenizer.json", "model.safetensors", "chat_template.jinja"])
def test_what_decides_a_reply_decides_the_identity(checkpoint: Path, name: str) -> None:
    first = known(checkpoint)
    (checkpoint / name).write_text("something else")
    assert known(checkpoint).key != first.key


def test_a_served_model_is_known_by_its_server() -> None:
    servers = {"a": Endpoint("http://me:secret@one:1/v1"), "b": Endpoint("http://two:2/v1")}
    settings = ModelSettings(endpoint=Endpoint("http://usual/v1"), endpoints=servers)
    first, second, usual = (known(f"openai:{name}", settings) for name in ("m@a", "m@b", "m"))
    assert len({first.key, second.key, usual.key}) == 3
    assert (first.endpoint, second.endpoint, usual.endpoint) == ("one:1/v1", "two:2/v1", "usual/v1")


@pytest.mark.parametrize("name", ["README.md", "trainer_state.json", "optimizer.pt", ".cache.json"])
def test_what_decides_nothing_does_not_count(checkpoint: Path, name: str) -> None:
    first = known(checkpoint)
    (checkpoint / name).write_text("something else")
    assert known(checkpoint).key == first.key


def test_weights_that_were_read_once_are_not_read_again(checkpoint: Path) -> None:
    first = known(checkpoint)
    weights = checkpoint / "model.safetensors"
    state = weights.stat()
    weights.write_text("WEIGHTS")
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert known(checkpoint).key == first.key
    os.utime(weights, ns=(state.st_atime_ns, state.st_mtime_ns + 1))
    assert known(checkpoint).key != first.key


def test_a_folder_that_cannot_be_written_is_hashed_all_the_same(checkpoint: Path) -> None:
    first = known(checkpoint)
    for record in checkpoint.glob("*.verified.json"):
        record.unlink()
        record.mkdir()  # where no record can be kept, whoever runs this
    assert known(checkpoint).key == first.key


def test_a_gguf_file_is_another_model_in_another_engine(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(b"GGUF and more")
    found = known(f"transformers:{path}")
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert found.key == f"transformers:{found.sha256}"
    embedded = ScriptedModel([])
    embedded.path = path  # type: ignore[attr-defined]
    assert identify(str(path), embedded, settings_from_environment({})).key == f"llama.cpp:{found.sha256}"


def test_a_file_of_the_catalog_is_known_by_its_pinned_hash() -> None:
    found = known("transformers:qwen2.5-coder-0.5b")
    assert found.sha256 == "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32"
    assert found.key == f"transformers:{found.sha256}"


def test_what_lies_elsewhere_is_known_by_its_name() -> None:
    assert known("transformers:m-a-p/OpenCodeInterpreter-DS-1.3B") == Identity(
        "transformers:m-a-p/OpenCodeInterpreter-DS-1.3B",
        "",
        "ScriptedModel:transformers:m-a-p/OpenCodeInterpreter-DS-1.3B",
    )
    served = known("openai:name", settings_from_environment({"OPENAI_BASE_URL": "http://localhost:8000/v1"}))
    assert (served.sha256, served.key) == ("", "http://localhost:8000/v1 openai:name")


def test_a_script_is_known_by_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps(["hello"]))
    found = known(f"scripted:{path}")
    assert found.key == f"scripted:{hashlib.sha256(path.read_bytes()).hexdigest()}"

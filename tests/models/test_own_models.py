"""Models of a user's own, by the names that they were given."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from opencodeinterpreter.codefeedback.asking.parts import player
from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import InputError, ModelFileError, OcintError, UnknownModelError
from opencodeinterpreter.evaluation.identity import folder_sha256, identify
from opencodeinterpreter.models import (
    Checkpoint,
    Generation,
    ModelFile,
    ModelSettings,
    ScriptedModel,
    Sources,
    list_models,
    load_model,
    pull,
    verify,
)
from opencodeinterpreter.models.cache import sha256_of
from opencodeinterpreter.models.own_models import add_model, find_model, own_models, remove_model

HEAD = b"GGUF\3\0\0\0"


@pytest.fixture
def sources(tmp_path: Path) -> Sources:
    return Sources(tmp_path / "models", hub_url=None, index_urls=())


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "tuned.gguf"
    path.write_bytes(HEAD + b"weights")
    return path


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    (folder / "config.json").write_text("{}")
    (folder / "model.safetensors").write_text("weights")
    return folder


def test_a_named_file_is_listed_found_and_forgotten(file: Path, sources: Sources) -> None:
    assert own_models(sources) == {}
    add_model(" Mine-2 ", file, sources)

    found = find_model("MINE-2", sources)
    assert isinstance(found, ModelFile)
    assert (found.name, Path(found.file), found.size) == ("mine-2", file, file.stat().st_size)
    assert [state.path for state in list_models(sources) if state.entry.name == "mine-2"] == [file]
    assert pull("mine-2", sources) == file
    assert verify("mine-2", sources) == sha256_of(file)

    assert remove_model("Mine-2", sources) == file
    assert file.is_file()
    with pytest.raises(UnknownModelError, match="no model 'mine-2'"):
        find_model("mine-2", sources)


def test_a_file_that_was_written_again_is_still_the_model(file: Path, sources: Sources) -> None:
    add_model("mine", file, sources)
    verify("mine", sources)
    file.write_bytes(HEAD + b"of another training")

    assert pull("mine", sources) == file
    assert verify("mine", sources) == sha256_of(file)


def test_a_name_stands_for_what_it_was_last_given_to(file: Path, checkpoint: Path, sources: Sources) -> None:
    add_model("mine", file, sources)
    add_model("mine", checkpoint, sources)

    assert find_model("mine", sources) == Checkpoint("mine", str(checkpoint), "your own")
    assert [state.path for state in list_models(sources) if state.entry.name == "mine"] == [checkpoint]
    with pytest.raises(ModelFileError, match=r"is the folder .* of your own: no hash is known"):
        verify("mine", sources)


def test_a_relative_path_is_kept_whole(file: Path, sources: Sources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(file.parent)
    add_model("mine", Path(file.name), sources)
    monkeypatch.chdir("/")

    assert pull("mine", sources) == file


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("qwen2.5-coder-0.5b", "a model of the catalog"),
        ("mine.gguf", "not ending in .gguf"),
        ("hf:mine", "letters, digits"),
        ("a/b", "letters, digits"),
        ("", "letters, digits"),
        ("x" * 65, "up to 64"),
    ],
)
def test_some_names_cannot_be_given(name: str, says: str, file: Path, sources: Sources) -> None:
    with pytest.raises(InputError, match=says):
        add_model(name, file, sources)


def test_what_is_no_model_gets_no_name(tmp_path: Path, sources: Sources) -> None:
    (tmp_path / "text.gguf").write_text("no model")
    (tmp_path / "empty").mkdir()
    (tmp_path / "adapter").mkdir()
    (tmp_path / "adapter" / "adapter_config.json").write_text("{}")
    for path, says in {
        "text.gguf": "is not a model",
        "empty": "holds no checkpoint",
        "adapter": "merge it first",
        "nowhere.gguf": "there is no model file",
    }.items():
        with pytest.raises(ModelFileError, match=says):
            add_model("mine", tmp_path / path, sources)
    assert own_models(sources) == {}


def test_a_model_that_is_gone_is_named_with_what_helps(file: Path, sources: Sources) -> None:
    add_model("mine", file, sources)
    file.unlink()

    with pytest.raises(ModelFileError, match=r"mine was .*tuned\.gguf, which is gone: ocint models add mine PATH"):
        load_model("mine", settings=ModelSettings(sources))
    assert [state.path for state in list_models(sources) if state.entry.name == "mine"] == [None]
    remove_model("mine", sources)


def test_names_that_were_not_given_are_not_forgotten(file: Path, sources: Sources) -> None:
    add_model("mine", file, sources)
    for name, says in {"mime": "did you mean mine", "smollm2-135m": "one of the catalog"}.items():
        with pytest.raises(UnknownModelError, match=says):
            remove_model(name, sources)


def test_a_name_that_is_nearly_right_is_helped(file: Path, sources: Sources) -> None:
    add_model("wonderful", file, sources)
    with pytest.raises(UnknownModelError, match="did you mean wonderful"):
        load_model("wonderfull", settings=ModelSettings(sources))


def test_a_broken_list_of_names_is_none(file: Path, sources: Sources) -> None:
    add_model("mine", file, sources)
    [kept] = [path for path in sources.folder.iterdir() if path.suffix == ".json"]
    for text in ("{", "[]", json.dumps({"mine": 1, "qwen2.5-coder-0.5b": str(file)})):
        kept.write_text(text)
        assert own_models(sources) == {}


def test_a_named_model_is_known_by_its_file(file: Path, checkpoint: Path, sources: Sources) -> None:
    settings = ModelSettings(sources)
    add_model("as-file", file, sources)
    add_model("as-folder", checkpoint, sources)

    unloaded = ScriptedModel([])
    assert identify("transformers:as-file", unloaded, settings).sha256 == sha256_of(file)
    assert identify("as-folder", unloaded, settings).sha256 == folder_sha256(checkpoint)
    for name, path in {"as-file": file, "as-folder": checkpoint}.items():
        assert player(name, settings).identity == player(str(path), settings).identity


def test_a_named_model_answers(small_model_path: Path, sources: Sources) -> None:
    add_model("mine", small_model_path, sources)
    asked, settings = [Message("user", "Say hello.")], ModelSettings(sources)
    said = []
    for name in ("mine", str(small_model_path)):
        model = load_model(name, settings=settings, context_tokens=512)
        try:
            with model.stream(asked, Generation(max_tokens=8)) as reply:
                said.append("".join(reply))
        finally:
            model.close()
    assert said[0] == said[1] != ""


def test_without_a_folder_that_can_be_written_there_are_no_names(file: Path, tmp_path: Path, sources: Sources) -> None:
    (tmp_path / "taken").write_text("")
    with pytest.raises(OcintError, match=r"cannot be written|not a directory|is a file"):
        add_model("mine", file, replace(sources, folder=tmp_path / "taken"))

"""From names to models, and from the environment to settings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from http_server import Call, serving

from opencodeinterpreter.dialog import Message
from opencodeinterpreter.errors import (
    DownloadError,
    InputError,
    MissingExtraError,
    ModelError,
    ModelFileError,
    UnknownModelError,
)
from opencodeinterpreter.models import (
    CATALOG,
    DEFAULT_MODEL,
    ChatModel,
    Checkpoint,
    Generation,
    ModelFile,
    ScriptedModel,
    Sources,
    endpoint_from_environment,
    load_model,
    sources_from_environment,
)
from opencodeinterpreter.models.hub import find_on_hub
from opencodeinterpreter.models.processors import physical_cores
from opencodeinterpreter.models.stops import StopFilter

ASK = [Message("user", "Hello")]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("qwen2.5-coder-1.5", r"did you mean qwen2\.5-coder-1\.5b"),
        ("qwen-coder-0.5b", r"did you mean qwen2\.5-coder-0\.5b"),
        ("OpenCodeInterpreter-DS-6.7", r"opencodeinterpreter-ds-6\.7b"),
        ("zzz", "known are qwen2"),
        ("", "no model is named"),
        ("Qwen/Qwen2.5", "say hf:Qwen/Qwen2.5 "),
        ("opnai:gpt", "did you mean openai:"),
        ("hf:one", "must be hf:organisation/repository"),
        ("hf:a/b:c.bin", "is not a GGUF file"),
        ("hf:a/b:../c.gguf", "is not a GGUF file"),
        ("hf:a/b:m-00001-of-00002.gguf", "one part of several"),
        ("openai:", "names no model"),
        ("scripted:", "names no model"),
    ],
)
def test_a_name_that_is_nearly_right_is_helped(name: str, says: str) -> None:
    with pytest.raises(UnknownModelError, match=says):
        load_model(name)


def test_the_catalog_is_complete() -> None:
    assert DEFAULT_MODEL in CATALOG
    for name, entry in CATALOG.items():
        assert name == entry.name == entry.name.lower()
        if isinstance(entry, ModelFile):
            assert entry.hub or entry.index
            assert entry.index is None or (entry.size and entry.sha256), "what the index has is pinned"
            assert entry.sha256 is None or len(entry.sha256) == 64
    assert sum(isinstance(entry, Checkpoint) for entry in CATALOG.values()) == 11


def test_importing_is_light() -> None:
    heavy = {"httpx", "openai", "xllamacpp", "torch", "transformers", "numpy", "psutil"}
    code = "import sys, opencodeinterpreter.models; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not heavy & set(loaded)


def test_the_scripted_model_says_its_replies_in_small_pieces() -> None:
    model = ScriptedModel(["Hello there", lambda messages: messages[-1].content.upper()])
    assert isinstance(model, ChatModel)
    with model.stream(ASK) as reply:
        assert list(reply) == ["Hell", "o th", "ere"]
    assert (reply.finish_reason, reply.usage and reply.usage.completion_tokens) == ("stop", 2)
    with model.stream(ASK) as second:
        assert "".join(second) == "HELLO"
    assert model.requests == [tuple(ASK), tuple(ASK)]
    with pytest.raises(ModelError, match="has 2 replies, and one more was asked for"):
        model.stream(ASK)
    model.close()
    with pytest.raises(ModelError, match="closed"):
        model.stream(ASK)


def test_the_scripted_model_can_be_cancelled() -> None:
    model = ScriptedModel(["Hello there", "Hello END there", "x" * 100])
    with model.stream(ASK) as reply:
        for _ in reply:
            reply.cancel()
    assert reply.finish_reason == "cancelled"
    assert reply.usage is not None
    with model.stream(ASK, Generation(stop=("END",))) as stopped:
        assert "".join(stopped) == "Hello "
    with model.stream(ASK, Generation(max_tokens=5)) as cut:
        assert "".join(cut) == "x" * 20
    assert cut.finish_reason == "length"


def test_a_script_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "script.json"
    path.write_text(json.dumps({"replies": ["Hi"], "delta_characters": 1}))
    with load_model(f"scripted:{path}").stream(ASK) as reply:
        assert list(reply) == ["H", "i"]
    path.write_text(json.dumps(["Hi"]))
    with load_model(f"scripted:{path}").stream(ASK) as reply:
        assert list(reply) == ["Hi"]
    for text in ("{", "{}", "[1]", '{"replies": [], "x": 1}'):
        path.write_text(text)
        with pytest.raises(InputError, match="script"):
            load_model(f"scripted:{path}")
    with pytest.raises(InputError, match="cannot be read"):
        load_model("scripted:/nowhere.json")


def test_folders_and_missing_files(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"there is no model file .*x\.gguf"):
        load_model(str(tmp_path / "x.gguf"))
    with pytest.raises(ModelFileError, match="holds no checkpoint"):
        load_model(str(tmp_path))


def test_a_missing_extra_says_how_to_get_it(tmp_path: Path) -> None:
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "from opencodeinterpreter.models import load_model\n"
        "try: load_model('transformers:some/thing')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.startswith(MissingExtraError.__name__)
    assert 'pip install "opencodeinterpreter[transformers]"' in said


def test_the_hub_is_asked_which_file_to_take(tmp_path: Path) -> None:
    files = ["README.md", "m-q2_k.gguf", "m-Q4_K_M.gguf", "m-q8_0-00001-of-00002.gguf"]

    def answer(call: Call) -> None:
        if "/org/none/" in call.path:
            call.answer(401)
        elif "/org/odd/" in call.path:
            call.answer(200, "<html>", "text/html")
        else:
            named = {"/org/gguf/": files, "/org/two/": ["a.gguf", "b.gguf"]}
            found = next((value for key, value in named.items() if key in call.path), ["model.safetensors"])
            call.answer(200, {"siblings": [{"rfilename": file} for file in found]})

    with serving(answer) as server:
        sources = Sources(tmp_path, hub_url=server.url)
        found = find_on_hub("org/gguf", sources)
        assert isinstance(found, ModelFile)
        assert found.hub is not None
        assert (found.hub.file, found.file) == ("m-Q4_K_M.gguf", "org--gguf--m-Q4_K_M.gguf")
        revised = find_on_hub("org/gguf@v2:m-q2_k.gguf", sources)
        assert isinstance(revised, ModelFile)
        assert revised.hub is not None
        assert (revised.hub.revision, revised.file) == ("v2", "org--gguf--v2--m-q2_k.gguf")
        assert find_on_hub("org/plain", sources) == Checkpoint("hf:org/plain", "org/plain")
        with pytest.raises(UnknownModelError, match=r"one of a\.gguf, b\.gguf"):
            find_on_hub("org/two", sources)
        with pytest.raises(UnknownModelError, match="no repository 'org/none'"):
            find_on_hub("org/none", sources)
        with pytest.raises(DownloadError, match="not an answer of the hub"):
            find_on_hub("org/odd", sources)


def test_settings_come_from_what_people_have_set_already(tmp_path: Path) -> None:
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://u:p%40@mirror.example/simple/\nextra-index-url = file:///x https://more.example/\n"
    )
    home = {"HOME": str(tmp_path), "PIP_CONFIG_FILE": ""}
    sources = sources_from_environment(home)
    assert sources.index_urls == ("https://u:p%40@mirror.example/simple", "https://more.example")
    assert sources.hub_url == "https://huggingface.co"
    given = sources_from_environment(
        {
            **home,
            "PIP_INDEX_URL": "https://pip.example/simple",
            "UV_DEFAULT_INDEX": "corp=https://uv.example/simple",
            "HF_ENDPOINT": "https://hub.example/",
            "HF_TOKEN": "t",
            "OCINT_MODELS_FOLDER": str(tmp_path / "models"),
            "SSL_CERT_FILE": "/ca.pem",
        }
    )
    assert given.index_urls[0] == "https://uv.example/simple"
    assert (given.hub_url, given.hub_token, given.folder) == ("https://hub.example", "t", tmp_path / "models")
    assert given.certificates == Path("/ca.pem")
    assert sources_from_environment({**home, "HF_HUB_OFFLINE": "1"}).hub_url is None
    (tmp_path / ".config" / "pip" / "pip.conf").write_text("broken")
    assert "https://pypi.org/simple" in sources_from_environment(home).index_urls
    endpoint = endpoint_from_environment({"OPENAI_BASE_URL": "http://localhost:8000/v1", "OPENAI_API_KEY": "k"})
    assert (endpoint.base_url, endpoint.api_key) == ("http://localhost:8000/v1", "k")


def test_a_containers_quota_limits_the_threads(tmp_path: Path) -> None:
    quota = tmp_path / "cpu.max"
    free = physical_cores(quota)
    quota.write_text("max 100000\n")
    assert physical_cores(quota) == free
    quota.write_text("50000 100000\n")
    assert physical_cores(quota) == 1


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_a_stop_text_is_found_in_whatever_pieces_it_comes(size: int) -> None:
    text = "one STO two STOP three"
    stops = StopFilter(["STOP", "\n\n"])
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    assert "".join(stops.feed(piece) for piece in pieces) + stops.rest() == "one STO two "
    assert stops.stopped
    kept = StopFilter(["STOP"])
    assert kept.feed("one ST") + kept.rest() == "one ST"
    assert not kept.stopped

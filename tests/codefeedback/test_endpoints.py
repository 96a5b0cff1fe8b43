"""Recipes whose parts are played by models on several servers."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from opencodeinterpreter.codefeedback.building import Build, build
from opencodeinterpreter.codefeedback.recipe import read_recipe
from opencodeinterpreter.codefeedback.stages import Around
from opencodeinterpreter.errors import ConfigError, UnknownModelError
from opencodeinterpreter.models import ModelSettings
from opencodeinterpreter.models.settings import Endpoint

sys.path.append(str(Path(__file__).parents[1] / "models"))
from http_server import Call, LocalServer, serving

READ = {"stage": "read", "files": ["in.jsonl"]}


def saying(text: str) -> Any:
    def answer(call: Call) -> None:
        call.start(200, "text/event-stream")
        for delta, end in (({"role": "assistant", "content": text}, None), ({}, "stop")):
            choice = {"index": 0, "delta": delta, "finish_reason": end}
            call.event({"id": "x", "object": "chat.completion.chunk", "model": "m", "choices": [choice]})
        call.event("[DONE]")

    return answer


def recipe(folder: Path, endpoints: Any, *stages: Any) -> Path:
    (folder / "in.jsonl").write_text(json.dumps({"instruction": "Sort a list.", "output": "Use sorted."}) + "\n")
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"endpoints": endpoints, "stages": [READ, *stages]}))
    return path


def judged(name: str, judge: str) -> dict[str, Any]:
    return {"stage": "filter", "as": name, "from": "read", "settings": {"judge": judge, "keep": [1, 2, 3, 4, 5]}}


def asked(server: LocalServer) -> set[tuple[str, str]]:
    return {(call.body["model"], call.headers["authorization"]) for call in server.calls}


def test_each_part_is_played_on_the_server_that_its_name_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LARGE_KEY", "secret-of-large")
    monkeypatch.setenv("OPENAI_API_KEY", "secret-of-another")
    with serving(saying("5\nhard")) as fast, serving(saying("4\nhard")) as large:
        endpoints = {
            "fast": {"url": f"{fast.url}/v1"},
            "large": {"url": f"{large.url}/v1", "key_env": "LARGE_KEY"},
        }
        path = recipe(tmp_path, endpoints, judged("one", "openai:small@fast"), judged("two", "openai:big@large"))
        built = build(Build(read_recipe(path), tmp_path / "out", Around()))
        assert asked(fast) == {("small", "Bearer none")}
        assert asked(large) == {("big", "Bearer secret-of-large")}
    assert [stage["notes"]["scores"]["first"] for stage in built.manifest["stages"][1:]] == [{"5": 1}, {"4": 1}]
    identities = [stage["models"]["judge"]["identity"] for stage in built.manifest["stages"][1:]]
    assert identities == [f"{fast.url}/v1 openai:small", f"{large.url}/v1 openai:big"]
    assert "secret" not in "".join(file.read_text() for file in (tmp_path / "out").iterdir())


def test_a_key_that_is_not_there_ends_the_build_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("LARGE_KEY", raising=False)
    path = recipe(tmp_path, {"large": {"url": "http://127.0.0.1:1/v1", "key_env": "LARGE_KEY"}})
    with pytest.raises(ConfigError, match="the endpoint large takes its key from LARGE_KEY, which is not set"):
        build(Build(read_recipe(path), tmp_path / "out", Around()))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("endpoints", "reason"),
    [
        ({"fast": {"uri": "http://x"}}, "the endpoint fast has no key 'uri'; did you mean url"),
        ({"fast": "http://x"}, "the endpoint fast must be an object with the key url"),
        ({"fast": {"url": "x:80"}}, "url of the endpoint fast must be an address"),
        ({"fast": {"url": "http://x", "key_env": 3}}, "key_env of the endpoint fast must be the name of a variable"),
        ({"a@b": {"url": "http://x"}}, "the name of an endpoint must be of letters"),
        (["fast"], "endpoints of a recipe must be an object"),
    ],
)
def test_endpoints_that_cannot_be_used_are_explained(endpoints: Any, reason: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=reason):
        read_recipe(recipe(tmp_path, endpoints))


def test_an_at_sign_names_a_server_only_where_servers_have_names() -> None:
    fast = Endpoint("http://fast/v1")
    assert ModelSettings().served("team/model@2") == ("team/model@2", Endpoint())
    named = ModelSettings(endpoints={"fast": fast})
    assert named.served("model@1@fast") == ("model@1", fast)
    assert named.served("model") == ("model", Endpoint())
    with pytest.raises(UnknownModelError, match="names a model of the endpoint 'slow': there is only fast"):
        named.served("model@slow")

"""Recipes: read, checked, and carried out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from opencodeinterpreter.codefeedback.building import Build, build
from opencodeinterpreter.codefeedback.pipeline.journal import OtherRunError
from opencodeinterpreter.codefeedback.recipe import read_recipe
from opencodeinterpreter.codefeedback.stages import STAGES, Around, find_kind
from opencodeinterpreter.errors import ConfigError, InputError

EXAMPLE = Path(__file__).parents[2] / "examples" / "code-feedback" / "recipe.yaml"
READ = {"stage": "read", "files": ["in.jsonl"]}


def written(folder: Path, *stages: Any, **more: Any) -> Path:
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"stages": list(stages), **more}))
    return path


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("stages: [", "is not YAML"),
        ("[]", "must have the keys name and stages"),
        ("stagse: []", "no key 'stagse'; did you mean stages"),
        ("stages: []", "at least one stage"),
        ("stages: [read]", "stage 1: it must be an object"),
        ("stages: [{stage: raed}]", "there is no stage 'raed'; did you mean read"),
        ("stages: [{stage: read, form: [x]}]", "no key 'form'; did you mean from"),
        ("stages: [{stage: read, files: [x], settings: {licens: MIT}}]", "no setting 'licens'; did you mean licence"),
        ("stages: [{stage: read}]", "the first stage must say its files"),
        ("stages: [{stage: read, files: [x]}, {stage: pack, from: raed}]", "no earlier stage is called 'raed'"),
        ("stages: [{stage: read, files: [x]}, {stage: read, files: [y]}]", "as must be a name of its own"),
        ("stages: [{stage: read, files: [x], from: y}]", "either from files or from earlier stages"),
        ("{seed: x, stages: [{stage: read, files: [x]}]}", "seed must be a whole number"),
        ("{models: {wek: x}, stages: [{stage: read, files: [x]}]}", "has the part 'wek'"),
        ("{max_bad: lots, stages: [{stage: read, files: [x]}]}", "--max-bad must be a number"),
        ("{export: {forms: [alpaca]}, stages: [{stage: read, files: [x]}]}", "there is no form 'alpaca'"),
        ("{export: {from: x}, stages: [{stage: read, files: [x]}]}", "no stage is called 'x'"),
    ],
)
def test_a_recipe_that_cannot_be_used_is_explained(given: str, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text(given)
    with pytest.raises(ConfigError, match="recipe") as caught:
        read_recipe(path)
    assert reason in str(caught.value)


def test_a_setting_of_a_wrong_kind_is_explained_before_anything_is_done(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text('{"instruction": "x", "output": "y"}\n')
    recipe = read_recipe(written(tmp_path, READ, {"stage": "take", "settings": {"count": "many"}}))
    with pytest.raises(ConfigError, match="count of the stage take must be a whole number, not 'many'"):
        build(Build(recipe, tmp_path / "out", Around()))


def test_every_stage_has_settings_that_can_be_named() -> None:
    for name in STAGES:
        kind = find_kind(name)
        assert kind.name == name
        assert len(set(kind.settings)) == len(kind.settings), name


def test_a_build_goes_on_where_it_was_stopped_and_gives_the_same_bytes(tmp_path: Path) -> None:
    rows = [{"instruction": f"Add {n} in Python", "output": f"```python\nprint({n})\n```"} for n in range(12)]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    path = written(tmp_path, READ, {"stage": "take", "settings": {"count": 5, "seed": 1}}, name="small", seed=3)
    told: list[tuple[str, bool]] = []

    def run(out: str, **options: Any) -> dict[str, bytes]:
        told.clear()
        given = Build(read_recipe(path), tmp_path / out, Around(), **options)
        build(given, told=lambda name, ended: told.append((name, ended.already)))
        return {
            each.name: each.read_bytes() for each in sorted((tmp_path / out).iterdir()) if "manifest" not in each.name
        }

    first = run("first")
    assert list(first) == ["01-read.dropped.jsonl", "01-read.jsonl", "02-take.dropped.jsonl", "02-take.jsonl"]
    assert told == [("read", False), ("take", False)]
    manifest = json.loads((tmp_path / "first" / "manifest.json").read_text())
    assert [(each["name"], each["rows_out"]) for each in manifest["stages"]] == [("read", 12), ("take", 5)]
    (tmp_path / "first" / "02-take.manifest.json").unlink()
    (tmp_path / "first" / "02-take.jsonl").unlink()
    assert run("first") == first
    assert told == [("read", True), ("take", False)]
    assert run("second") == first

    written(tmp_path, READ, {"stage": "take", "settings": {"count": 4, "seed": 1}}, name="small", seed=3)
    with pytest.raises(OtherRunError, match=r"settings.count \(4, not 5\)"):
        run("first")
    changed = run("first", restart=True)
    assert told == [("read", True), ("take", False)]
    assert changed["02-take.jsonl"].count(b"\n") == 4


def test_the_example_builds_what_needs_no_model(tmp_path: Path) -> None:
    given = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))
    wanted = ("read", "queries", "dedup", "pack")
    given["stages"] = [each for each in given["stages"] if each["stage"] in wanted]
    for each in given["stages"]:
        each["files"] = [str(EXAMPLE.parent / file) for file in each.get("files", [])]
    path = tmp_path / "recipe.yaml"
    path.write_text(yaml.safe_dump(given))
    built = build(Build(read_recipe(path), tmp_path / "out", Around()))
    assert built.dialogs > 10
    names = [file.name for file in built.files]
    assert names == [
        f"{given['name']}.messages.jsonl",
        f"{given['name']}.code-feedback.jsonl",
        "README.md",
        "manifest.json",
    ]
    assert {"MIT", "Apache-2.0"} >= set(built.manifest["stages"][0]["notes"].get("licences", {}))


@pytest.mark.parametrize("ending", [".manifest.json", ".jsonl.journal", ".jsonl.work/run.journal"])
@pytest.mark.parametrize("damage", ["{\n", "[]\n", '{"format": 0, "started": "", "deciding": {}}\n{"i":0}\n'])
def test_what_is_damaged_is_made_anew_where_that_is_asked_for(ending: str, damage: str, tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text(json.dumps({"instruction": "Add 1", "output": "1 + 1"}) + "\n")
    path = written(tmp_path, READ, {"stage": "take", "settings": {"count": 5}})
    name = "02-take" if "work" in ending else "01-read"

    def run(**options: Any) -> Any:
        return build(Build(read_recipe(path), tmp_path / "out", Around(), **options))

    first = run().manifest["files"]
    damaged = tmp_path / "out" / (name + ending)
    if "journal" in ending:
        (tmp_path / "out" / f"{name}.manifest.json").unlink()
        damaged.parent.mkdir(exist_ok=True)
    damaged.write_text(damage)
    with pytest.raises(OtherRunError, match=r"--restart (makes it|begins) anew"):
        run()
    assert run(restart=True).manifest["files"] == first
    assert not run().manifest["stages"][1]["bad_records"]


def test_a_data_set_of_two_forms_is_loaded_one_form_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    monkeypatch.setattr(datasets.config, "HF_DATASETS_OFFLINE", True)
    datasets.disable_progress_bars()
    dialogs = [
        {"id": f"d{n}", "messages": [{"role": "user", "content": f"{n}?"}, {"role": "assistant", "content": f"{n}."}]}
        for n in range(5)
    ]
    (tmp_path / "in.jsonl").write_text("".join(json.dumps(row) + "\n" for row in dialogs))
    take = {"stage": "take", "files": ["in.jsonl"], "settings": {"count": 9}}
    forms = ["code-feedback", "messages"]
    built = build(Build(read_recipe(written(tmp_path, take, export={"forms": forms})), tmp_path / "out", Around()))
    assert built.dialogs == 5

    def loaded(*form: str) -> Any:
        return datasets.load_dataset(str(tmp_path / "out"), *form, split="train", cache_dir=str(tmp_path / "cache"))

    assert loaded().num_rows == 5
    for form in forms:
        assert loaded(form)["id"] == [row["id"] for row in dialogs]
    assert "kind" in loaded()[0]["messages"][0]
    assert "kind" not in loaded("code-feedback")[0]["messages"][0]


def test_the_example_is_a_recipe_of_all_five_methods() -> None:
    stages = [step.stage for step in read_recipe(EXAMPLE).steps]
    assert {"pack", "simulate", "correct", "similar", "followup", "verify", "filter", "dedup", "decontaminate"} <= set(
        stages
    )


def test_the_larger_example_makes_dialogs_by_all_five_methods() -> None:
    stages = {step.stage for step in read_recipe(EXAMPLE.with_name("full.yaml")).steps}
    assert {"pack", "simulate", "correct", "similar", "followup", "verify", "check", "decontaminate"} <= stages


def test_a_recipe_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        read_recipe(tmp_path / "none.yaml")
    recipe = read_recipe(written(tmp_path, READ))
    with pytest.raises(InputError, match="is not there"):
        build(Build(recipe, tmp_path / "out", Around()))

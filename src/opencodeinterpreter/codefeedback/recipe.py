"""Recipes: one YAML file that says which stages make a data set, of what, and with which settings.

name: small
model: qwen2.5-coder-0.5b          # plays every part that a stage names no model for
seed: 0
endpoints:                         # servers; a part played by openai:NAME@fast is asked for there
  fast: {url: "http://127.0.0.1:8000/v1", key_env: FAST_KEY}
stages:
  - stage: read
    files: [seeds/exercises.jsonl] # beside the recipe
    as: exercises                  # its name; else it is called as the stage
  - stage: simulate
    from: exercises                # one name or several; else the stage before
    settings: {human_turns: 1}
export: {forms: [messages, code-feedback]}
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from opencodeinterpreter.codefeedback.pipeline.bad_records import MaxBad
from opencodeinterpreter.codefeedback.settings import must_be_known
from opencodeinterpreter.codefeedback.stages import STAGES, find_kind
from opencodeinterpreter.errors import ConfigError

_TOP: Final = ("name", "model", "models", "seed", "max_bad", "endpoints", "stages", "export")
_STEP: Final = ("stage", "as", "from", "files", "settings")
_EXPORT: Final = ("from", "forms")
_ENDPOINT: Final = ("url", "key_env")


@dataclass(frozen=True)
class Step:
    """One stage of a recipe."""

    stage: str
    name: str
    """by which later stages take its rows"""
    sources: tuple[str, ...] = ()
    """the names of earlier steps"""
    files: tuple[Path, ...] = ()
    """of a stage that reads files"""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Server:
    """A server of models that a recipe has a name for."""

    url: str
    key_env: str = ""
    """the variable of the environment that holds its key, which has no place in a recipe; empty if it needs none"""


@dataclass(frozen=True)
class Recipe:
    """A whole recipe, checked."""

    name: str
    folder: Path
    """names of files are below it"""
    steps: tuple[Step, ...]
    model: str | None = None
    seed: int = 0
    max_bad: MaxBad = field(default_factory=MaxBad)
    forms: tuple[str, ...] = ("messages",)
    exported: str = ""
    """the step whose dialogs are the data set"""
    endpoints: Mapping[str, Server] = field(default_factory=dict)
    """by the names that ``openai:MODEL@NAME`` has for them"""


def read_recipe(path: Path) -> Recipe:
    """Read a recipe, and check everything in it that can be checked before the work begins.

    Raises:
        ConfigError: naming what cannot be used, with the nearest name for one that is not known.
    """
    import yaml

    try:
        given = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not YAML: {error}") from error
    try:
        return _recipe(given, path)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error


def _recipe(given: Any, path: Path) -> Recipe:
    if not isinstance(given, dict):
        raise ConfigError("a recipe must have the keys name and stages")
    must_be_known(given, _TOP, "a recipe has no key")
    stages = given.get("stages")
    if not isinstance(stages, list) or not stages:
        raise ConfigError("stages must be a list with at least one stage")
    seed = given.get("seed", 0)
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise ConfigError(f"seed must be a whole number, not {seed!r}")
    models = _mapping(given, "models", "a recipe")
    model = given.get("model")
    if not all(each is None or isinstance(each, str) for each in (model, *models.values())):
        raise ConfigError("model, and each of models, must be the name of a model")
    steps: list[Step] = []
    for number, each in enumerate(stages, start=1):
        try:
            steps.append(_step(each, steps, seed, models))
        except ConfigError as error:
            raise ConfigError(f"stage {number}: {error}") from error
    known = {part for step in steps for part in find_kind(step.stage).parts}
    must_be_known(models, sorted(known), "no stage of this recipe has the part")
    forms, exported = _export(given, steps)
    limit = given.get("max_bad")
    return Recipe(
        name=str(given.get("name") or path.stem),
        folder=path.resolve().parent,
        steps=tuple(steps),
        model=model,
        seed=seed,
        max_bad=MaxBad() if limit is None else MaxBad.parse(str(limit)),
        forms=forms,
        exported=exported,
        endpoints={
            str(name): _server(each, str(name)) for name, each in _mapping(given, "endpoints", "a recipe").items()
        },
    )


def _server(given: Any, name: str) -> Server:
    what = f"the endpoint {name}"
    if not re.fullmatch(r"[\w.-]+", name):
        raise ConfigError(f"the name of an endpoint must be of letters, digits, - and _, not {name!r}")
    if not isinstance(given, dict):
        raise ConfigError(f"{what} must be an object with the key url")
    must_be_known(given, _ENDPOINT, f"{what} has no key")
    url, key = given.get("url"), given.get("key_env") or ""
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        raise ConfigError(f"url of {what} must be an address that begins with http:// or https://, not {url!r}")
    if not isinstance(key, str):
        raise ConfigError(f"key_env of {what} must be the name of a variable, not {key!r}")
    return Server(url, key)


def _step(each: Any, before: list[Step], seed: int, models: Mapping[str, Any]) -> Step:
    if not isinstance(each, dict) or not isinstance(each.get("stage"), str):
        raise ConfigError("it must be an object with the key stage")
    must_be_known(each, _STEP, "a stage of a recipe has no key")
    stage = str(each["stage"])
    must_be_known([stage], STAGES, "there is no stage")
    kind = find_kind(stage)
    name = str(each.get("as") or stage)
    if not re.fullmatch(r"[\w.-]+", name) or name in {step.name for step in before}:
        raise ConfigError(f"as must be a name of its own, of letters, digits, - and _, not {name!r}")
    settings = _mapping(each, "settings", f"the stage {stage}")
    must_be_known(settings, kind.settings, f"the stage {stage} has no setting")
    for part in kind.parts:
        if part in models:
            settings.setdefault(part, models[part])
    if "seed" in kind.settings and stage != "take":
        settings.setdefault("seed", seed)
    files, sources = _names(each, "files"), _names(each, "from")
    if files and sources:
        raise ConfigError("it takes its rows either from files or from earlier stages")
    if not files and not sources:
        if not before:
            raise ConfigError("the first stage must say its files")
        sources = (before[-1].name,)
    must_be_known(sources, [step.name for step in before], "no earlier stage is called")
    return Step(stage, name, sources, tuple(Path(file) for file in files), settings)


def _export(given: Mapping[str, Any], steps: list[Step]) -> tuple[tuple[str, ...], str]:
    from opencodeinterpreter.codefeedback.files.exporting import FORMS

    export = _mapping(given, "export", "a recipe")
    must_be_known(export, _EXPORT, "export has no key")
    forms = _names(export, "forms") or ("messages",)
    must_be_known(forms, FORMS, "there is no form")
    exported = _names(export, "from") or (steps[-1].name,)
    must_be_known(exported, [step.name for step in steps], "no stage is called")
    if len(exported) != 1:
        raise ConfigError("one stage can be exported; verify takes the rows of several together")
    return forms, exported[0]


def _mapping(given: Mapping[str, Any], name: str, what: str) -> dict[str, Any]:
    value = given.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ConfigError(f"{name} of {what} must be an object, not {value!r}")
    return dict(value)


def _names(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = given.get(name)
    values = value if isinstance(value, list) else [] if value is None else [value]
    if not all(isinstance(each, str) and each for each in values):
        raise ConfigError(f"{name} must be a name, or a list of names, not {value!r}")
    return tuple(values)

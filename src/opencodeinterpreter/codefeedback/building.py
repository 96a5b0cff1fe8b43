"""Builds a data set by a recipe: its stages one after the other, each left alone where it is done already."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from opencodeinterpreter import __version__
from opencodeinterpreter.codefeedback.files.jsonl import read_records
from opencodeinterpreter.codefeedback.files.row_files import measure
from opencodeinterpreter.codefeedback.pipeline.crew import Crew, Threads
from opencodeinterpreter.codefeedback.pipeline.journal import OtherRunError, now
from opencodeinterpreter.codefeedback.pipeline.running import Ended, Job, Progress, Silent, run_stage
from opencodeinterpreter.codefeedback.recipe import Recipe, Step
from opencodeinterpreter.codefeedback.sources import read_files
from opencodeinterpreter.codefeedback.stages import Around, make_stage
from opencodeinterpreter.dialog import Dialog
from opencodeinterpreter.errors import ConfigError, InputError
from opencodeinterpreter.models import settings_from_environment

Shown = Callable[[str], AbstractContextManager[Progress]]
"""Gives what is told of the progress of a step."""


@dataclass(frozen=True)
class Build:
    """How a recipe is carried out."""

    recipe: Recipe
    out: Path
    """a folder: each step's rows, and at the end the data set with its card and manifest"""
    around: Around
    restart: bool = False
    """make again what was made by other settings or from other input"""
    command: str = ""
    crew: Crew | None = None


@dataclass(frozen=True)
class Built:
    """A data set that is there."""

    dialogs: int
    files: tuple[Path, ...]
    manifest: Mapping[str, Any]


def build(given: Build, shown: Shown | None = None, told: Callable[[str, Ended], None] | None = None) -> Built:
    """Carry out a recipe, or go on with it at the stage at which it was stopped.

    Args:
        given: the recipe, and where its files go.
        shown: gives the progress display of a step.
        told: is told of each step that is done.

    Raises:
        ConfigError: if the key of an endpoint is not there.
        OcintError: what a stage raises; all that was done is kept, and the same call goes on.
    """
    given = replace(given, around=_with_endpoints(given.around, given.recipe))
    given.out.mkdir(parents=True, exist_ok=True)
    made: dict[str, Path] = {}
    steps: list[dict[str, Any]] = []
    for number, step in enumerate(given.recipe.steps, start=1):
        out = given.out / f"{number:02}-{step.name}.jsonl"
        inputs = [given.recipe.folder / file for file in step.files] or [made[name] for name in step.sources]
        with shown(step.name) if shown else nullcontext(Silent()) as progress:
            ended = _ended(given, step, inputs, out, progress)
        made[step.name] = out
        steps.append({"name": step.name, **ended.manifest})
        if told:
            told(step.name, ended)
    return _data_set(given, made[given.recipe.exported], steps)


def _with_endpoints(around: Around, recipe: Recipe) -> Around:
    """Add the servers that the recipe names to where models come from.

    Raises:
        ConfigError: if the variable that should hold the key of one is not set.
    """
    if not recipe.endpoints:
        return around
    models = around.models or settings_from_environment(os.environ)
    endpoints = {}
    for name, server in recipe.endpoints.items():
        key = os.environ.get(server.key_env) if server.key_env else None
        if server.key_env and not key:
            raise ConfigError(f"the endpoint {name} takes its key from {server.key_env}, which is not set")
        endpoints[name] = replace(models.endpoint, base_url=server.url, api_key=key)
    return replace(around, models=replace(models, endpoints=endpoints))


def _ended(given: Build, step: Step, inputs: list[Path], out: Path, progress: Progress) -> Ended:
    around = replace(given.around, folder=given.recipe.folder, out=out, model=given.around.model or given.recipe.model)
    job = Job(
        stage=make_stage(step.stage, step.settings, inputs, around),
        inputs=inputs,
        out=out,
        workers=around.concurrency,
        max_bad=given.recipe.max_bad,
        command=given.command,
        records=read_files if step.stage == "read" else read_records,
        crew=given.crew or Threads(),
    )
    try:
        return run_stage(job, progress)
    except OtherRunError:
        if not given.restart:
            raise
        return run_stage(replace(job, restart=True), progress)


def _data_set(given: Build, rows: Path, steps: list[dict[str, Any]]) -> Built:
    """Write the dialogs in their forms, the card, and one manifest for everything."""
    from opencodeinterpreter.codefeedback.files.exporting import export_dialogs

    count, forms, name = measure(rows).rows or 0, given.recipe.forms, given.recipe.name
    files: list[Path] = []
    if _holds_dialogs(rows):
        exported = {
            form: given.out / (f"{name}.jsonl" if len(forms) == 1 else f"{name}.{form}.jsonl") for form in forms
        }
        for form, file in exported.items():
            export_dialogs((Dialog.from_json(record.row) for record in read_records(rows)), form, file)
        files = [*exported.values(), _card(given, rows, steps, {form: [file.name] for form, file in exported.items()})]
    manifest = {
        "format": 1,
        "recipe": given.recipe.name,
        "package_version": __version__,
        "command": given.command,
        "seed": given.recipe.seed,
        "ended": now(),
        "dialogs": count,
        "files": [{"name": file.name, "sha256": measure(file).sha256} for file in files],
        "stages": steps,
    }
    path = given.out / "manifest.json"
    partial = path.with_name(path.name + ".partial")
    partial.write_text(json.dumps(manifest, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    partial.replace(path)
    return Built(count, (*files, path), manifest)


def _holds_dialogs(rows: Path) -> bool:
    for record in read_records(rows):
        try:
            Dialog.from_json(record.row)
        except InputError:
            return False
        return True
    return False


def _card(given: Build, rows: Path, steps: list[dict[str, Any]], files: Mapping[str, Sequence[str]]) -> Path:
    from opencodeinterpreter.codefeedback.presentation.card import Samples, dataset_card
    from opencodeinterpreter.codefeedback.presentation.plots import composition_svg
    from opencodeinterpreter.codefeedback.presentation.statistics import count_dialogs

    samples = Samples()
    statistics = count_dialogs(samples.of(Dialog.from_json(record.row) for record in read_records(rows)))
    picture = given.out / "composition.svg"
    picture.write_text(composition_svg(statistics), encoding="utf-8")
    card = given.out / "README.md"
    text = dataset_card(statistics, samples.kept, steps, name=given.recipe.name, files=files, plot=picture.name)
    card.write_text(text, encoding="utf-8")
    return card

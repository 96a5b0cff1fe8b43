"""Runs the stages of the data set builder as the command line asks."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import platformdirs

from opencodeinterpreter.cli.consoles import err_console, out_console
from opencodeinterpreter.cli.data_progress import shown_stage
from opencodeinterpreter.cli.text import count, one_line, short_path
from opencodeinterpreter.codefeedback.files.jsonl import Record, read_records
from opencodeinterpreter.codefeedback.pipeline.bad_records import MaxBad
from opencodeinterpreter.codefeedback.pipeline.crew import Crew, Threads
from opencodeinterpreter.codefeedback.pipeline.running import Ended, Job, run_stage
from opencodeinterpreter.codefeedback.stages import Around, Stage, make_stage
from opencodeinterpreter.config import load_config, model_settings
from opencodeinterpreter.errors import ConfigError

_REASONS_SHOWN = 12


@dataclass(frozen=True)
class Wanted:
    """What was typed about the work, whatever the stage is; None stands for what was not."""

    out: Path
    max_bad: str | None = None
    restart: bool = False
    ray: bool = False
    concurrency: int = 1
    set_: Sequence[str] | None = None
    as_json: bool = False
    model: str | None = None
    responses: Path | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    """settings of the stage that have options of their own; None stands for what was not given"""


def run(name: str, inputs: Sequence[Path], wanted: Wanted) -> None:
    """Run a stage by its name."""
    settings = {key: value for key, value in wanted.chosen.items() if value is not None}
    settings |= typed_settings(wanted.set_ or ())
    around = replace(surroundings(wanted.model, wanted.responses, wanted.concurrency), out=wanted.out)
    run_made(make_stage(name, settings, inputs, around), inputs, wanted)


def run_made(
    stage: Stage,
    inputs: Sequence[Path],
    wanted: Wanted,
    records: Callable[[Path], Iterator[Record]] = read_records,
) -> None:
    """Run a stage that is made already."""
    job = Job(
        stage=stage,
        inputs=inputs,
        out=wanted.out,
        workers=wanted.concurrency,
        max_bad=MaxBad() if wanted.max_bad is None else MaxBad.parse(wanted.max_bad),
        restart=wanted.restart,
        command=command(),
        records=records,
        crew=crew(wanted.ray),
    )
    err = err_console()
    try:
        with shown_stage(err, stage.name) as progress:
            ended = run_stage(job, progress)
    except (SystemExit, KeyboardInterrupt):
        err.print(
            f"Stopped: what is done is kept beside {short_path(wanted.out)}; the same command goes on", soft_wrap=True
        )
        raise
    if wanted.as_json:
        print(json.dumps(ended.manifest, ensure_ascii=False))  # noqa: T201
    else:
        show_ended(ended, wanted.out)


def show_ended(ended: Ended, out: Path, name: str = "") -> None:
    """Say what a stage has made, and what it has dropped."""
    console, manifest = out_console(), ended.manifest
    begin = f"{name}: " if name else ""
    if ended.already:
        console.print(f"{begin}{short_path(out)} is there already, with {manifest['rows_out']:,} rows", soft_wrap=True)
        return
    dropped = manifest["rows_dropped"]
    told = f"{manifest['rows_in']:,} in, {count(manifest['rows_out'], 'row')} → {short_path(out)}"
    console.print(f"{begin}{told}" + (f", {dropped:,} dropped" if dropped else ""), soft_wrap=True)
    for reason, number in list(manifest["drops"].items())[:_REASONS_SHOWN]:
        console.print(f"  {number:,} {one_line(reason, 100)}", soft_wrap=True)


def surroundings(model: str | None, responses: Path | None, concurrency: int) -> Around:
    """Return what the stages work with on this machine."""
    config = load_config({})
    kept = platformdirs.user_cache_path("opencodeinterpreter") / "codefeedback"
    return Around(
        model=model or config.model,
        models=model_settings(config),
        responses=responses or kept / "responses.sqlite",
        embeddings=kept / "embeddings",
        concurrency=concurrency,
        context_tokens=config.context,
    )


def typed_settings(given: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value``, the value as YAML has it: ``taken=[1, 2]``.

    Raises:
        ConfigError: if one is not of this form.
    """
    import yaml

    settings = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not equals or not name.strip():
            raise ConfigError(f"--set needs NAME=VALUE, not {each!r}")
        try:
            settings[name.strip()] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ConfigError(f"the value of {name} cannot be read: {one_line(str(error))}") from error
    return settings


def crew(ray: bool) -> Crew:
    """Return who does the rows."""
    if not ray:
        return Threads()
    from opencodeinterpreter.codefeedback.pipeline.ray_stage import RayCrew

    return RayCrew()


def command() -> str:
    return shlex.join(["ocint", *sys.argv[1:]])

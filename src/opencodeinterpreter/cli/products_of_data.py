"""What the data set builder's dialogs become: a whole build, other forms, a card, counts."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from opencodeinterpreter.cli.building_data import command, crew, show_ended, surroundings
from opencodeinterpreter.cli.consoles import err_console, out_console
from opencodeinterpreter.cli.data_progress import shown_stage
from opencodeinterpreter.cli.text import count, short_path
from opencodeinterpreter.codefeedback.building import Build, build
from opencodeinterpreter.codefeedback.files.exporting import export_dialogs, read_dialog_file
from opencodeinterpreter.codefeedback.pipeline.manifest import read_manifest
from opencodeinterpreter.codefeedback.pipeline.running import Ended
from opencodeinterpreter.codefeedback.presentation.card import Samples, dataset_card
from opencodeinterpreter.codefeedback.presentation.statistics import count_dialogs
from opencodeinterpreter.codefeedback.recipe import read_recipe
from opencodeinterpreter.dialog import Dialog


def build_recipe(
    path: Path,
    out: Path | None,
    model: str | None,
    responses: Path | None,
    concurrency: int,
    *,
    restart: bool,
    ray: bool,
    as_json: bool,
) -> None:
    """Carry out a recipe, or go on with it."""
    recipe, err = read_recipe(path), err_console()
    folder = out or Path("build") / recipe.name
    around = surroundings(model or recipe.model, responses, concurrency)
    given = Build(recipe, folder, around, restart, command(), crew(ray))
    try:
        built = build(
            given,
            lambda name: shown_stage(err, name),
            lambda name, ended: None if as_json else show_ended(ended, Path(_name_of(ended)), name),
        )
    except (SystemExit, KeyboardInterrupt):
        err.print(f"Stopped: what is done is kept in {short_path(folder)}; the same command goes on", soft_wrap=True)
        raise
    if as_json:
        print(json.dumps(built.manifest, ensure_ascii=False))  # noqa: T201
        return
    out_console().print(f"{count(built.dialogs, 'dialog')} in {short_path(folder)}", soft_wrap=True)
    for file in built.files:
        out_console().print(f"  {file.name}", soft_wrap=True)


def _name_of(ended: Ended) -> str:
    return str(ended.manifest["outputs"][0]["name"])


def export(files: Sequence[Path], out: Path, form: str) -> None:
    """Write dialogs in a form."""
    number = export_dialogs(_dialogs(files), form, out)
    out_console().print(f"{count(number, 'dialog')} → {short_path(out)}", soft_wrap=True)


def card(files: Sequence[Path], out: Path, name: str) -> None:
    """Write the card of a data set."""
    samples = Samples()
    statistics = count_dialogs(samples.of(_dialogs(files)))
    manifests = [manifest for file in files if (manifest := read_manifest(file)) is not None]
    data = {"default": [file.name for file in files]}
    text = dataset_card(statistics, samples.kept, manifests, name=name, files=data)
    out.write_text(text, encoding="utf-8")
    out_console().print(f"{count(statistics.whole.dialogs, 'dialog')} → {short_path(out)}", soft_wrap=True)


def stats(files: Sequence[Path], *, as_json: bool) -> None:
    """Count dialogs."""
    statistics = count_dialogs(_dialogs(files))
    if as_json:
        print(json.dumps(statistics.to_json(), ensure_ascii=False))  # noqa: T201
        return
    from opencodeinterpreter.cli.tables import print_table

    rows = [
        [
            name,
            f"{part.dialogs:,}",
            f"{part.turns:,}",
            f"{part.tokens:,}",
            f"{part.with_execution:,}",
            f"{part.with_human:,}",
        ]
        for name, part in [*statistics.in_order(), ("all", statistics.whole)]
    ]
    head = ["method", "dialogs", "turns", "tokens", "with execution feedback", "with human feedback"]
    print_table(head, rows, out_console())
    for title, counts in (
        ("language", statistics.languages),
        ("licence", statistics.licences),
        ("source", statistics.sources),
    ):
        print_table([title, "dialogs"], [[name, f"{number:,}"] for name, number in counts.most_common()], out_console())


def _dialogs(files: Sequence[Path]) -> Iterator[Dialog]:
    for file in files:
        yield from read_dialog_file(file)

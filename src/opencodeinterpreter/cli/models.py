"""``ocint models``: what models there are, fetching them, checking them, naming one's own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, fetch and check models, and name your own.", no_args_is_help=True)

Name = Annotated[str, typer.Argument(metavar="NAME", help="As `ocint models list` shows it.")]


@app.command("list")
def list_(json_lines: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False) -> None:
    """Show the models of the catalog, which of them are on this machine, and your own."""
    from opencodeinterpreter.cli.consoles import out_console
    from opencodeinterpreter.cli.tables import print_table
    from opencodeinterpreter.cli.text import short_path, size
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.models import ModelFile, list_models
    from opencodeinterpreter.models.own_models import own_path

    config = load_config()
    states = list_models(model_settings(config).sources)
    if json_lines:
        for state in states:
            row = {
                "name": state.entry.name,
                "kind": "file" if isinstance(state.entry, ModelFile) else "checkpoint",
                "path": str(state.path) if state.path else None,
                "verified": state.verified,
                "bytes": state.entry.size if isinstance(state.entry, ModelFile) else None,
                "note": state.entry.note,
            }
            typer.echo(json.dumps(row))
        return
    rows = []
    for state in states:
        entry = state.entry
        if own := own_path(entry):
            here, note = ("here" if own.exists() else "gone"), f"{entry.note}: {short_path(own)}"
        elif isinstance(entry, ModelFile):
            here = "verified" if state.verified else ("here, not checked" if state.path else "not fetched")
            note = entry.note
        else:
            here, note = "on the hub", f"{entry.note} (extra: transformers)"
        marked = entry.name + (" *" if entry.name == config.model else "")
        amount = entry.size if isinstance(entry, ModelFile) else None
        rows.append([marked, size(amount) if amount else "", here, note])
    out = out_console()
    print_table(["model", "size", "here", "about"], rows, out)
    if any(row[0].endswith(" *") for row in rows):
        out.print(
            "* is used unless another is named with -m, such as FILE.gguf, hf:org/repo or openai:name.", soft_wrap=True
        )


@app.command("pull")
def pull_(name: Name) -> None:
    """Fetch a model and check it; what was fetched before is taken up again."""
    from opencodeinterpreter.cli.consoles import err_console, out_console
    from opencodeinterpreter.cli.progress import shown_progress
    from opencodeinterpreter.cli.text import link
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.models import pull

    config = load_config()
    with shown_progress(err_console(), name) as progress:
        path = pull(name, model_settings(config).sources, progress)
    out = out_console()
    out.print(link(path, out), soft_wrap=True)


@app.command("verify")
def verify_(name: Name) -> None:
    """Read a model's file again and compare it with its SHA-256."""
    from opencodeinterpreter.cli.consoles import err_console
    from opencodeinterpreter.cli.progress import shown_progress
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.models import verify
    from opencodeinterpreter.models.own_models import own_models

    sources = model_settings(load_config()).sources
    with shown_progress(err_console(), name) as progress:
        found = verify(name, sources, progress)
    # Of a user's own model nobody has said which hash it should have.
    whole = "" if name.strip().lower() in own_models(sources) else " is whole"
    typer.echo(f"{name}{whole}: SHA-256 {found}")


@app.command("add")
def add_(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is to be called.")],
    path: Annotated[Path, typer.Argument(metavar="PATH", help="A GGUF file, or the folder of a checkpoint.")],
) -> None:
    """Name a model of your own, so that it goes by that name wherever one is asked for."""
    from opencodeinterpreter.cli.consoles import err_console
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.models.own_models import add_model

    entry = add_model(name, path, model_settings(load_config()).sources)
    err_console().print(f"Next: ocint chat -m {entry.name}", soft_wrap=True)


@app.command("remove")
def remove_(name: Annotated[str, typer.Argument(metavar="NAME", help="A name that you have given.")]) -> None:
    """Forget the name of a model of your own; its file stays where it is."""
    from opencodeinterpreter.cli.consoles import err_console
    from opencodeinterpreter.cli.text import short_path
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.models.own_models import remove_model

    path = remove_model(name, model_settings(load_config()).sources)
    err_console().print(f"{name} is no name any more; {short_path(path)} is still there.", soft_wrap=True)

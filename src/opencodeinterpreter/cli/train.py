"""``ocint train``: fine-tune a model on dialogs, and see beforehand what it would learn."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Tune a model on Code-Feedback and other dialogs.", no_args_is_help=True)

_RECIPE = Annotated[Path, typer.Argument(metavar="RECIPE", help="A YAML file; docs/training.md lists its keys.")]
_MODEL = Annotated[str | None, typer.Option("--model", "-m", metavar="NAME", help="In place of the recipe's model.")]
_OUTPUT = Annotated[
    str | None, typer.Option("--output", "-o", metavar="FOLDER", help="In place of the recipe's output.")
]


def add_to(root: typer.Typer) -> None:
    """Add the commands to the program."""
    root.add_typer(app, name="train")


@app.command("run", no_args_is_help=True)
def run_(
    recipe: _RECIPE,
    model: _MODEL = None,
    output: _OUTPUT = None,
    max_steps: Annotated[int | None, typer.Option("--max-steps", metavar="N", min=1, help="End earlier.")] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything and estimate memory and time; train nothing.")
    ] = False,
    restart: Annotated[bool, typer.Option("--restart", help="Throw away what the output holds; begin anew.")] = False,
    json_: Annotated[bool, typer.Option("--json", help="Write the result as JSON.")] = False,
) -> None:
    """Train by a recipe; the same command goes on with a run that was stopped."""
    from opencodeinterpreter.cli.training import run_training

    changes = {"model": model, "output": output, "max_steps": max_steps}
    run_training(recipe, changes, dry_run=dry_run, restart=restart, as_json=json_)


@app.command("preview", no_args_is_help=True)
def preview_(
    recipe: _RECIPE,
    model: _MODEL = None,
    number: Annotated[
        int, typer.Option("--number", "-n", metavar="N", min=1, help="Which dialog, from 1, in the order of the data.")
    ] = 1,
    count: Annotated[int, typer.Option("--count", metavar="N", min=1, help="How many.")] = 1,
) -> None:
    """Show dialogs as the model will see them, with what it learns in colour."""
    from opencodeinterpreter.cli.training import preview

    preview(recipe, {"model": model}, number, count)

"""``ocint export``: a tuned model in the form in which it is used."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from opencodeinterpreter.errors import InputError


def add_to(root: typer.Typer) -> None:
    """Add the command to the program."""
    root.command("export", no_args_is_help=True)(export_)


def export_(
    tuned: Annotated[str, typer.Argument(metavar="FOLDER", help="The output of a run, or a model or adapter.")],
    form: Annotated[
        str, typer.Option("--form", metavar="NAME", help="gguf, folder (merged, for transformers), or adapter.")
    ] = "gguf",
    kind: Annotated[
        str, typer.Option("--type", metavar="NAME", help="Of a GGUF file: q8_0, f16, bf16, q6_k, q5_k_m, q4_k_m, f32.")
    ] = "q8_0",
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="PATH", help="Where to; else beside it.")] = None,
    base: Annotated[
        str | None, typer.Option("--base", metavar="NAME", help="The model an adapter belongs to, if it does not say.")
    ] = None,
    name: Annotated[
        str | None, typer.Option("--name", metavar="NAME", help="Also give it this name, as ocint models add does.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check/--no-check", help="Compare a GGUF file's tokens and next tokens with the model's.")
    ] = True,
    json_: Annotated[bool, typer.Option("--json", help="Write JSON.")] = False,
) -> None:
    """Merge, convert and check a tuned model, so that ocint run -m PATH answers with it."""
    from opencodeinterpreter.cli.consoles import err_console, out_console
    from opencodeinterpreter.cli.text import short_path
    from opencodeinterpreter.config import load_config, model_settings
    from opencodeinterpreter.models.own_models import add_model, check_name
    from opencodeinterpreter.training.exporting import export

    if name is not None:  # before the work, which takes minutes
        check_name(name)
        if form == "adapter":
            raise InputError("an adapter is no model that could have a name: leave out --name, or --form adapter")
    err, console = err_console(), out_console()
    found = export(tuned, form, kind, out, base, check=check)
    agreed = found.check
    if name is not None:
        add_model(name, found.path, model_settings(load_config()).sources)
    if json_:
        row = {"path": str(found.path), "form": found.form, "check": vars(agreed) if agreed else None}
        console.print_json(json.dumps(row))
        return
    if agreed is not None:
        err.print(
            f"checked: {agreed.tokens} tokens of {agreed.prompts} prompts are the same in the engine; the likeliest "
            f"next token is the same after {agreed.same_next} of {agreed.prompts} "
            f"(log-probability differs by {agreed.difference:.3f} at most)",
            soft_wrap=True,
        )
    console.print(short_path(found.path), soft_wrap=True)
    if name is not None:
        err.print(f"Next: ocint chat -m {name.strip().lower()}", soft_wrap=True)
    elif form == "adapter":
        err.print(
            f"Next, with a GGUF file of its base: ocint chat -m BASE --adapter {short_path(found.path)}", soft_wrap=True
        )
    else:
        said = short_path(found.path) if form == "gguf" else f"transformers:{short_path(found.path)}"
        err.print(f"Next: ocint chat -m {said}", soft_wrap=True)

"""The options of ``ocint data``, each defined once. A value of None means "not given"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_WORK, _MODELS, _SOURCE, _EXECUTION = "Work", "Models", "Source", "Execution"

Inputs = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Rows: JSONL, JSON or Parquet, or compressed.")]
Sources = Annotated[
    list[str], typer.Argument(metavar="SOURCE…", help="Files, or hf:org/repo[:file] for a data set of the hub.")
]
Out = Annotated[
    Path,
    typer.Option("--out", "-o", metavar="FILE", help="Where the rows go: .jsonl or .jsonl.gz.", rich_help_panel=_WORK),
]
MaxBad = Annotated[
    str | None,
    typer.Option(
        "--max-bad",
        metavar="N|P%",
        help="Records that may be unusable; not given: 100, or 5% if that is more.",
        rich_help_panel=_WORK,
    ),
]
Restart = Annotated[
    bool, typer.Option("--restart", help="Throw away what there is of this output.", rich_help_panel=_WORK)
]
Concurrency = Annotated[
    int, typer.Option("--concurrency", metavar="N", min=1, help="Rows at a time.", rich_help_panel=_WORK)
]
Ray = Annotated[
    bool,
    typer.Option("--ray", help="Let Ray do the rows, on this or on many machines.", rich_help_panel=_WORK),
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="Any other setting of the stage, its value in YAML.", rich_help_panel=_WORK
    ),
]
Seed = Annotated[int | None, typer.Option("--seed", metavar="N", help="Of all that is drawn.", rich_help_panel=_WORK)]
Json = Annotated[bool, typer.Option("--json", help="Write the manifest as JSON.", rich_help_panel=_WORK)]

Format = Annotated[
    str | None,
    typer.Option("--format", metavar="NAME", help="Not given: seen from the fields.", rich_help_panel=_SOURCE),
]
SourceName = Annotated[
    str | None, typer.Option("--source", metavar="NAME", help="What the data set is called.", rich_help_panel=_SOURCE)
]
Licence = Annotated[
    str | None, typer.Option("--licence", metavar="NAME", help="Of the data set.", rich_help_panel=_SOURCE)
]
Language = Annotated[
    str | None, typer.Option("--language", metavar="NAME", help="Of every record.", rich_help_panel=_SOURCE)
]
Join = Annotated[
    list[Path] | None,
    typer.Option("--join", metavar="FILE", help="Problems that bring statements and tests.", rich_help_panel=_SOURCE),
]
Evaluation = Annotated[
    bool,
    typer.Option("--evaluation", help="Read benchmarks too; their rows are marked.", rich_help_panel=_SOURCE),
]
Encoding = Annotated[
    str | None,
    typer.Option("--encoding", metavar="NAME", help="Of the files, if not UTF-8.", rich_help_panel=_SOURCE),
]

Model = Annotated[
    str | None,
    typer.Option("--model", "-m", metavar="NAME", help="Plays all parts but those below.", rich_help_panel=_MODELS),
]
Responses = Annotated[
    Path | None,
    typer.Option("--responses", metavar="FILE", help="Where replies are kept.", rich_help_panel=_MODELS),
]
MaxTokens = Annotated[
    int | None,
    typer.Option("--max-tokens", metavar="N", min=1, help="Of one reply at most.", rich_help_panel=_MODELS),
]
Temperature = Annotated[
    float | None,
    typer.Option("--temperature", metavar="T", min=0, help="0: the likeliest token.", rich_help_panel=_MODELS),
]
Judge = Annotated[
    str | None, typer.Option("--judge", metavar="MODEL", help="Scores the queries.", rich_help_panel=_MODELS)
]
Weak = Annotated[
    str | None, typer.Option("--weak", metavar="MODEL", help="Gives the first answer.", rich_help_panel=_MODELS)
]
Strong = Annotated[str | None, typer.Option("--strong", metavar="MODEL", help="Refines it.", rich_help_panel=_MODELS)]
User = Annotated[
    str | None, typer.Option("--user", metavar="MODEL", help="Speaks as the person.", rich_help_panel=_MODELS)
]
Mender = Annotated[
    str | None, typer.Option("--mender", metavar="MODEL", help="Mends the errors.", rich_help_panel=_MODELS)
]
Planter = Annotated[
    str | None, typer.Option("--planter", metavar="MODEL", help="Plants the errors.", rich_help_panel=_MODELS)
]
Linker = Annotated[
    str | None, typer.Option("--linker", metavar="MODEL", help="Writes what leads on.", rich_help_panel=_MODELS)
]
Narrator = Annotated[
    str | None,
    typer.Option("--narrator", metavar="MODEL", help="Writes the text before the code.", rich_help_panel=_MODELS),
]

Threshold = Annotated[
    float | None,
    typer.Option("--threshold", metavar="J", help="The least Jaccard index of near duplicates.", rich_help_panel=_WORK),
]
Embedding = Annotated[
    str | None,
    typer.Option("--embedding", metavar="NAME", help="minilm, tfidf, or a checkpoint.", rich_help_panel=_WORK),
]
Floor = Annotated[
    float | None,
    typer.Option("--floor", metavar="S", help="The least likeness of what goes together.", rich_help_panel=_WORK),
]
Count = Annotated[int, typer.Option("--count", "-n", metavar="N", min=0, help="How many.", rich_help_panel=_WORK)]

Dialogs = Annotated[list[Path], typer.Argument(metavar="FILE…", help="Dialogs, one a line.")]
Form = Annotated[str, typer.Option("--form", metavar="NAME", help="messages, code-feedback, tool or sharegpt.")]
Exported = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help=".jsonl, .jsonl.gz or .parquet.")]
Card = Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The card, in Markdown.")]
Title = Annotated[str, typer.Option("--name", metavar="NAME", help="What the data set is called.")]
Recipe = Annotated[Path, typer.Argument(metavar="RECIPE", help="A YAML file.")]
Folder = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Not given: build/ and the recipe's name.")
]
Sessions = Annotated[list[str] | None, typer.Argument(metavar="SESSION…", help="Their ids; not given: all.")]

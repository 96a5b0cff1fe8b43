"""The options of ``ocint eval``, each defined once. A value of None means "not given"."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

_DATA, _PROTOCOL, _DECODING, _WORK = "Data", "Protocol", "Generation", "Work"

Runs = Annotated[list[Path], typer.Argument(metavar="RUN…", help="Folders of runs.")]
OneRun = Annotated[Path, typer.Argument(metavar="RUN", help="The folder of a run.")]
DataFile = Annotated[
    Path | None,
    typer.Option("--data-file", metavar="FILE", help="Read the problems from this file.", rich_help_panel=_DATA),
]
Workers = Annotated[
    int | None,
    typer.Option("--workers", metavar="N", min=1, help="Solutions graded side by side.", rich_help_panel=_WORK),
]
Json = Annotated[bool, typer.Option("--json", help="Write JSON.")]
Benchmark = Annotated[
    str,
    typer.Option(
        "--benchmark", "-b", metavar="NAME", help="humaneval+, mbpp+, humaneval or mbpp.", rich_help_panel=_DATA
    ),
]
Protocol = Annotated[
    str,
    typer.Option(
        "--protocol",
        "-p",
        metavar="NAME",
        help="single (L0), runtime (L1), visible (L2), selftest (L3), select (L2+L3), human-visible (L6): honest; "
        "execution (L5), human (L6), oracle (L7): shown the hidden tests.",
        rich_help_panel=_PROTOCOL,
    ),
]
RunFolder = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where the run is kept.", rich_help_panel=_WORK)
]
DataVersion = Annotated[
    str | None,
    typer.Option("--data-version", metavar="V", help="v0.1.9, v0.1.10; v0.1.0, v0.2.0.", rich_help_panel=_DATA),
]
Limit = Annotated[
    int | None, typer.Option("--limit", metavar="N", min=1, help="The first N problems.", rich_help_panel=_DATA)
]
Ids = Annotated[
    str | None,
    typer.Option("--ids", metavar="LIST", help="Only these: 0-9,HumanEval/32.", rich_help_panel=_DATA),
]
FailuresOf = Annotated[
    Path | None,
    typer.Option("--failures-of", metavar="RUN", help="Only what failed in this run.", rich_help_panel=_DATA),
]
Rounds = Annotated[
    int | None,
    typer.Option(
        "--rounds", metavar="N", min=1, help="Answers at most, refined ones included.", rich_help_panel=_PROTOCOL
    ),
]
Samples = Annotated[
    int | None,
    typer.Option(
        "--samples",
        metavar="N",
        min=1,
        help="Answers a problem: for pass@k, or for select to choose of.",
        rich_help_panel=_PROTOCOL,
    ),
]
Synthesizer = Annotated[
    str | None,
    typer.Option(
        "--synthesizer", metavar="NAME", help="The model that gives human feedback.", rich_help_panel=_PROTOCOL
    ),
]
Prompt = Annotated[
    str | None,
    typer.Option(
        "--prompt",
        metavar="NAME",
        help="evalplus, evalplus-chat, qwen or original.",
        rich_help_panel=_PROTOCOL,
    ),
]
Flattened = Annotated[
    bool,
    typer.Option(
        "--flattened",
        help="The dialog in one user message, as the original evaluation had it.",
        rich_help_panel=_PROTOCOL,
    ),
]
Refine = Annotated[
    str | None,
    typer.Option(
        "--refine",
        metavar="NAME",
        help="plain (as published), clear, cause: name the cause first, code: begin the reply with code, "
        "fresh: without the code that failed.",
        rich_help_panel=_PROTOCOL,
    ),
]
RefineTemperature = Annotated[
    float | None,
    typer.Option("--refine-temperature", metavar="T", min=0.0, help="Of refinements.", rich_help_panel=_PROTOCOL),
]
Candidates = Annotated[
    int,
    typer.Option("--candidates", metavar="N", min=1, help="Refinements drawn a round.", rich_help_panel=_PROTOCOL),
]
Again = Annotated[
    int,
    typer.Option(
        "--again",
        metavar="N",
        min=0,
        help="Further tries for a refinement that changes nothing.",
        rich_help_panel=_PROTOCOL,
    ),
]
Gate = Annotated[
    str,
    typer.Option(
        "--gate",
        metavar="SUITE",
        help="base or plus: the hidden tests that call for a second try.",
        rich_help_panel=_PROTOCOL,
    ),
]
Spend = Annotated[
    str,
    typer.Option(
        "--spend", metavar="HOW", help="select: all samples, or only where needed.", rich_help_panel=_PROTOCOL
    ),
]
Baseline = Annotated[
    bool,
    typer.Option("--baseline/--no-baseline", help="select: also resample at equal budget.", rich_help_panel=_PROTOCOL),
]
Temperature = Annotated[
    float, typer.Option("--temperature", metavar="T", min=0.0, help="0 is greedy.", rich_help_panel=_DECODING)
]
TopP = Annotated[
    float,
    typer.Option("--top-p", metavar="P", min=0.01, max=1.0, help="Of what is drawn.", rich_help_panel=_DECODING),
]
Seed = Annotated[
    int | None, typer.Option("--seed", metavar="N", min=0, help="Of what is drawn.", rich_help_panel=_DECODING)
]
MaxTokens = Annotated[
    int, typer.Option("--max-tokens", metavar="N", min=1, help="Of one reply.", rich_help_panel=_DECODING)
]
Concurrency = Annotated[
    int | None,
    typer.Option(
        "--concurrency",
        "-j",
        metavar="N",
        min=1,
        help="Problems at a time; 1 embedded, else 16.",
        rich_help_panel=_WORK,
    ),
]
Minutes = Annotated[
    float | None,
    typer.Option("--minutes", metavar="N", min=0.0, help="Begin no problem after this time.", rich_help_panel=_WORK),
]
Responses = Annotated[
    Path | None,
    typer.Option(
        "--responses", metavar="FILE", help="The response cache; else one for all runs.", rich_help_panel=_WORK
    ),
]
RepliesOf = Annotated[
    list[Path] | None,
    typer.Option(
        "--replies-of",
        metavar="RUN",
        help="Take replies out of this run's records. Repeatable.",
        rich_help_panel=_WORK,
    ),
]
ReportFile = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write to FILE.md, FILE.json or FILE.html."),
]
FirstRun = Annotated[Path, typer.Argument(metavar="A", help="The folder of a run.")]
SecondRun = Annotated[Path, typer.Argument(metavar="B", help="The folder of another run.")]
RegradedFolder = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to; else the run itself is changed.")
]
ExtractedFolder = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FOLDER", help="Write the run with the new code there, to be regraded."),
]

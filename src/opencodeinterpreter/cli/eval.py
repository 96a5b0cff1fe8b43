"""``ocint eval``: benchmarks run by the published protocols and by honest ones, and what is made of the records."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from opencodeinterpreter.cli import options

app = typer.Typer(help="Measure a model on HumanEval(+) and MBPP(+).", no_args_is_help=True)

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


@app.command("run", no_args_is_help=True)
def run_(
    benchmark: Annotated[
        str,
        typer.Option(
            "--benchmark", "-b", metavar="NAME", help="humaneval+, mbpp+, humaneval or mbpp.", rich_help_panel=_DATA
        ),
    ],
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            "-p",
            metavar="NAME",
            help="single (L0), runtime (L1), visible (L2), selftest (L3), select (L2+L3), human-visible (L6): honest; "
            "execution (L5), human (L6), oracle (L7): shown the hidden tests.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = "single",
    model: options.Model = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where the run is kept.", rich_help_panel=_WORK)
    ] = None,
    data_version: Annotated[
        str | None,
        typer.Option("--data-version", metavar="V", help="v0.1.9, v0.1.10; v0.1.0, v0.2.0.", rich_help_panel=_DATA),
    ] = None,
    data_file: DataFile = None,
    limit: Annotated[
        int | None, typer.Option("--limit", metavar="N", min=1, help="The first N problems.", rich_help_panel=_DATA)
    ] = None,
    ids: Annotated[
        str | None,
        typer.Option("--ids", metavar="LIST", help="Only these: 0-9,HumanEval/32.", rich_help_panel=_DATA),
    ] = None,
    failures_of: Annotated[
        Path | None,
        typer.Option("--failures-of", metavar="RUN", help="Only what failed in this run.", rich_help_panel=_DATA),
    ] = None,
    rounds: Annotated[
        int | None,
        typer.Option(
            "--rounds", metavar="N", min=1, help="Answers at most, refined ones included.", rich_help_panel=_PROTOCOL
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option(
            "--samples",
            metavar="N",
            min=1,
            help="Answers a problem: for pass@k, or for select to choose of.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = None,
    synthesizer: Annotated[
        str | None,
        typer.Option(
            "--synthesizer", metavar="NAME", help="The model that gives human feedback.", rich_help_panel=_PROTOCOL
        ),
    ] = None,
    prompt: Annotated[
        str,
        typer.Option(
            "--prompt",
            metavar="NAME",
            help="evalplus, or original: the published system's layout.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = "evalplus",
    flattened: Annotated[
        bool,
        typer.Option(
            "--flattened",
            help="The dialog in one user message, as the original evaluation had it.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = False,
    refine: Annotated[
        str | None,
        typer.Option(
            "--refine",
            metavar="NAME",
            help="plain (as published), clear, or cause: name the cause first.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = None,
    refine_temperature: Annotated[
        float | None,
        typer.Option("--refine-temperature", metavar="T", min=0.0, help="Of refinements.", rich_help_panel=_PROTOCOL),
    ] = None,
    candidates: Annotated[
        int,
        typer.Option("--candidates", metavar="N", min=1, help="Refinements drawn a round.", rich_help_panel=_PROTOCOL),
    ] = 1,
    again: Annotated[
        int,
        typer.Option(
            "--again",
            metavar="N",
            min=0,
            help="Further tries for a refinement that changes nothing.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = 2,
    gate: Annotated[
        str,
        typer.Option(
            "--gate",
            metavar="SUITE",
            help="base or plus: the hidden tests that call for a second try.",
            rich_help_panel=_PROTOCOL,
        ),
    ] = "plus",
    spend: Annotated[
        str,
        typer.Option(
            "--spend", metavar="HOW", help="select: all samples, or only where needed.", rich_help_panel=_PROTOCOL
        ),
    ] = "all",
    baseline: Annotated[
        bool,
        typer.Option(
            "--baseline/--no-baseline", help="select: also resample at equal budget.", rich_help_panel=_PROTOCOL
        ),
    ] = True,
    temperature: Annotated[
        float, typer.Option("--temperature", metavar="T", min=0.0, help="0 is greedy.", rich_help_panel=_DECODING)
    ] = 0.0,
    top_p: Annotated[
        float,
        typer.Option("--top-p", metavar="P", min=0.01, max=1.0, help="Of what is drawn.", rich_help_panel=_DECODING),
    ] = 1.0,
    seed: Annotated[
        int | None, typer.Option("--seed", metavar="N", min=0, help="Of what is drawn.", rich_help_panel=_DECODING)
    ] = None,
    max_tokens: Annotated[
        int, typer.Option("--max-tokens", metavar="N", min=1, help="Of one reply.", rich_help_panel=_DECODING)
    ] = 1024,
    context: options.Context = None,
    concurrency: Annotated[
        int | None,
        typer.Option(
            "--concurrency",
            "-j",
            metavar="N",
            min=1,
            help="Problems at a time; 1 embedded, 16 on a server.",
            rich_help_panel=_WORK,
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            "--minutes", metavar="N", min=0.0, help="Begin no problem after this time.", rich_help_panel=_WORK
        ),
    ] = None,
    responses: Annotated[
        Path | None,
        typer.Option(
            "--responses", metavar="FILE", help="The response cache; else one for all runs.", rich_help_panel=_WORK
        ),
    ] = None,
    workers: Workers = None,
    json_: Json = False,
) -> None:
    """Run a protocol over a benchmark; the same command goes on with what is not done yet."""
    from opencodeinterpreter.cli.evaluating import Wanted, run_evaluation

    wanted = Wanted(
        benchmark=benchmark, protocol=protocol, model=model, out=out, data_version=data_version, data_file=data_file,
        limit=limit, ids=ids, failures_of=failures_of, rounds=rounds, samples=samples, synthesizer=synthesizer,
        prompt=prompt, flattened=flattened, refine=refine, refine_temperature=refine_temperature,
        candidates=candidates, again=again, gate=gate, spend=spend, baseline=baseline, temperature=temperature,
        top_p=top_p, seed=seed, max_tokens=max_tokens, context=context, concurrency=concurrency, minutes=minutes,
        responses=responses, workers=workers, as_json=json_,
    )  # fmt: skip
    raise typer.Exit(run_evaluation(wanted))


@app.command("report", no_args_is_help=True)
def report_(
    runs: Runs,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write to FILE.md, FILE.json or FILE.html."),
    ] = None,
    data_file: DataFile = None,
    json_: Json = False,
) -> None:
    """Show runs as a table beside the published rows; with --out write Markdown, JSON, or a page with a log viewer."""
    from opencodeinterpreter.cli.reporting import report

    raise typer.Exit(report(runs, out, data_file, as_json=json_))


@app.command("compare", no_args_is_help=True)
def compare_(
    first: Annotated[Path, typer.Argument(metavar="A", help="The folder of a run.")],
    second: Annotated[Path, typer.Argument(metavar="B", help="The folder of another run.")],
    json_: Json = False,
) -> None:
    """Compare two runs problem by problem; no winner is named that chance could have named."""
    from opencodeinterpreter.cli.reporting import compare

    raise typer.Exit(compare(first, second, as_json=json_))


@app.command("regrade", no_args_is_help=True)
def regrade_(
    run: OneRun,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FOLDER", help="Where to; else the run itself is changed.")
    ] = None,
    data_file: DataFile = None,
    workers: Workers = None,
) -> None:
    """Grade the stored code of a run again; no model is asked."""
    from opencodeinterpreter.cli.regrading import regrade

    raise typer.Exit(regrade(run, out, data_file, workers))


@app.command("extract", no_args_is_help=True)
def extract_(
    run: OneRun,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Write the run with the new code there, to be regraded."),
    ] = None,
    data_file: DataFile = None,
    json_: Json = False,
) -> None:
    """Extract the code of the stored replies again and say what changes; no model is asked."""
    from opencodeinterpreter.cli.regrading import extract

    raise typer.Exit(extract(run, out, data_file, as_json=json_))

"""``ocint eval``: benchmarks run by the published protocols and by honest ones, and what is made of the records."""

from __future__ import annotations

import typer

from opencodeinterpreter.cli import eval_options as given
from opencodeinterpreter.cli import options

app = typer.Typer(help="Measure a model on HumanEval(+) and MBPP(+).", no_args_is_help=True)


@app.command("run", no_args_is_help=True)
def run_(
    benchmark: given.Benchmark,
    protocol: given.Protocol = "single",
    model: options.Model = None,
    out: given.RunFolder = None,
    data_version: given.DataVersion = None,
    data_file: given.DataFile = None,
    limit: given.Limit = None,
    ids: given.Ids = None,
    failures_of: given.FailuresOf = None,
    rounds: given.Rounds = None,
    samples: given.Samples = None,
    synthesizer: given.Synthesizer = None,
    prompt: given.Prompt = None,
    flattened: given.Flattened = False,
    refine: given.Refine = None,
    refine_temperature: given.RefineTemperature = None,
    candidates: given.Candidates = 1,
    again: given.Again = 2,
    gate: given.Gate = "plus",
    spend: given.Spend = "all",
    baseline: given.Baseline = True,
    temperature: given.Temperature = 0.0,
    top_p: given.TopP = 1.0,
    seed: given.Seed = None,
    max_tokens: given.MaxTokens = 1024,
    context: options.Context = None,
    concurrency: given.Concurrency = None,
    minutes: given.Minutes = None,
    responses: given.Responses = None,
    replies_of: given.RepliesOf = None,
    workers: given.Workers = None,
    json_: given.Json = False,
) -> None:
    """Run a protocol over a benchmark; the same command goes on with what is not done yet."""
    from opencodeinterpreter.cli.evaluating import Wanted, run_evaluation

    wanted = Wanted(
        benchmark=benchmark, protocol=protocol, model=model, out=out, data_version=data_version, data_file=data_file,
        limit=limit, ids=ids, failures_of=failures_of, rounds=rounds, samples=samples, synthesizer=synthesizer,
        prompt=prompt, flattened=flattened, refine=refine, refine_temperature=refine_temperature,
        candidates=candidates, again=again, gate=gate, spend=spend, baseline=baseline, temperature=temperature,
        top_p=top_p, seed=seed, max_tokens=max_tokens, context=context, concurrency=concurrency, minutes=minutes,
        responses=responses, replies_of=tuple(replies_of or ()), workers=workers, as_json=json_,
    )  # fmt: skip
    raise typer.Exit(run_evaluation(wanted))


@app.command("report", no_args_is_help=True)
def report_(
    runs: given.Runs,
    out: given.ReportFile = None,
    data_file: given.DataFile = None,
    json_: given.Json = False,
) -> None:
    """Show runs as a table beside the published rows; with --out write Markdown, JSON, or a page with a log viewer."""
    from opencodeinterpreter.cli.reporting import report

    raise typer.Exit(report(runs, out, data_file, as_json=json_))


@app.command("compare", no_args_is_help=True)
def compare_(
    first: given.FirstRun,
    second: given.SecondRun,
    json_: given.Json = False,
) -> None:
    """Compare two runs problem by problem; no winner is named that chance could have named."""
    from opencodeinterpreter.cli.reporting import compare

    raise typer.Exit(compare(first, second, as_json=json_))


@app.command("regrade", no_args_is_help=True)
def regrade_(
    run: given.OneRun,
    out: given.RegradedFolder = None,
    data_file: given.DataFile = None,
    workers: given.Workers = None,
) -> None:
    """Grade the stored code of a run again; no model is asked."""
    from opencodeinterpreter.cli.regrading import regrade

    raise typer.Exit(regrade(run, out, data_file, workers))


@app.command("extract", no_args_is_help=True)
def extract_(
    run: given.OneRun,
    out: given.ExtractedFolder = None,
    data_file: given.DataFile = None,
    json_: given.Json = False,
) -> None:
    """Extract the code of the stored replies again and say what changes; no model is asked."""
    from opencodeinterpreter.cli.regrading import extract

    raise typer.Exit(extract(run, out, data_file, as_json=json_))

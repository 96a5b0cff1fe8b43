"""``ocint data``: the data set of code, execution feedback and human feedback, stage by stage or by a recipe."""

from __future__ import annotations

import typer

from opencodeinterpreter.cli import data_options as given
from opencodeinterpreter.cli import data_show

app = typer.Typer(help="Build a data set of multi-turn dialogs, by the five methods.", no_args_is_help=True)


@app.command("read", no_args_is_help=True)
def read_(
    sources: given.Sources,
    out: given.Out,
    format_: given.Format = None,
    source: given.SourceName = None,
    licence: given.Licence = None,
    language: given.Language = None,
    join: given.Join = None,
    evaluation: given.Evaluation = False,
    encoding: given.Encoding = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Read data sets as people have them; each record becomes a query, a problem or a bug."""
    from opencodeinterpreter.cli.building_data import Wanted
    from opencodeinterpreter.cli.reading_data import read

    chosen = {
        "format": format_, "source": source, "licence": licence, "language": language, "join": join or [],
        "evaluation": evaluation, "encoding": encoding,
    }  # fmt: skip
    read(sources, Wanted(out=out, max_bad=max_bad, restart=restart, as_json=json_, chosen=chosen))


@app.command("take", no_args_is_help=True)
def take_(
    inputs: given.Inputs,
    out: given.Out,
    count: given.Count = 100,
    seed: given.Seed = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Take the first rows, or with --seed some at random."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {"count": count, "seed": seed}
    run("take", inputs, Wanted(out=out, max_bad=max_bad, restart=restart, as_json=json_, chosen=chosen))


@app.command("queries", no_args_is_help=True)
def queries_(
    inputs: given.Inputs,
    out: given.Out,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Make queries of problems, each with its first solution as the answer."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    run("queries", inputs, Wanted(out=out, max_bad=max_bad, restart=restart, as_json=json_))


@app.command("dedup", no_args_is_help=True)
def dedup_(
    inputs: given.Inputs,
    out: given.Out,
    threshold: given.Threshold = None,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Drop exact and near duplicates across all files."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {"threshold": threshold}
    run("dedup", inputs, Wanted(out=out, max_bad=max_bad, restart=restart, set_=set_, as_json=json_, chosen=chosen))


@app.command("filter", no_args_is_help=True)
def filter_(
    inputs: given.Inputs,
    out: given.Out,
    judge: given.Judge = None,
    model: given.Model = None,
    seed: given.Seed = None,
    temperature: given.Temperature = None,
    responses: given.Responses = None,
    concurrency: given.Concurrency = 1,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Let a judge score queries by the paper's two rubrics, and keep the complex ones."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {"judge": judge, "seed": seed, "temperature": temperature}
    run("filter", inputs, Wanted(out, max_bad, restart, ray, concurrency, set_, json_, model, responses, chosen))


@app.command("check", no_args_is_help=True)
def check_(
    inputs: given.Inputs,
    out: given.Out,
    concurrency: given.Concurrency = 1,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Run the solutions of problems with their tests, and keep those that pass."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    run("check", inputs, Wanted(out, max_bad, restart, ray, concurrency, set_, json_))


@app.command("pack", no_args_is_help=True)
def pack_(
    inputs: given.Inputs,
    out: given.Out,
    embedding: given.Embedding = None,
    floor: given.Floor = None,
    seed: given.Seed = None,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Pack similar queries into dialogs: method 1."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {"model": embedding, "floor": floor, "seed": seed}
    run("pack", inputs, Wanted(out=out, max_bad=max_bad, restart=restart, set_=set_, as_json=json_, chosen=chosen))


@app.command("simulate", no_args_is_help=True)
def simulate_(
    inputs: given.Inputs,
    out: given.Out,
    weak: given.Weak = None,
    strong: given.Strong = None,
    user: given.User = None,
    model: given.Model = None,
    seed: given.Seed = None,
    max_tokens: given.MaxTokens = None,
    temperature: given.Temperature = None,
    responses: given.Responses = None,
    concurrency: given.Concurrency = 1,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Simulate interactions with executions and human feedback: method 2."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {
        "weak": weak, "strong": strong, "user": user, "seed": seed, "max_tokens": max_tokens,
        "temperature": temperature,
    }  # fmt: skip
    run("simulate", inputs, Wanted(out, max_bad, restart, ray, concurrency, set_, json_, model, responses, chosen))


@app.command("correct", no_args_is_help=True)
def correct_(
    inputs: given.Inputs,
    out: given.Out,
    mender: given.Mender = None,
    planter: given.Planter = None,
    model: given.Model = None,
    seed: given.Seed = None,
    max_tokens: given.MaxTokens = None,
    temperature: given.Temperature = None,
    responses: given.Responses = None,
    concurrency: given.Concurrency = 1,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Plant errors, or take real ones, see them fail, and mend them: method 3."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {
        "mender": mender, "planter": planter, "seed": seed, "max_tokens": max_tokens, "temperature": temperature,
    }  # fmt: skip
    run("correct", inputs, Wanted(out, max_bad, restart, ray, concurrency, set_, json_, model, responses, chosen))


@app.command("similar", no_args_is_help=True)
def similar_(
    inputs: given.Inputs,
    out: given.Out,
    linker: given.Linker = None,
    floor: given.Floor = None,
    model: given.Model = None,
    seed: given.Seed = None,
    responses: given.Responses = None,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Put similar problems into one dialog: method 4."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {"linker": linker, "floor": floor, "seed": seed}
    run("similar", inputs, Wanted(out, max_bad, restart, False, 1, set_, json_, model, responses, chosen))


@app.command("followup", no_args_is_help=True)
def followup_(
    inputs: given.Inputs,
    out: given.Out,
    narrator: given.Narrator = None,
    model: given.Model = None,
    seed: given.Seed = None,
    max_tokens: given.MaxTokens = None,
    responses: given.Responses = None,
    concurrency: given.Concurrency = 1,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Ask for other solutions of a problem, in time, space or language: method 5."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    chosen = {"narrator": narrator, "seed": seed, "max_tokens": max_tokens}
    run("followup", inputs, Wanted(out, max_bad, restart, ray, concurrency, set_, json_, model, responses, chosen))


@app.command("verify", no_args_is_help=True)
def verify_(
    inputs: given.Inputs,
    out: given.Out,
    concurrency: given.Concurrency = 1,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Verify every dialog: roles, code, executions, endings; its code is run again."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    run("verify", inputs, Wanted(out, max_bad, restart, ray, concurrency, set_, json_))


@app.command("decontaminate", no_args_is_help=True)
def decontaminate_(
    inputs: given.Inputs,
    out: given.Out,
    embedding: given.Embedding = None,
    set_: given.Settings = None,
    max_bad: given.MaxBad = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Drop what is in HumanEval or MBPP, as it is or told anew; a report is written beside the rows."""
    from opencodeinterpreter.cli.building_data import Wanted, run

    wanted = Wanted(
        out=out, max_bad=max_bad, restart=restart, set_=set_, as_json=json_, chosen={"model": embedding}
    )  # fmt: skip
    run("decontaminate", inputs, wanted)


@app.command("from-sessions")
def from_sessions_(
    out: given.Out,
    sessions: given.Sessions = None,
    licence: given.Licence = None,
    restart: given.Restart = False,
    json_: given.Json = False,
) -> None:
    """Turn your own sessions into dialogs, with secrets, paths and personal data taken out."""
    from opencodeinterpreter.cli.building_data import Wanted
    from opencodeinterpreter.cli.reading_data import from_sessions

    from_sessions(sessions or [], licence, Wanted(out=out, restart=restart, as_json=json_))


@app.command("build", no_args_is_help=True)
def build_(
    recipe: given.Recipe,
    out: given.Folder = None,
    model: given.Model = None,
    responses: given.Responses = None,
    concurrency: given.Concurrency = 1,
    restart: given.Restart = False,
    ray: given.Ray = False,
    json_: given.Json = False,
) -> None:
    """Build a whole data set by a recipe; the same command goes on where it was stopped."""
    from opencodeinterpreter.cli.products_of_data import build_recipe

    build_recipe(recipe, out, model, responses, concurrency, restart=restart, ray=ray, as_json=json_)


@app.command("export", no_args_is_help=True)
def export_(dialogs: given.Dialogs, out: given.Exported, form: given.Form = "messages") -> None:
    """Write dialogs in the form that another program reads."""
    from opencodeinterpreter.cli.products_of_data import export

    export(dialogs, out, form)


@app.command("card", no_args_is_help=True)
def card_(dialogs: given.Dialogs, out: given.Card, name: given.Title = "Code-Feedback") -> None:
    """Write the card of a data set: counts, licences, drops, samples."""
    from opencodeinterpreter.cli.products_of_data import card

    card(dialogs, out, name)


@app.command("stats", no_args_is_help=True)
def stats_(dialogs: given.Dialogs, json_: given.Json = False) -> None:
    """Count dialogs by method, turns, tokens, languages and licences."""
    from opencodeinterpreter.cli.products_of_data import stats

    stats(dialogs, as_json=json_)


data_show.add_to(app)

"""``ocint data``: the data set of code, execution feedback and human feedback, stage by stage or by a recipe."""

from __future__ import annotations

import typer

from opencodeinterpreter.cli import data_options as given
from opencodeinterpreter.cli import data_show, data_stages

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


data_stages.add_to(app)


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

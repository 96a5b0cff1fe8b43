"""The commands of ``ocint data`` that run one stage: rows in, rows out.

What such a command takes differs only in which options it has, so the commands are a table of their options' names;
each option is defined once, in ``data_options``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from inspect import Parameter, Signature
from typing import Any, Final

import typer

from opencodeinterpreter.cli import data_options as given


@dataclass(frozen=True)
class StageCommand:
    """One stage as a command of the same name."""

    name: str
    text: str
    """of its help"""
    options: tuple[str, ...] = ()
    """which it has of ``_OPTIONS``, besides those about the work itself, in the order of the help"""
    settings: bool = True
    """whether it takes settings of the stage by their names"""
    parallel: bool = False
    """whether it can do several rows at a time"""


COMMANDS: Final = (
    StageCommand("take", "Take the first rows, or with --seed some at random.", ("count", "seed")),
    StageCommand("queries", "Make queries of problems, each with its first solution as the answer.", settings=False),
    StageCommand("dedup", "Drop exact and near duplicates across all files.", ("threshold",)),
    StageCommand(
        "filter",
        "Let a judge score queries by the paper's two rubrics, and keep the complex ones.",
        ("judge", "model", "seed", "temperature", "responses"),
        parallel=True,
    ),
    StageCommand("check", "Run the solutions of problems with their tests, and keep those that pass.", parallel=True),
    StageCommand("pack", "Pack similar queries into dialogs: method 1.", ("embedding", "floor", "seed")),
    StageCommand(
        "simulate",
        "Simulate interactions with executions and human feedback: method 2.",
        ("weak", "strong", "user", "model", "seed", "max_tokens", "temperature", "responses"),
        parallel=True,
    ),
    StageCommand(
        "correct",
        "Plant errors, or take real ones, see them fail, and mend them: method 3.",
        ("mender", "planter", "model", "seed", "max_tokens", "temperature", "responses"),
        parallel=True,
    ),
    StageCommand(
        "similar",
        "Put similar problems into one dialog: method 4.",
        ("linker", "floor", "model", "seed", "responses"),
    ),
    StageCommand(
        "followup",
        "Ask for other solutions of a problem, in time, space or language: method 5.",
        ("narrator", "model", "seed", "max_tokens", "responses"),
        parallel=True,
    ),
    StageCommand(
        "verify", "Verify every dialog: roles, code, executions, endings; its code is run again.", parallel=True
    ),
    StageCommand(
        "decontaminate",
        "Drop what is in HumanEval or MBPP, as it is or told anew; a report is written beside the rows.",
        ("embedding",),
    ),
)
_OPTIONS: Final[dict[str, tuple[Any, Any]]] = {
    "inputs": (given.Inputs, Parameter.empty),
    "out": (given.Out, Parameter.empty),
    "count": (given.Count, 100),
    "threshold": (given.Threshold, None),
    "judge": (given.Judge, None),
    "weak": (given.Weak, None),
    "strong": (given.Strong, None),
    "user": (given.User, None),
    "mender": (given.Mender, None),
    "planter": (given.Planter, None),
    "linker": (given.Linker, None),
    "narrator": (given.Narrator, None),
    "embedding": (given.Embedding, None),
    "floor": (given.Floor, None),
    "model": (given.Model, None),
    "seed": (given.Seed, None),
    "max_tokens": (given.MaxTokens, None),
    "temperature": (given.Temperature, None),
    "responses": (given.Responses, None),
    "concurrency": (given.Concurrency, 1),
    "set_": (given.Settings, None),
    "max_bad": (given.MaxBad, None),
    "restart": (given.Restart, False),
    "ray": (given.Ray, False),
    "json_": (given.Json, False),
}
"""What each is, and what holds where it is not given."""
_ABOUT_WORK: Final = frozenset({"out", "max_bad", "restart", "ray", "concurrency", "set_", "model", "responses"})
_STAGES_WORD: Final = {"embedding": "model"}
"""What a stage calls an option that has another name on the command line."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    for command in COMMANDS:
        app.command(command.name, help=command.text, no_args_is_help=True)(_function(command))


def _function(command: StageCommand) -> Callable[..., None]:
    def run_stage(**values: Any) -> None:
        from opencodeinterpreter.cli.building_data import Wanted, run

        inputs, as_json = values.pop("inputs"), values.pop("json_")
        work = {name: values.pop(name) for name in _ABOUT_WORK & values.keys()}
        chosen = {_STAGES_WORD.get(name, name): value for name, value in values.items()}
        run(command.name, inputs, Wanted(**work, as_json=as_json, chosen=chosen))

    names = ["inputs", "out", *command.options]
    names += ["concurrency"] * command.parallel + ["set_"] * command.settings + ["max_bad", "restart"]
    names += ["ray"] * command.parallel + ["json_"]
    parameters = [
        Parameter(name, Parameter.KEYWORD_ONLY, annotation=_OPTIONS[name][0], default=_OPTIONS[name][1])
        for name in names
    ]
    # What the command line is read by.
    run_stage.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
    run_stage.__annotations__ = {each.name: each.annotation for each in parameters}
    return run_stage
